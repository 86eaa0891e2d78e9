"""The errors that imagelock reports, and their exit codes.

    ImagelockError
    ├── InvalidDigestError · InvalidPlatformError · InvalidReferenceError      an invalid value
    ├── InvalidSelectorError                                                   an invalid range, pattern or tag
    ├── ImagesFileError                                                        images.toml: every problem in it
    ├── LockfileError                                                          images.lock is invalid, or another tool's
    │   └── StaleLockfileError                                                 images.lock does not match images.toml
    ├── CheckFailedError                                                       a check failed
    ├── DocumentError                                                          a template or a pinned file
    ├── FileError                                                              a file cannot be read or written
    ├── ProjectBusyError · ProjectChangedError                                 another run holds or changed the project
    ├── RegistryError                                                          a registry or a layout does not serve it
    │   ├── ImageNotFoundError · AuthenticationError
    │   │   └── NoTagError                                                     a range selects no tag
    │   ├── InvalidContentError                                                content that cannot be trusted
    │   │   ├── UnusableAnswerError                                            a forbidden redirect, no token
    │   │   └── NoImageError                                                   a chart, a signature or the like
    │   └── TemporaryError                                                     no response, 429, 5xx: retry later
    └── BatchError                                                             all failures of one run

Errors are named for what the user has to do next. The message says what failed, the details say where and why, and the
hint says what to do. Each class has its exit code; ``cli`` alone prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum

_SHOWN_NAMES = 4
_MOST_OF_ONE_FORM = 2
_LISTING, _ITS_TAGS = "run `imagelock tags ", "` to list its tags"
_SAME_DETAILS = 4
"""From this many failures with equal details on, the details are printed once."""


class ExitCode(IntEnum):
    """The four results that scripts can distinguish."""

    DONE = 0
    """Success."""
    NO = 1
    """A check failed: stale, drifted or dead. Only commands that check something return it."""
    CANNOT = 2
    """An error to be fixed by the user: usage, an invalid file, no such image, a refused login."""
    TRY_AGAIN = 3
    """A temporary error: no response, a time-out, too many requests."""


class ImagelockError(Exception):
    """An error with a message, lines of detail, and a hint that names one command."""

    exit_code = ExitCode.CANNOT

    def __init__(
        self,
        message: str,
        *,
        details: Iterable[str] = (),
        hint: str | None = None,
        further_hints: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.hint = hint
        self.further_hints = tuple(further_hints)
        """Hints for further problems of the same error."""


class InvalidDigestError(ImagelockError):
    """A digest that is not ``sha256:`` or ``sha512:`` and the right number of lower-case hexadecimal digits."""


class InvalidPlatformError(ImagelockError):
    """A platform that is not ``os/architecture[/variant]``."""


class InvalidReferenceError(ImagelockError):
    """A text that is not an image reference to Docker, podman and BuildKit."""


class InvalidSelectorError(ImagelockError):
    """An invalid range, pattern or tag; ``field`` is its key in images.toml."""

    def __init__(self, message: str, *, field: str, details: Iterable[str] = (), hint: str | None = None) -> None:
        super().__init__(message, details=details, hint=hint)
        self.field = field


class ImagesFileError(ImagelockError):
    """images.toml is invalid; the details list every problem."""


class LockfileError(ImagelockError):
    """images.lock cannot be read, or was written by another tool."""


class NewerLockfileError(LockfileError):
    """images.lock has a format that only newer versions of imagelock read."""


class StaleLockfileError(LockfileError):
    """images.lock does not match images.toml, and the command needs one that does."""


class CheckFailedError(ImagelockError):
    """The check that the command makes has failed."""

    exit_code = ExitCode.NO


class DocumentError(ImagelockError):
    """A file with image references that cannot be rendered or pinned."""


class FileError(ImagelockError):
    """A file that cannot be read or written."""


class ProjectBusyError(ImagelockError):
    """Another run holds the project, and did not finish in time."""

    exit_code = ExitCode.TRY_AGAIN


class ProjectChangedError(ImagelockError):
    """A file changed after it was read and before writing; nothing was written."""

    exit_code = ExitCode.TRY_AGAIN


class RegistryError(ImagelockError):
    """A registry, or an OCI layout on disk, did not serve content."""


class ImageNotFoundError(RegistryError):
    """The repository, tag, digest or platform does not exist there."""


class PlatformNotFoundError(ImageNotFoundError):
    """The image exists, but has none or several of a wanted platform.

    ``lockable`` are the wanted platforms that it has; if it has none of them, all that it has.
    """

    def __init__(
        self, message: str, *, details: Iterable[str] = (), hint: str | None = None, lockable: Iterable[str] = ()
    ) -> None:
        super().__init__(message, details=details, hint=hint)
        self.lockable = tuple(lockable)


class NoTagReason(StrEnum):
    """Why a range selects none of a repository's tags, divided by what has to change."""

    SHAPE = "shape"
    """No tag fits the pattern."""
    NONE = "none"
    """Tags fit the pattern, and all of their versions are outside the range."""
    PRERELEASE = "prerelease"
    """Only pre-releases are in the range."""
    FLOATING = "floating"
    """Only floating tags are in the range, such as ``3.12`` beside ``3.12.4``."""
    YOUNG = "young"
    """Every tag in the range has an image that is younger than ``minimum-age``, or has no date."""


class NoTagError(ImageNotFoundError):
    """A range selects none of a repository's tags; the details are the nearest tags and their mismatches."""

    def __init__(
        self, message: str, *, reason: NoTagReason, details: Iterable[str] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, details=details, hint=hint)
        self.reason = reason


class AuthenticationError(RegistryError):
    """The registry requires credentials that were not found, or refused those that were sent."""


class InvalidContentError(RegistryError):
    """Content that cannot be trusted: wrong digest, ambiguous JSON, too large, not an image."""


class UnusableAnswerError(InvalidContentError):
    """An answer that says nothing about the content: a redirect that must not be followed, or no token."""


class NoImageError(InvalidContentError):
    """Content that is known to be another kind of artifact: a Helm chart, a signature."""


class TemporaryError(RegistryError):
    """No response, too many requests, or a failing server: the same command may succeed later."""

    exit_code = ExitCode.TRY_AGAIN


class BatchError(ImagelockError):
    """All failures of one run, by alias; a hint that several share occurs once, with their names.

    The message of a single failure follows ``action``, and the text after a ``;`` in ``message`` becomes a detail. The
    exit code is ``TRY_AGAIN`` only if all failures have it. ``way_on`` is a hint about what has not failed.
    """

    def __init__(
        self,
        message: str,
        failures: Iterable[tuple[str, ImagelockError]],
        *,
        action: str | None = None,
        way_on: str | None = None,
    ) -> None:
        self.failures = tuple(sorted(failures, key=lambda failure: failure[0]))
        self.action = action
        self.summary = message
        details: list[str] = []
        names: dict[str, list[str]] = {}
        same = {error.details for _, error in self.failures}
        is_same = len(same) == 1 and len(self.failures) >= _SAME_DETAILS
        for alias, error in self.failures:
            details += [f"{alias}: {error.message}", *(f"  {line}" for line in error.details if not is_same)]
            if error.hint:
                names.setdefault(error.hint, []).append(alias)
        names = _with_shared_form(names)
        details += [f"each: {line}" for line in self.failures[0][1].details] if is_same else []
        is_shared = len(names) == 1 and len(*names.values()) == len(self.failures)
        hints = [hint if is_shared else f"{hint} ({_listing(of)})" for hint, of in names.items()]
        if action and len(self.failures) == 1:
            [(name, only)] = self.failures
            details = [*only.details, *filter(None, [message.partition("; ")[2]])]
            message = f"{action} `{name}`: {only.message}"
            hints = [hint for hint in (only.hint, *only.further_hints) if hint]
        hints += [way_on] if way_on else []
        super().__init__(message, details=details, hint=next(iter(hints), None), further_hints=hints[1:])

    @property
    def exit_code(self) -> ExitCode:  # type: ignore[override]  # a batch has the code of its members
        """``TRY_AGAIN`` if every failure is of that kind, else ``CANNOT``."""
        codes = {error.exit_code for _, error in self.failures}
        return ExitCode.TRY_AGAIN if codes == {ExitCode.TRY_AGAIN} else ExitCode.CANNOT


def _with_shared_form(names: dict[str, list[str]]) -> dict[str, list[str]]:
    """Tell many hints that differ only in a repository as one."""
    listing = [hint for hint in names if hint.startswith(_LISTING) and hint.endswith(_ITS_TAGS)]
    if len(listing) <= _MOST_OF_ONE_FORM:
        return names
    together = {f"{_LISTING}REPOSITORY{_ITS_TAGS}": [alias for hint in listing for alias in names[hint]]}
    return {hint: of for hint, of in names.items() if hint not in listing} | together


def _listing(names: Sequence[str]) -> str:
    """Return the first few names, and the number of the others."""
    shown = names if len(names) <= _SHOWN_NAMES + 1 else names[:_SHOWN_NAMES]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(shown) < len(names) else "")


def join_problems(problems: Iterable[tuple[str, Iterable[str], str | None]]) -> tuple[tuple[str, ...], str | None]:
    """Return the details and the hint of one error for several problems: message, details and hint of each.

    A hint that all of them share is the hint of the error; otherwise hints are lines after their problems.
    """
    problems = tuple(problems)
    hints = {hint for *_, hint in problems}
    common_hint = hints.pop() if len(hints) == 1 else None
    lines: list[str] = []
    for message, details, hint in problems:
        lines += [message, *(f"  {detail}" for detail in details)]
        if hint and not common_hint:
            lines.append(f"  hint: {hint}")
    return tuple(lines), common_hint


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean `x`?`` with the nearest known word; an empty string if none is near."""
    import difflib  # noqa: PLC0415  4 ms that only a mistake needs

    words = list(known)
    nearest = [each for each in words if each.lower() == word.lower()]
    nearest = nearest or difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"; did you mean `{nearest[0]}`?" if nearest else ""


def printable(text: str, *, max_length: int = 300) -> str:
    """Return text of a server as one line: cut to a length, and with control characters escaped.

    Escape sequences could otherwise redraw the terminal.
    """
    line = " ".join(text[: max_length * 4].split())
    safe = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in line
    )
    return safe if len(safe) <= max_length else f"{safe[: max_length - 1]}…"

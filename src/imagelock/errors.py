"""Every failure that imagelock reports on purpose.

    ImagelockError
    ├── InvalidDigestError · InvalidPlatformError · InvalidReferenceError      a word that a person wrote
    ├── InvalidSelectorError                                                   which tags are wanted
    ├── ImagesFileError                                                        images.toml: every problem in it
    ├── LockfileError                                                          images.lock can't be read, or isn't ours
    │   └── StaleLockfileError                                                 images.lock doesn't answer images.toml
    ├── CheckFailedError                                                       the answer to a question is no
    ├── DocumentError                                                          a template or a pinned file
    ├── FileError                                                              the disk said no
    ├── ProjectBusyError · ProjectChangedError                                 another run or editor was faster
    ├── RegistryError                                                          what a registry or a layout answered
    │   ├── ImageNotFoundError · AuthenticationError
    │   │   └── NoTagError                                                     tags, but none that a range takes
    │   ├── InvalidContentError                                                bytes that must not be believed
    │   │   └── NoImageError                                                   a chart, a signature or the like
    │   └── TemporaryError                                                     no answer, 429, 5xx: later may do
    └── BatchError                                                             all failures of one run

Errors are named for what the reader has to do next. Each one says *what* in its message, *where and why* in its
details, and what to type in its hint; ``cli`` alone prints them and picks the exit code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum

_SHOWN_NAMES = 4
_SAME_DETAILS = 4
"""So many failures with equal details share them."""


class ExitCode(IntEnum):
    """The four answers that a script can tell apart."""

    DONE = 0
    """Done, or yes."""
    NO = 1
    """The answer is no: stale, drifted, dead. Only from commands that ask a question."""
    CANNOT = 2
    """It can't be done as asked: usage, a bad file, no such image, login refused."""
    TRY_AGAIN = 3
    """It can't be done now: no answer, a time-out, too many requests."""


class ImagelockError(Exception):
    """A failure with a message for people, lines of detail, and a hint that names one command."""

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
        """Where several problems need several things to be done."""


class InvalidDigestError(ImagelockError):
    """A digest that isn't ``sha256:`` or ``sha512:`` and lower-case hexadecimal digits of the right number."""


class InvalidPlatformError(ImagelockError):
    """A platform that isn't ``os/architecture[/variant]``."""


class InvalidReferenceError(ImagelockError):
    """A text that Docker, podman and BuildKit would refuse as an image reference, too."""


class InvalidSelectorError(ImagelockError):
    """A range, a pattern or a tag that can't be understood; ``field`` is the key of images.toml that says it."""

    def __init__(self, message: str, *, field: str, details: Iterable[str] = (), hint: str | None = None) -> None:
        super().__init__(message, details=details, hint=hint)
        self.field = field


class ImagesFileError(ImagelockError):
    """images.toml can't be used; the details list every problem in it."""


class LockfileError(ImagelockError):
    """images.lock can't be read, or was written by something else."""


class StaleLockfileError(LockfileError):
    """images.lock doesn't answer images.toml, and the command needs one that does."""


class CheckFailedError(ImagelockError):
    """The answer to the question that the command was asked is no."""

    exit_code = ExitCode.NO


class DocumentError(ImagelockError):
    """A file with image references that can't be rendered or pinned."""


class FileError(ImagelockError):
    """A file that can't be read or written."""


class ProjectBusyError(ImagelockError):
    """Another run is changing the project, and did not finish in time."""

    exit_code = ExitCode.TRY_AGAIN


class ProjectChangedError(ImagelockError):
    """A file changed between the moment it was read and the moment of writing; nothing was written."""

    exit_code = ExitCode.TRY_AGAIN


class RegistryError(ImagelockError):
    """What a registry, or an OCI layout on disk, answered instead of content."""


class ImageNotFoundError(RegistryError):
    """No such repository, tag, digest or platform there."""


class PlatformNotFoundError(ImageNotFoundError):
    """The image is there, and not for exactly one of the wanted platforms."""


class NoTagReason(StrEnum):
    """Why a range takes none of a repository's tags: what the reader has to change differs."""

    SHAPE = "shape"
    """No tag fits the pattern."""
    NONE = "none"
    """Tags fit, and all of their versions lie outside the range."""
    PRERELEASE = "prerelease"
    """Only pre-releases lie in the range."""
    FLOATING = "floating"
    """Only floating tags lie in the range, such as ``3.12`` beside ``3.12.4``."""
    YOUNG = "young"
    """Every tag in the range has an image that is too young, or has no date."""


class NoTagError(ImageNotFoundError):
    """A repository has tags, and none that the range takes; the details show the nearest, and why each is refused."""

    def __init__(
        self, message: str, *, reason: NoTagReason, details: Iterable[str] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, details=details, hint=hint)
        self.reason = reason


class AuthenticationError(RegistryError):
    """The registry wants other credentials than those that it was given, or none were found."""


class InvalidContentError(RegistryError):
    """Content that must not be believed: wrong digest, ambiguous JSON, too large, not an image."""


class NoImageError(InvalidContentError):
    """Content that is no image, and that is known as something else: a Helm chart, a signature."""


class TemporaryError(RegistryError):
    """No answer, too many requests, or a failing server: the same command may succeed later."""

    exit_code = ExitCode.TRY_AGAIN


class BatchError(ImagelockError):
    """All failures of one run, by alias; a hint that several share is there once, with their names.

    A single failure is told in the first line, behind ``action``; what follows a ``;`` in the message stays with it.
    It may be worth trying again only if that holds for each of them. ``way_on`` is a hint about what has not failed.
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


def _listing(names: Sequence[str]) -> str:
    """Name the first few, and count the others."""
    shown = names if len(names) <= _SHOWN_NAMES + 1 else names[:_SHOWN_NAMES]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(shown) < len(names) else "")


def join_problems(problems: Iterable[tuple[str, Iterable[str], str | None]]) -> tuple[tuple[str, ...], str | None]:
    """Make the details and the hint of one error from the messages, details and hints of several problems.

    A hint that all of them share comes once, at the end; otherwise each stays with its problem.
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
    """Return ``; did you mean `x`?`` for the nearest known word, or nothing where none is near."""
    import difflib  # noqa: PLC0415  4 ms that only a mistake needs

    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{nearest[0]}`?" if nearest else ""


def printable(text: str, *, max_length: int = 300) -> str:
    """Return text of a server as one line fit for a terminal: cut to a length, and control characters escaped.

    Escape sequences could redraw the screen.
    """
    line = " ".join(text[: max_length * 4].split())
    safe = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in line
    )
    return safe if len(safe) <= max_length else f"{safe[: max_length - 1]}…"

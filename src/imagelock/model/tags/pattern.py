"""Tag patterns, such as ``{version}-bookworm-slim``: literal text with holes for the version, date or build.

Other tools select wrong tags because they guess where a version ends. With a pattern, the literal text must be equal,
and the whole tag must match.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Self

from imagelock.errors import InvalidSelectorError, did_you_mean
from imagelock.model.frozen import frozen

# These are strings, compiled by `re` at their first use, because runs without ranges need none of them.
NUMBERS = r"[0-9]+(?:\.[0-9]+)*"
SUFFIX = r"[-_.]?(?i:alpha|beta|preview|pre|dev|post|rc|a|b|c)(?:[-_.]?[0-9]+)?"

_HOUR = "(?:[01][0-9]|2[0-3])"
_SIXTY = "[0-5][0-9]"
_TIME = rf"[-.T]?(?P<hour>{_HOUR})[-.]?(?P<minute>{_SIXTY})(?:[-.]?(?P<second>{_SIXTY}))?Z?"
_DAY = "(?P<day>0[1-9]|[12][0-9]|3[01])"
DATE = rf"(?P<year>[12][0-9]{{3}})[-.]?(?P<month>0[1-9]|1[0-2])(?:[-.]?{_DAY}(?:{_TIME})?)?"
"""From ``2024-06`` to ``2024-06-13T22-53-53Z``, with or without the separators."""

_DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
_SERIAL_DIGITS = 6
_COMMIT = r"(?=[0-9]*[a-f])[0-9a-f]{7,40}"


def is_serial(numbers: str) -> bool:
    """Return whether the first number is a date or a counter: six digits or more, as in ``20240606``."""
    return len(numbers.partition(".")[0]) >= _SERIAL_DIGITS


def is_prerelease_suffix(suffix: str) -> bool:
    """Return whether a suffix marks a pre-release; ``post`` does not."""
    return bool(suffix) and not suffix.lstrip("-_.").lower().startswith("post")


def is_commit(text: str) -> bool:
    """Return whether a version is a git commit: ``1a23456`` would be parsed as 1, alpha 23456."""
    return re.fullmatch(_COMMIT, text, re.ASCII) is not None


def next_breaking_release(numbers: str) -> str:
    """Return the next release with breaking changes: 4 for ``3.12.4``, 0.5 for ``0.4.2``."""
    first, *others = numbers.split(".")
    if int(first) > 0 or not others:
        return str(int(first) + 1)
    return f"0.{int(others[0]) + 1}"


def leading_numbers(version: str) -> str:
    """Return the numbers of a version, without ``v`` and suffix: ``3.13.0`` of ``v3.13.0b2``."""
    match = re.match(rf"v?({NUMBERS})", version, re.ASCII)
    return match[1] if match else ""


def date_version(date: re.Match[str]) -> str:
    """Return a match of ``DATE`` as a version, with all its parts: 2024.6.13 for ``20240613``."""
    return ".".join(str(int(date[part])) for part in _DATE_PARTS if date[part])


_HOLES = {
    "version": rf"(?P<version>v?(?P<numbers>{NUMBERS})(?P<suffix>{SUFFIX})?)",
    "date": rf"(?P<date>{DATE})",
    "build": rf"(?P<build>{NUMBERS})",
}
_VERSION_AFTER_V = rf"(?P<version>(?P<numbers>{NUMBERS})(?P<suffix>{SUFFIX})?)"
_HOLE = r"\{([^{}]*)\}"
_LITERAL = r"[A-Za-z0-9_.-]*"
_MAX_TAG_LENGTH = 128
_VARIANT_START = "{version}-"


@frozen
class TagPattern:
    """Literal text with one hole for the version or the date, and at most one for the build."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a pattern; ``InvalidSelectorError`` names the wrong hole or character."""
        if len(text) > 2 * _MAX_TAG_LENGTH:
            raise _error(f"is longer than {2 * _MAX_TAG_LENGTH} characters, and a tag has {_MAX_TAG_LENGTH} at most")
        literals, holes = _split(text)
        _refuse_unknown_holes(holes)
        _refuse_literals(text, literals)
        _refuse_wrong_number_of_holes(text, holes)
        return cls(text)

    @classmethod
    def of_variant(cls, variant: str) -> Self:
        """Return the pattern of ``variant = "slim"``: ``{version}-slim``."""
        if not variant or not _is_literal(variant):
            raise InvalidSelectorError(f"`{variant}` cannot be the end of a tag", field="variant")
        return cls(f"{_VARIANT_START}{variant}")

    @property
    def variant(self) -> str | None:
        """The value of ``variant`` for this pattern, if there is one: the text after ``{version}-``."""
        ending = self.text.removeprefix(_VARIANT_START)
        return ending if ending and self.text.startswith(_VARIANT_START) and "{" not in ending else None

    def match(self, tag: str) -> re.Match[str] | None:
        """Match a whole tag, with the groups ``version`` (``numbers``, ``suffix``) or ``date``, and ``build``."""
        return _expression(self.text).fullmatch(tag) if len(tag) <= _MAX_TAG_LENGTH else None

    def __str__(self) -> str:
        return self.text


ANY_TAG = TagPattern("{version}")
"""The pattern of a range without ``variant`` and ``tag``."""


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    literals, holes = _split(pattern)
    parts = [re.escape(literals[0])]
    for before, hole, after in zip(literals, holes, literals[1:], strict=False):
        # The v of `v{version}` is literal, so that the version has none: `vv1.2` does not match.
        after_v = hole == "version" and before.endswith("v")
        parts += [_VERSION_AFTER_V if after_v else _HOLES[hole], re.escape(after)]
    return re.compile("".join(parts), re.ASCII)


def _split(pattern: str) -> tuple[list[str], list[str]]:
    pieces = re.split(_HOLE, pattern)
    return pieces[::2], pieces[1::2]


def _is_literal(text: str) -> bool:
    return re.fullmatch(_LITERAL, text, re.ASCII) is not None


def _refuse_unknown_holes(holes: list[str]) -> None:
    for hole in holes:
        if hole not in _HOLES:
            guess = did_you_mean(f"{{{hole}}}", [f"{{{known}}}" for known in _HOLES])
            raise _error(f"`{{{hole}}}` is not a hole{guess}", hint="the holes are {version}, {date} and {build}")


def _refuse_literals(text: str, literals: list[str]) -> None:
    for literal in literals:
        if not _is_literal(literal):
            sign = next(sign for sign in literal if not _is_literal(sign))
            raise _error(f"`{text}` has a `{sign}`, which no tag can have")
    if literals[0].startswith((".", "-")):
        raise _error(f"`{text}` starts with `{literals[0][0]}`, which no tag does")
    if not all(literals[1:-1]):
        raise _error(f"`{text}` has two holes with nothing between them")


def _refuse_wrong_number_of_holes(text: str, holes: list[str]) -> None:
    versions = [f"{{{hole}}}" for hole in holes if hole != "build"]
    if not versions:
        raise _error(f"`{text}` has no hole for the version", hint="write `{version}` or `{date}` in its place")
    if len(versions) > 1:
        raise _error(f"`{text}` has more than one hole for the version: {' and '.join(versions)}")
    if len(holes) - len(versions) > 1:
        raise _error(f"`{text}` has more than one `{{build}}`")


def _error(message: str, hint: str | None = None) -> InvalidSelectorError:
    return InvalidSelectorError(message, field="tag", hint=hint)

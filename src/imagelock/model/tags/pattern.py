"""Patterns with holes, such as ``{version}-bookworm-slim``: the position of the version in a tag.

Guessing where a version ends is what other tools' wrong picks have in common. A pattern doesn't guess: its literal
text is compared exactly, and the whole tag must match.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Self

from imagelock.errors import InvalidSelectorError, did_you_mean
from imagelock.model.frozen import frozen

# These are text, and compiled by `re` when they are first used, because runs without ranges use none of them.
NUMBERS = r"[0-9]+(?:\.[0-9]+)*"
SUFFIX = r"[-_.]?(?i:alpha|beta|preview|pre|dev|post|rc|a|b|c)(?:[-_.]?[0-9]+)?"

_HOUR = "(?:[01][0-9]|2[0-3])"
_SIXTY = "[0-5][0-9]"
_TIME = rf"[-.T]?(?P<hour>{_HOUR})[-.]?(?P<minute>{_SIXTY})(?:[-.]?(?P<second>{_SIXTY}))?Z?"
_DAY = "(?P<day>0[1-9]|[12][0-9]|3[01])"
DATE = rf"(?P<year>[12][0-9]{{3}})[-.]?(?P<month>0[1-9]|1[0-2])(?:[-.]?{_DAY}(?:{_TIME})?)?"
"""From ``2024-06`` to ``2024-06-13T22-53-53Z``, and the same without the signs."""

_DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
_SERIAL_DIGITS = 6
_COMMIT = r"(?=[0-9]*[a-f])[0-9a-f]{7,40}"


def is_serial(numbers: str) -> bool:
    """Whether the first number counts days or builds: six digits or more, as in ``20240606`` and ``1234567``."""
    return len(numbers.partition(".")[0]) >= _SERIAL_DIGITS


def is_prerelease_suffix(suffix: str) -> bool:
    """Whether the word after the numbers makes a version older than them; ``post`` makes it newer."""
    return bool(suffix) and not suffix.lstrip("-_.").lower().startswith("post")


def is_commit(text: str) -> bool:
    """Whether a version is really a git commit: ``1a23456`` reads as 1, alpha 23456."""
    return re.fullmatch(_COMMIT, text, re.ASCII) is not None


def next_breaking_release(numbers: str) -> str:
    """Name the first release that may break what works with this one: ``3.12.4`` gives 4, ``0.4.2`` gives 0.5."""
    first, *others = numbers.split(".")
    if int(first) > 0 or not others:
        return str(int(first) + 1)
    return f"0.{int(others[0]) + 1}"


def leading_numbers(version: str) -> str:
    """Drop the ``v`` and all that follows the numbers: ``3.13.0`` of ``v3.13.0b2``."""
    match = re.match(rf"v?({NUMBERS})", version, re.ASCII)
    return match[1] if match else ""


def date_version(date: re.Match[str]) -> str:
    """Write a match of ``DATE`` as a version: 2024.6.13 for ``20240613``, and on to the second if it goes that far."""
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
    """Literal text with a hole for the version or the date, and perhaps one for the build."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pattern; ``InvalidSelectorError`` says which hole or sign is wrong."""
        if len(text) > 2 * _MAX_TAG_LENGTH:
            raise _error(f"is longer than {2 * _MAX_TAG_LENGTH} characters, and a tag has {_MAX_TAG_LENGTH} at most")
        literals, holes = _split(text)
        _refuse_unknown_holes(holes)
        _refuse_literals(text, literals)
        _refuse_wrong_number_of_holes(text, holes)
        return cls(text)

    @classmethod
    def of_variant(cls, variant: str) -> Self:
        """Make the pattern that ``variant = "slim"`` is short for: ``{version}-slim``."""
        if not variant or not _is_literal(variant):
            raise InvalidSelectorError(f"`{variant}` can't be the end of a tag", field="variant")
        return cls(f"{_VARIANT_START}{variant}")

    @property
    def variant(self) -> str | None:
        """The text after ``{version}-``, for patterns that ``variant`` can write."""
        ending = self.text.removeprefix(_VARIANT_START)
        return ending if ending and self.text.startswith(_VARIANT_START) and "{" not in ending else None

    def match(self, tag: str) -> re.Match[str] | None:
        """Match a whole tag; the groups are ``version`` (``numbers``, ``suffix``) or ``date``, and ``build``."""
        return _expression(self.text).fullmatch(tag) if len(tag) <= _MAX_TAG_LENGTH else None

    def __str__(self) -> str:
        return self.text


ANY_TAG = TagPattern("{version}")
"""What a range means that has neither ``variant`` nor ``tag``."""


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    literals, holes = _split(pattern)
    parts = [re.escape(literals[0])]
    for before, hole, after in zip(literals, holes, literals[1:], strict=False):
        # The v of `v{version}` is spent: `vv1.2` is no version.
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

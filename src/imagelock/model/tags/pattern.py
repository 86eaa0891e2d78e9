"""Patterns with holes, such as ``{version}-bookworm-slim``: where in a tag its version stands.

Guessing where a version ends is what other tools' wrong picks have in common. A pattern doesn't guess: its literal
text is compared exactly, and the whole tag must match.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Self

from imagelock.errors import InvalidSelectorError
from imagelock.model.frozen import frozen
from imagelock.model.tags.grammar import DATE, NUMBERS, SUFFIX
from imagelock.suggestions import did_you_mean

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
        raise _error(f"`{text}` has no hole for the version", hint="write `{version}` or `{date}` where it stands")
    if len(versions) > 1:
        raise _error(f"`{text}` has more than one hole for the version: {' and '.join(versions)}")
    if len(holes) - len(versions) > 1:
        raise _error(f"`{text}` has more than one `{{build}}`")


def _error(message: str, hint: str | None = None) -> InvalidSelectorError:
    return InvalidSelectorError(message, field="tag", hint=hint)

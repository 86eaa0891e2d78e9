"""Guesses at the pattern behind a tag: for suggestions, lists and what `add` writes, never for a choice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagelock.model.frozen import frozen
from imagelock.model.tags.grammar import DATE, NUMBERS, SUFFIX, date_version, is_commit, is_serial
from imagelock.model.tags.pattern import TagPattern

_END = r"(?![0-9A-Za-z]|\.[0-9])"
_VERSIONED = (
    rf"(?P<before>[A-Za-z]+[-_.])?v?(?P<version>(?P<numbers>{NUMBERS})(?:{SUFFIX})?){_END}"
    rf"(?:(?P<joint>[-_])(?P<build>{NUMBERS}){_END})?(?P<after>.*)"
)
_DATED = rf"(?<![0-9]){DATE}(?![0-9])"


@frozen
class TagReading:
    """A tag taken apart: ``17.0.2_8-jre`` is 17.0.2 in ``{version}_{build}-jre``."""

    pattern: TagPattern
    version: str
    """As a specifier names it, without the build."""
    is_date: bool


def read_tag(tag: str) -> TagReading | None:
    """Guess where the version of a tag stands; a tag with a commit in it, such as ``v3.9.0-177-ged5bcde``, has none."""
    if any(is_commit(piece.removeprefix("g")) for piece in re.split("[-_.]", tag)):
        return None
    dated = _find_date(tag)
    versioned = re.fullmatch(_VERSIONED, tag, re.ASCII)
    if versioned and _is_version(versioned) and not (dated and dated.start() == versioned.start("numbers")):
        return TagReading(_version_pattern(versioned), versioned["version"], is_date=False)
    if dated:
        pattern = TagPattern(f"{tag[: dated.start()]}{{date}}{tag[dated.end() :]}")
        return TagReading(pattern, date_version(dated), is_date=True)
    return None


def _find_date(tag: str) -> re.Match[str] | None:
    """Find a date with a day and without dots: ``2024.06.01`` is a version like any other."""
    dates: Iterator[re.Match[str]] = re.finditer(_DATED, tag, re.ASCII)
    return next((date for date in dates if date["day"] and "." not in date[0]), None)


def _is_version(match: re.Match[str]) -> bool:
    """Tell ``python-3.12`` from ``pr-12``, and both from a serial number."""
    return not is_serial(match["numbers"]) and not (match["before"] and "." not in match["numbers"])


def _version_pattern(match: re.Match[str]) -> TagPattern:
    build = f"{match['joint']}{{build}}" if match["build"] else ""
    return TagPattern(f"{match['before'] or ''}{{version}}{build}{match['after']}")

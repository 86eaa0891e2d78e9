"""Patterns that are too short: ``{version}-jre`` reads ``17-jre``, and can't see ``17.0.2_8-jre`` beside it.

A range takes what its pattern reads, and that would be a floating tag without any sign of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from imagelock.model.frozen import frozen
from imagelock.model.tags.guess import read_tag
from imagelock.model.tags.pattern import TagPattern

_HOLES = r"\{.*\}"


@frozen
class LongerPattern:
    """A pattern that reads more of a repository's tags with the same ending, and more exact ones."""

    pattern: TagPattern
    example: str

    def __str__(self) -> str:
        return f"most tags with that ending have more numbers, such as {self.example}: `{self.pattern}` reads it"


def find_longer_pattern(wanted: TagPattern, chosen: str, tags: Iterable[str]) -> LongerPattern | None:
    """Find the pattern to propose if most tags around the same text have more numbers than the chosen one."""
    count = _count_numbers(chosen)
    longer: dict[str, list[str]] = {}
    fewer = 0
    for tag in sorted(tags):
        reading = read_tag(tag)
        if reading is None or reading.is_date or _surroundings(reading.pattern) != _surroundings(wanted):
            continue
        if _count_numbers(tag) > count and wanted.match(tag) is None:
            longer.setdefault(reading.pattern.text, []).append(tag)
        else:
            fewer += 1
    found = sum(map(len, longer.values()))
    if found <= fewer:
        return None
    pattern, examples = max(longer.items(), key=lambda item: len(item[1]))
    return LongerPattern(TagPattern(pattern), examples[-1])


def _surroundings(pattern: TagPattern) -> tuple[str, ...]:
    """Take the literal text before the first hole and after the last one."""
    return tuple(re.split(_HOLES, pattern.text))


def _count_numbers(tag: str) -> int:
    """Count a version's numbers together with its build's."""
    reading = read_tag(tag)
    if reading is None:
        return 0
    match = reading.pattern.match(tag)
    if match is None:
        return 0
    groups = match.groupdict()
    return sum(len(groups[part].split(".")) for part in ("numbers", "build") if groups.get(part))

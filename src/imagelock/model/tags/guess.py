"""Guess the pattern of a tag, for suggestions, lists and what `add` writes, never to select a tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from imagelock.model.frozen import frozen
from imagelock.model.tags.pattern import DATE, NUMBERS, SUFFIX, TagPattern, date_version, is_commit, is_serial

_END = r"(?![0-9A-Za-z]|\.[0-9])"
_VERSIONED = (
    rf"(?P<before>[A-Za-z]+[-_.])?v?(?P<version>(?P<numbers>{NUMBERS})(?:{SUFFIX})?){_END}"
    rf"(?:(?P<joint>[-_])(?P<build>{NUMBERS}){_END})?(?P<after>.*)"
)
_DATED = rf"(?<![0-9]){DATE}(?![0-9])"


@frozen
class PatternGuess:
    """The pattern and version of a tag: for ``17.0.2_8-jre`` ``{version}_{build}-jre`` and 17.0.2."""

    pattern: TagPattern
    version: str
    """As in a specifier, without the build."""
    is_date: bool


def guess_pattern(tag: str) -> PatternGuess | None:
    """Return the guessed pattern of a tag; ``None`` for one with a git commit, as ``v3.9.0-177-ged5bcde``."""
    if any(is_commit(piece.removeprefix("g")) for piece in re.split("[-_.]", tag)):
        return None
    dated = _find_date(tag)
    versioned = re.fullmatch(_VERSIONED, tag, re.ASCII)
    if versioned and _is_version(versioned) and not (dated and dated.start() == versioned.start("numbers")):
        return PatternGuess(_version_pattern(versioned), versioned["version"], is_date=False)
    if dated:
        pattern = TagPattern(f"{tag[: dated.start()]}{{date}}{tag[dated.end() :]}")
        return PatternGuess(pattern, date_version(dated), is_date=True)
    return None


def _find_date(tag: str) -> re.Match[str] | None:
    """Return the first date with a day and without dots: ``2024.06.01`` is an ordinary version."""
    dates: Iterator[re.Match[str]] = re.finditer(_DATED, tag, re.ASCII)
    return next((date for date in dates if date["day"] and "." not in date[0]), None)


def _is_version(match: re.Match[str]) -> bool:
    """Return whether numbers are a version: as in ``python-3.12``, and not in ``pr-12`` or a serial number."""
    return not is_serial(match["numbers"]) and not (match["before"] and "." not in match["numbers"])


def _version_pattern(match: re.Match[str]) -> TagPattern:
    build = f"{match['joint']}{{build}}" if match["build"] else ""
    return TagPattern(f"{match['before'] or ''}{{version}}{build}{match['after']}")


_HOLES = r"\{.*\}"


@frozen
class LongerPattern:
    """A pattern for more, and more exact, tags of a repository with the same ending."""

    pattern: TagPattern
    example: str

    def __str__(self) -> str:
        return f"most tags with that ending have more numbers, such as {self.example}: `{self.pattern}` reads it"


def find_longer_pattern(wanted: TagPattern, chosen: str, tags: Iterable[str]) -> LongerPattern | None:
    """Return a pattern to suggest if most tags with the same literal text have more numbers than the chosen one."""
    count = _count_numbers(chosen)
    longer: dict[str, list[str]] = {}
    fewer = 0
    for tag in sorted(tags):
        guess = guess_pattern(tag)
        if guess is None or guess.is_date or _surroundings(guess.pattern) != _surroundings(wanted):
            continue
        if _count_numbers(tag) > count and wanted.match(tag) is None:
            longer.setdefault(guess.pattern.text, []).append(tag)
        else:
            fewer += 1
    found = sum(map(len, longer.values()))
    if found <= fewer:
        return None
    pattern, examples = max(longer.items(), key=lambda item: len(item[1]))
    return LongerPattern(TagPattern(pattern), examples[-1])


def _surroundings(pattern: TagPattern) -> tuple[str, ...]:
    """Return the literal text before the first hole and after the last."""
    return tuple(re.split(_HOLES, pattern.text))


def _count_numbers(tag: str) -> int:
    """Return the number of components of a tag's version and build together."""
    guess = guess_pattern(tag)
    if guess is None:
        return 0
    match = guess.pattern.match(tag)
    if match is None:
        return 0
    groups = match.groupdict()
    return sum(len(groups[part].split(".")) for part in ("numbers", "build") if groups.get(part))

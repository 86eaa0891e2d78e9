"""Remarks on the tag that a range selects: it floats, or other variants have newer versions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from imagelock.model.tags.guess import guess_pattern
from imagelock.model.tags.match import Candidate, Mismatch, find_candidates, match_tags
from imagelock.model.tags.pattern import TagPattern
from imagelock.model.tags.version_range import VersionRange

_SHOWN = 3
_NUMBERS = re.compile(r"v?([0-9]{1,18}(?:\.[0-9]{1,18}){0,9})", re.ASCII)


def find_remarks(wanted: VersionRange, chosen: str, tags: Iterable[str]) -> tuple[str, ...]:
    """Return the remarks on the chosen tag, given the complete list of tags."""
    tags = frozenset(tags)
    [candidate] = find_candidates(wanted.pattern, [chosen]) or (None,)
    if candidate is None:
        return ()
    found = (_floating_prerelease(wanted, candidate, tags), _other_variants(wanted, candidate, tags))
    return tuple(remark for remark in found if remark is not None)


def _floating_prerelease(wanted: VersionRange, chosen: Candidate, tags: frozenset[str]) -> str | None:
    """Return a remark on a tag such as ``3.14-rc``, which is pushed again for each pre-release."""
    if not chosen.version.is_prerelease:
        return None
    more_exact = next(
        (
            match.more_exact
            for match in match_tags(wanted, tags | {chosen.tag})
            if match.candidate == chosen and Mismatch.FLOATING in match.mismatches
        ),
        None,
    )
    if more_exact is not None:
        return f"{chosen.tag} is a floating tag of a pre-release: {more_exact} is more exact"
    if chosen.text[-1].isalpha():
        return f"{chosen.tag} is a floating tag of a pre-release: the next one may be pushed under it"
    return None


def _other_variants(wanted: VersionRange, chosen: Candidate, tags: frozenset[str]) -> str | None:
    """Return a remark on newer versions in the range under other variants: ``20.15.0-buster`` was the last one.

    One other variant alone may be a nightly build: there must be two, or the plain version.
    """
    pattern = wanted.pattern
    if "{date}" in pattern.text or pattern.text == "{version}" or chosen.serial:
        return None
    specifier = SpecifierSet(wanted.version if wanted.clauses else "")
    beginning = pattern.text.partition("{")[0]
    newer: defaultdict[Version, dict[TagPattern, str]] = defaultdict(dict)
    for tag in sorted(tag for tag in tags if _may_be_newer(tag, beginning, chosen)):
        guess = guess_pattern(tag)
        if guess is None or guess.is_date or guess.pattern == pattern or not guess.pattern.text.startswith(beginning):
            continue
        version = Version(guess.version)
        is_newer = version > Version(chosen.version.public) and not version.is_prerelease
        if is_newer and specifier.contains(version, prereleases=True):
            newer[version].setdefault(guess.pattern, tag)
    for version in sorted(newer, reverse=True):
        others = newer[version]
        if len(others) > 1 or any(other.text == f"{beginning}{{version}}" for other in others):
            shown = ", ".join(sorted(others.values(), key=lambda tag: (len(tag), tag))[:_SHOWN])
            return f"{chosen.tag} is the newest of `{pattern}`, and other variants go on to {version}: {shown}"
    return None


def _may_be_newer(tag: str, beginning: str, chosen: Candidate) -> bool:
    """Return whether the numbers of a tag are not lower, a quick filter for lists of ten thousand tags."""
    numbers = _NUMBERS.match(tag, len(beginning)) if tag.startswith(beginning) else None
    if numbers is None:
        return False
    components = tuple(map(int, numbers[1].split(".")))
    return len(components) >= len(chosen.components) and components >= chosen.components

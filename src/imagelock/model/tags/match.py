"""Match tags against a range: every candidate with all of its mismatches.

A tag without a mismatch may be selected. All mismatches are kept, and not only the first, so that an error can
distinguish a tag that is only floating from one that is also out of range.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from imagelock.model.frozen import frozen
from imagelock.model.tags.guess import guess_pattern
from imagelock.model.tags.pattern import TagPattern, date_version, is_commit, is_serial
from imagelock.model.tags.version_range import VersionRange

_NO_VERSION = Version("0")


@frozen
class Candidate:
    """A tag that fits the pattern, and its version."""

    tag: str
    text: str
    """The version as in a specifier: ``22.04``, ``17.0.2+8``, ``2024.6.13``."""
    version: Version
    components: tuple[int, ...]
    """The numbers as written: 22.04 has two, although its ``Version`` equals that of 22.4.0."""
    serial: bool
    serial_build: bool | None
    """``None`` if the pattern has no ``{build}``."""
    starts_with_v: bool

    @property
    def rank(self) -> tuple[Version, int, bool, int]:
        """The sort key: version, then more numbers, then without ``v``, then shorter."""
        return (self.version, len(self.components), not self.starts_with_v, -len(self.tag))


def find_candidates(pattern: TagPattern, tags: Iterable[str]) -> tuple[Candidate, ...]:
    """Return the tags that fit a pattern, newest first."""
    candidates = (_read(pattern, tag) for tag in sorted(set(tags)))
    # Sorting is stable, also in reverse: equal ranks keep the order of their tags' text.
    return tuple(sorted(filter(None, candidates), key=lambda candidate: candidate.rank, reverse=True))


def _read(pattern: TagPattern, tag: str) -> Candidate | None:
    match = pattern.match(tag)
    if match is None:
        return None
    groups = match.groupdict()
    written = groups.get("version")
    if written is None:
        numbers = version = date_version(match)
    elif is_commit(written):
        return None
    else:
        numbers, version = groups["numbers"], written.removeprefix("v")
    build = groups.get("build")
    text = f"{version}+{build}" if build else version
    return Candidate(
        tag=tag,
        text=text,
        version=Version(text),
        components=tuple(map(int, numbers.split("."))),
        serial=is_serial(numbers),
        serial_build=is_serial(build) if build else None,
        starts_with_v=written is not None and written.startswith("v"),
    )


class Mismatch(Enum):
    """A rule that excludes a tag, in the order of messages."""

    OTHER_KIND = auto()
    """A serial number among versions, or a version among serial numbers."""
    OTHER_BUILD_KIND = auto()
    OUTSIDE = auto()
    """The specifier does not contain the version."""
    PRERELEASE = auto()
    PRECISION = auto()
    FLOATING = auto()
    """Another candidate has the same numbers and more: 3.12 beside 3.12.4 is not 3.12.0."""


@frozen
class RangeMatch:
    """A candidate and its mismatches."""

    candidate: Candidate
    mismatches: tuple[Mismatch, ...]
    more_exact: str | None
    """For a floating tag, the highest tag with the same first numbers."""


def match_tags(wanted: VersionRange, tags: Iterable[str]) -> tuple[RangeMatch, ...]:
    """Match the tags that fit the pattern, newest first; a range selects the first without a mismatch."""
    matcher = _RangeMatcher.for_candidates(wanted, find_candidates(wanted.pattern, tags))
    return tuple(matcher.match(candidate) for candidate in matcher.candidates)


_ReleaseKey = tuple[bool, tuple[int, ...]]


@frozen(kw_only=True)
class _RangeMatcher:
    """The state of the rules: the range, and the properties of all candidates together."""

    wanted: VersionRange
    candidates: tuple[Candidate, ...]
    specifier: SpecifierSet
    takes_prereleases: bool
    takes_serials: bool
    takes_serial_builds: bool
    more_exact: dict[_ReleaseKey, str]

    @classmethod
    def for_candidates(cls, wanted: VersionRange, candidates: tuple[Candidate, ...]) -> _RangeMatcher:
        serials = [clause.is_serial for clause in wanted.clauses]
        takes_serials = _wants_serials(serials, [it.serial for it in candidates])
        alike = [it for it in candidates if it.serial == takes_serials]
        builds = [is_serial(clause.build) for clause in wanted.clauses if clause.build]
        takes_serial_builds = _wants_serials(builds, [it.serial_build for it in alike])
        alike = [it for it in alike if it.serial_build in (None, takes_serial_builds)]
        return cls(
            wanted=wanted,
            candidates=candidates,
            specifier=SpecifierSet(wanted.version if wanted.clauses else ""),
            takes_prereleases=wanted.prereleases or any(it.asks_for_prereleases for it in wanted.clauses),
            takes_serials=takes_serials,
            takes_serial_builds=takes_serial_builds,
            more_exact=_find_more_exact(alike) if wanted.precision is None else {},
        )

    def match(self, candidate: Candidate) -> RangeMatch:
        more_exact = self.more_exact.get(_release_key(candidate))
        return RangeMatch(candidate, tuple(self._mismatches(candidate)), more_exact)

    def _mismatches(self, candidate: Candidate) -> Iterator[Mismatch]:
        if candidate.serial != self.takes_serials:
            # No other rule applies: a serial number is neither older than a version nor floating beside it.
            yield Mismatch.OTHER_KIND
            return
        if candidate.serial_build not in (None, self.takes_serial_builds):
            yield Mismatch.OTHER_BUILD_KIND
        # Always with `prereleases=`: without it, packaging 26 accepts pre-releases that 25 did not.
        if not self.specifier.contains(candidate.version, prereleases=True):
            yield Mismatch.OUTSIDE
        if candidate.version.is_prerelease and not self.takes_prereleases:
            yield Mismatch.PRERELEASE
        if self.wanted.precision not in (None, len(candidate.components)):
            yield Mismatch.PRECISION
        if _release_key(candidate) in self.more_exact:
            yield Mismatch.FLOATING


def _wants_serials(named: list[bool], found: Iterable[bool | None]) -> bool:
    """Return whether the range is over serial numbers: as in the specifier, else only without any version."""
    return any(named) if named else all(found)


def _release_key(candidate: Candidate) -> _ReleaseKey:
    return candidate.version.is_prerelease, candidate.components


def _find_more_exact(candidates: list[Candidate]) -> dict[_ReleaseKey, str]:
    """Return the highest tag that continues the numbers of each floating tag, by those numbers.

    In sorted order all continuations of a release follow it directly, so one pass with a stack finds them.
    """
    tags = {_release_key(candidate): candidate.tag for candidate in reversed(candidates)}
    more_exact: dict[_ReleaseKey, str] = {}
    started: list[_ReleaseKey] = []
    for key in sorted(tags):
        while started and not _continues(key, started[-1]):
            started.pop()
        more_exact.update(dict.fromkeys(started, tags[key]))
        started.append(key)
    return more_exact


def _continues(key: _ReleaseKey, start: _ReleaseKey) -> bool:
    is_prerelease, components = start
    return key[0] == is_prerelease and key[1][: len(components)] == components


def newest_first(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags sorted: with a version, then with a date, newest and shortest first; then the others by name."""
    return tuple(sorted(sorted(set(tags)), key=_newness, reverse=True))


def _newness(tag: str) -> tuple[int, Version, int]:
    guess = guess_pattern(tag)
    if guess is None:
        return 0, _NO_VERSION, 0
    return 1 if guess.is_date else 2, Version(guess.version), -len(tag)

"""Tags read as versions: the tags that fit a range's pattern, in version order.

https://packaging.python.org/specifications/version-specifiers/#summary-of-permitted-suffixes-and-relative-ordering
"""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from imagelock.model.frozen import frozen
from imagelock.model.tags.grammar import date_version, is_commit, is_serial
from imagelock.model.tags.pattern import TagPattern


@frozen
class Candidate:
    """A tag that fits the pattern, and the version that it says it is."""

    tag: str
    text: str
    """The version as a specifier names it: ``22.04``, ``17.0.2+8``, ``2024.6.13``."""
    version: Version
    components: tuple[int, ...]
    """The numbers as written: 22.04 has two, and ``Version`` would say that 22.4.0 is the same."""
    serial: bool
    serial_build: bool | None
    """``None`` where the pattern has no hole for a build."""
    starts_with_v: bool

    @property
    def rank(self) -> tuple[Version, int, bool, int]:
        """Highest version; then more numbers, then without ``v``, then shorter."""
        return (self.version, len(self.components), not self.starts_with_v, -len(self.tag))


def find_candidates(pattern: TagPattern, tags: Iterable[str]) -> tuple[Candidate, ...]:
    """Read the tags that fit, newest first, whatever the order in which the registry listed them."""
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

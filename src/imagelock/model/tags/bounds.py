"""Upper bounds: the ranges that `add` writes.

The highest plain tag of an image isn't always a release: cassandra's 6.0 was an alpha, perl's 5.45.2 a development
series. A range that ends before the next breaking release never chooses those on its own.
"""

from __future__ import annotations

from dataclasses import replace

from imagelock.model.tags.grammar import is_serial, leading_numbers, next_breaking_release
from imagelock.model.tags.guess import read_tag
from imagelock.model.tags.specifier import parse_specifier
from imagelock.model.tags.version_range import VersionRange


def bounded_range_for(tag: str) -> VersionRange | None:
    """Make the range from a tag to its next breaking release, in the same variant; ``None`` if it is no version.

    ``3.12.4-slim`` gives ``>=3.12.4,<4``, ``0.4.2`` gives ``>=0.4.2,<0.5``, ``bookworm-20240612`` gives
    ``>=2024.6.12,<2025``. A build is left open: ``17.0.2_8-jre`` gives ``>=17.0.2,<18`` as ``{version}_{build}-jre``.
    """
    reading = read_tag(tag)
    if reading is None:
        return None
    # A date's time of day would only make the range hard to read.
    version = ".".join(reading.version.split(".")[:3]) if reading.is_date else reading.version
    at_least = VersionRange(clauses=parse_specifier(f">={version}"), pattern=reading.pattern)
    return with_upper_bound(at_least, version=version)


def with_upper_bound(wanted: VersionRange, *, version: str) -> VersionRange:
    """End a range before the next breaking release after a version, which is usually the one that it chooses today.

    Serial numbers have no breaking releases; a range over them stays as it is.
    """
    numbers = leading_numbers(version)
    if is_serial(numbers):
        return wanted
    bound = parse_specifier(f"<{next_breaking_release(numbers)}")
    return replace(wanted, clauses=tuple(sorted({*wanted.clauses, *bound}, key=str)))

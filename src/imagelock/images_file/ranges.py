"""The version range that is written for somebody: always with an upper bound.

Without one, the range would take the next major release on the day it appears, or a development series that looks
like one (see ``tags.bounds``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from imagelock.errors import ImagelockError
from imagelock.model.frozen import frozen
from imagelock.model.reference import AnyRepository
from imagelock.model.tags.pattern import leading_numbers
from imagelock.model.tags.selection import choose_tag
from imagelock.model.tags.specifier import ANY_VERSION, Clause, parse_specifier
from imagelock.model.tags.version_range import VersionRange, bounded_range_for, with_upper_bound

LATEST = "latest"
_DATE_NUMBERS = 3
"""Year, month and day; an image's hour would only make the range hard to read."""


@frozen
class WrittenRange:
    """A range in the words that images.toml is to have."""

    version: str
    wanted: VersionRange

    @property
    def variant(self) -> str | None:
        """The pattern, where ``variant`` can say it."""
        return self.wanted.pattern.variant

    @property
    def tag(self) -> str | None:
        """The pattern, where only ``tag`` can say it."""
        pattern = str(self.wanted.pattern)
        return None if self.variant or pattern == "{version}" else pattern


def range_from_tag(tag: str) -> WrittenRange:
    """Take what a tag has of a version as the beginning of the range: ``20.11-slim`` gives ``>=20.11,<21``."""
    wanted = bounded_range_for(tag)
    if wanted is None:
        raise ImagelockError(
            f"--version: the tag `{tag}` has no version in it", hint="name the range, such as `--version '>=1.2,<2'`"
        )
    return WrittenRange(_for_people(wanted.clauses), wanted)


def bound_range(
    wanted: VersionRange, version: str, list_tags: Callable[[], Iterable[str]], *, repository: AnyRepository
) -> WrittenRange:
    """Give a range its upper bound, which is the next breaking release after the version that it chooses today.

    ``version`` is how somebody spelled the range, or ``latest`` where today's version is to begin it. A range that has
    a bound is left as it is, and nobody is asked.
    """
    if version != LATEST and not wanted.is_unbounded:
        return WrittenRange(version, wanted)
    chosen = choose_tag(wanted, list_tags(), repository=repository)
    numbers = leading_numbers(chosen.version)
    if "{date}" in str(wanted.pattern):
        numbers = ".".join(numbers.split(".")[:_DATE_NUMBERS])
    if version in (LATEST, ANY_VERSION):
        wanted = VersionRange(clauses=parse_specifier(f">={numbers}"), pattern=wanted.pattern)
        version = _for_people(wanted.clauses)
    bounded = with_upper_bound(wanted, version=numbers)
    added = [clause for clause in bounded.clauses if clause not in wanted.clauses]
    return WrittenRange(",".join([version, *map(str, added)]), bounded)


def _for_people(clauses: Iterable[Clause]) -> str:
    """Write the lower bound first, as people do."""
    return ",".join(sorted(map(str, clauses), reverse=True))

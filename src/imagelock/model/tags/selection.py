"""Select a tag of a repository's list for a range, and check whether a locked tag is still in the range.

The list must be complete: with a page missing, another tag would be the newest. `packaging` is imported only for the
first range: the import takes longer than the rest of a run without ranges.
"""

from __future__ import annotations

from collections.abc import Iterable

from imagelock.model.frozen import frozen
from imagelock.model.reference import AnyRepository
from imagelock.model.tags.version_range import VersionRange


@frozen
class Chosen:
    """The tag that a range selects."""

    tag: str
    version: str
    """Its version as in a specifier: ``22.04``, ``17.0.2+8``, ``2024.6.13``."""


@frozen
class TagMatch:
    """A tag of a list, and why a range does not select it."""

    tag: str
    version: str | None
    """``None`` if the tag does not fit the pattern."""
    mismatches: tuple[str, ...]
    """Predicates such as ``is a pre-release``; empty for a tag in the range."""


def rank_tags(
    wanted: VersionRange, tags: Iterable[str], *, repository: AnyRepository, kept: str | None = None
) -> tuple[Chosen, ...]:
    """Return the tags in a range, the best first; ``NoTagError`` if there is none.

    ``kept`` is a locked tag in the range: it remains a candidate if it floats now or is missing in the list.
    """
    from imagelock.model.tags.match import match_tags  # noqa: PLC0415  loads `packaging`
    from imagelock.model.tags.no_tag_error import no_tag_error  # noqa: PLC0415  loads `packaging`

    all_tags = frozenset(tags).union(() if kept is None else (kept,))
    matches = match_tags(wanted, all_tags)
    taken = (it.candidate for it in matches if not it.mismatches or it.candidate.tag == kept)
    ranked = tuple(Chosen(candidate.tag, candidate.text) for candidate in taken)
    if not ranked:
        raise no_tag_error(wanted, matches, all_tags, repository=repository)
    return ranked


def choose_tag(wanted: VersionRange, tags: Iterable[str], *, repository: AnyRepository) -> Chosen:
    """Return the tag that a range selects from all tags of a repository; ``NoTagError`` if there is none."""
    return rank_tags(wanted, tags, repository=repository)[0]


def remarks_on(wanted: VersionRange, chosen: str, tags: Iterable[str]) -> tuple[str, ...]:
    """Return remarks on the selected tag: see ``tags.remarks``."""
    from imagelock.model.tags.remarks import find_remarks  # noqa: PLC0415  loads `packaging`

    return find_remarks(wanted, chosen, tags)


def accepts(wanted: VersionRange, tag: str) -> bool:
    """Return whether a locked tag is still in the range, even if newer ones exist or the registry dropped it.

    A floating tag counts as in the range: to find that out would need the list.
    """
    from imagelock.model.tags.match import match_tags  # noqa: PLC0415  loads `packaging`

    return any(not match.mismatches for match in match_tags(wanted, [tag]))


def review_tags(wanted: VersionRange, tags: Iterable[str]) -> tuple[TagMatch, ...]:
    """Match each tag of a list, newest first, those that do not fit the pattern last."""
    from imagelock.model.tags.match import match_tags  # noqa: PLC0415  loads `packaging`
    from imagelock.model.tags.no_tag_error import explain  # noqa: PLC0415  loads `packaging`

    all_tags = frozenset(tags)
    fitting = tuple(
        TagMatch(match.candidate.tag, match.candidate.text, explain(match, wanted))
        for match in match_tags(wanted, all_tags)
    )
    others = sort_tags(all_tags.difference(match.tag for match in fitting))
    return fitting + tuple(TagMatch(tag, None, (f"does not fit `{wanted.pattern}`",)) for tag in others)


def sort_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags sorted by version, then by date, newest first, then the others by name."""
    from imagelock.model.tags.match import newest_first  # noqa: PLC0415  loads `packaging`

    return newest_first(tags)

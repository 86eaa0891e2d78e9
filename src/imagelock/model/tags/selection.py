"""The choice of a tag: what a range takes from a repository's list, and whether it still takes a locked tag.

The list must be whole: with one page missing, another tag would look like the newest. `packaging` is imported when the
first range is met, and not before, because that takes longer than all else that a run without ranges does.
"""

from __future__ import annotations

from collections.abc import Iterable

from imagelock.model.frozen import frozen
from imagelock.model.reference import AnyRepository
from imagelock.model.tags.version_range import VersionRange


@frozen
class Chosen:
    """The tag that a range takes."""

    tag: str
    version: str
    """The version in it as a specifier names it: ``22.04``, ``17.0.2+8``, ``2024.6.13``."""


@frozen
class TagMatch:
    """A tag of a list, and why a range doesn't take it."""

    tag: str
    version: str | None
    """``None`` if the tag doesn't fit the pattern."""
    mismatches: tuple[str, ...]
    """Predicates such as ``is a pre-release``; empty for a tag that lies in the range."""


def rank_tags(
    wanted: VersionRange, tags: Iterable[str], *, repository: AnyRepository, kept: str | None = None
) -> tuple[Chosen, ...]:
    """List the tags that a range would take, the one that it takes first; ``NoTagError`` explains why there is none.

    ``kept`` is a locked tag that lies in the range: it stays a candidate though it floats now or is not in the list.
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
    """Choose from all tags of a repository, whatever their order; ``NoTagError`` explains why none can be taken."""
    return rank_tags(wanted, tags, repository=repository)[0]


def remarks_on(wanted: VersionRange, chosen: str, tags: Iterable[str]) -> tuple[str, ...]:
    """Say what a person should know of the tag that a range takes: see ``remarks``."""
    from imagelock.model.tags.remarks import find_remarks  # noqa: PLC0415  loads `packaging`

    return find_remarks(wanted, chosen, tags)


def accepts(wanted: VersionRange, tag: str) -> bool:
    """Whether a locked tag still answers; then it is kept, even if newer ones exist or the registry dropped it.

    Whether it floats is not asked: that would need the list.
    """
    from imagelock.model.tags.match import match_tags  # noqa: PLC0415  loads `packaging`

    return any(not match.mismatches for match in match_tags(wanted, [tag]))


def review_tags(wanted: VersionRange, tags: Iterable[str]) -> tuple[TagMatch, ...]:
    """Judge each tag of a list, newest first, those that don't fit last; the range takes the first without refusals."""
    from imagelock.model.tags.match import match_tags  # noqa: PLC0415  loads `packaging`
    from imagelock.model.tags.no_tag_error import explain  # noqa: PLC0415  loads `packaging`

    all_tags = frozenset(tags)
    fitting = tuple(
        TagMatch(match.candidate.tag, match.candidate.text, explain(match, wanted))
        for match in match_tags(wanted, all_tags)
    )
    others = sort_tags(all_tags.difference(verdict.tag for verdict in fitting))
    return fitting + tuple(TagMatch(tag, None, (f"does not fit `{wanted.pattern}`",)) for tag in others)


def sort_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Sort tags by version, then by date, newest first, then the others by name."""
    from imagelock.model.tags.match import newest_first  # noqa: PLC0415  loads `packaging`

    return newest_first(tags)

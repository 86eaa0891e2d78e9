"""``NoTagError``, for a range that selects no tag: the reason, the three nearest tags, and a hint."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import islice

from packaging.specifiers import Specifier
from packaging.version import Version

from imagelock.errors import NoTagError, NoTagReason
from imagelock.model.reference import AnyRepository
from imagelock.model.tags.guess import guess_pattern
from imagelock.model.tags.match import Candidate, Mismatch, RangeMatch, newest_first
from imagelock.model.tags.pattern import TagPattern, leading_numbers
from imagelock.model.tags.specifier import Clause
from imagelock.model.tags.version_range import VersionRange

_ENDS_BELOW = frozenset({">=", ">", "==", "~="})
_ENDS_ABOVE = frozenset({"<=", "<", "==", "~="})


def explain(match: RangeMatch, wanted: VersionRange) -> tuple[str, ...]:
    """Return the mismatches of a tag as predicates, such as ``is a pre-release``."""
    return tuple(reason for mismatch in match.mismatches for reason in _reasons(mismatch, match, wanted))


def is_above(candidate: Candidate, wanted: VersionRange) -> bool:
    """Return whether a tag outside a range is newer than the range."""
    return any(_side(clause, candidate) == "above" for clause in _unmet(candidate, wanted))


def _reasons(mismatch: Mismatch, match: RangeMatch, wanted: VersionRange) -> list[str]:
    candidate = match.candidate
    if mismatch is Mismatch.OUTSIDE:
        return [f"is {_side(clause, candidate)} `{clause}`" for clause in _unmet(candidate, wanted)]
    kind = "a serial number, not a version" if candidate.serial else f"version {candidate.text}, not a serial number"
    reasons = {
        Mismatch.OTHER_KIND: f"is {kind}",
        Mismatch.OTHER_BUILD_KIND: f"has {'a' if candidate.serial_build else 'no'} serial number as its build",
        Mismatch.PRERELEASE: "is a pre-release",
        Mismatch.PRECISION: f"has {len(candidate.components)} numbers, not {wanted.precision}",
        Mismatch.FLOATING: f"floats ({match.more_exact} is more exact)",
    }
    return [reasons[mismatch]]


def _unmet(candidate: Candidate, wanted: VersionRange) -> list[Clause]:
    return [it for it in wanted.clauses if not _specifier(it).contains(candidate.version, prereleases=True)]


def _side(clause: Clause, candidate: Candidate) -> str:
    """Return the position of a version outside a clause; PEP 440 excludes 4.0rc1 from ``<4``, though it is older."""
    bound = _bound(clause)
    if candidate.version < bound and clause.operator in _ENDS_BELOW:
        return "below"
    if candidate.version > bound and clause.operator in _ENDS_ABOVE:
        return "above"
    return "excluded by"


@lru_cache
def _specifier(clause: Clause) -> Specifier:
    return Specifier(str(clause))


@lru_cache
def _bound(clause: Clause) -> Version:
    return Version(clause.version.removesuffix(".*"))


_SHOWN = 3
_MAX_PATTERNS = 500
"""The most patterns to compare: a list with a commit in every tag would have one a tag."""


def no_tag_error(
    wanted: VersionRange, matches: Sequence[RangeMatch], tags: Collection[str], *, repository: AnyRepository
) -> NoTagError:
    """Return the error for matches that all have mismatches; ``tags`` is the complete list."""
    if not matches:
        return _nothing_fits(wanted, tags, repository)
    floating = [it for it in matches if it.mismatches == (Mismatch.FLOATING,)]
    if floating:
        return _only_floating(wanted, floating, repository)
    prereleases = [it for it in matches if set(it.mismatches) <= {Mismatch.PRERELEASE, Mismatch.FLOATING}]
    if prereleases:
        return _only_prereleases(wanted, prereleases, repository)
    return _nothing_in_range(wanted, matches, tags, repository)


def _only_floating(wanted: VersionRange, floating: Sequence[RangeMatch], repository: AnyRepository) -> NoTagError:
    newest = floating[0].candidate
    return NoTagError(
        f"only floating tags of {repository} are in `{wanted.shown}`",
        reason=NoTagReason.FLOATING,
        details=_lines(floating[:_SHOWN], wanted),
        hint=f"write `=={leading_numbers(newest.text)}.*` for the newest of them,"
        f" or `precision = {len(newest.components)}` to lock floating tags",
    )


def _only_prereleases(wanted: VersionRange, prereleases: list[RangeMatch], repository: AnyRepository) -> NoTagError:
    full_first = sorted(prereleases, key=lambda it: len(it.mismatches))
    return NoTagError(
        f"only pre-releases of {repository} are in `{wanted.shown}`",
        reason=NoTagReason.PRERELEASE,
        details=_lines(full_first[:_SHOWN], wanted),
        hint="set `prereleases = true` to allow them",
    )


def _nothing_in_range(
    wanted: VersionRange, matches: Sequence[RangeMatch], tags: Collection[str], repository: AnyRepository
) -> NoTagError:
    precision = f" with precision {wanted.precision}" if wanted.precision else ""
    return NoTagError(
        f"no tag of {repository} is in `{wanted.shown}`{precision} ({_fitting(matches, tags, wanted)})",
        reason=NoTagReason.NONE,
        details=_lines(_nearest(wanted, matches), wanted),
        hint=_date_hint(matches[0]) or f"run `imagelock tags {repository}`",
    )


def _nothing_fits(wanted: VersionRange, tags: Collection[str], repository: AnyRepository) -> NoTagError:
    if not tags:
        return NoTagError(f"{repository} has no tags", reason=NoTagReason.SHAPE)
    sorted_tags = newest_first(tags)
    near = _near_patterns(wanted.pattern, sorted_tags)
    details = [f"{tag} fits `{pattern}`" for pattern, tag in near.items()]
    return NoTagError(
        f"no tag of {repository} fits `{wanted.pattern}` (it has {_count(tags)})",
        reason=NoTagReason.SHAPE,
        details=details or [f"{tag} does not fit" for tag in sorted_tags[:_SHOWN]],
        hint=f"did you mean `{_as_field(next(iter(near)))}`?" if near else f"run `imagelock tags {repository}`",
    )


def _near_patterns(wanted: TagPattern, newest_first_tags: Iterable[str]) -> dict[TagPattern, str]:
    """Return the patterns of other tags that are most similar, the closest first, each with its newest tag."""
    newest: dict[str, str] = {}
    for tag in newest_first_tags:
        guess = guess_pattern(tag)
        if guess is not None and len(newest) < _MAX_PATTERNS:
            newest.setdefault(guess.pattern.text, tag)
    close = difflib.get_close_matches(wanted.text, newest, n=_SHOWN)
    return {TagPattern(text): newest[text] for text in close}


def _nearest(wanted: VersionRange, matches: Sequence[RangeMatch]) -> list[RangeMatch]:
    """Return the newest tag below the range, the oldest and the newest above it, with the fewest mismatches."""
    fewest = min(len(it.mismatches) for it in matches)
    ordered: dict[RangeMatch, None] = {}
    for group in (
        [it for it in matches if len(it.mismatches) == fewest],
        [it for it in matches if len(it.mismatches) > fewest],
    ):
        above: list[RangeMatch] = []
        below: list[RangeMatch] = []
        for it in group:
            (above if is_above(it.candidate, wanted) else below).append(it)
        ordered.update(dict.fromkeys([*below[:1], *above[-1:], *above[:1], *below, *reversed(above)]))
    shown = set(islice(ordered, _SHOWN))
    return [it for it in matches if it in shown]


def _lines(matches: Iterable[RangeMatch], wanted: VersionRange) -> list[str]:
    return [f"{it.candidate.tag} {' and '.join(explain(it, wanted))}" for it in matches]


def _date_hint(newest: RangeMatch) -> str | None:
    """Return a hint where either the range or the tags have dates and the other has serial numbers."""
    candidate = newest.candidate
    guess = guess_pattern(candidate.tag)
    if Mismatch.OTHER_KIND not in newest.mismatches or guess is None or not guess.is_date:
        return None
    if candidate.serial:
        return f'use `{_as_field(guess.pattern)}` to read dates, as in `version = ">=2024.6"`'
    return f"write dates in `version` as {candidate.text}, which `{{date}}` reads from {candidate.tag}"


def _as_field(pattern: TagPattern) -> str:
    return f'variant = "{pattern.variant}"' if pattern.variant else f'tag = "{pattern}"'


def _fitting(matches: Sequence[RangeMatch], tags: Collection[str], wanted: VersionRange) -> str:
    verb = "fits" if len(matches) == 1 else "fit"
    return f"of {_count(tags)}, {len(matches)} {verb} `{wanted.pattern}`"


def _count(tags: Collection[str]) -> str:
    return f"{len(tags)} {'tag' if len(tags) == 1 else 'tags'}"

"""Refusals in words: why a range doesn't take a tag."""

from __future__ import annotations

from functools import lru_cache

from packaging.specifiers import Specifier
from packaging.version import Version

from imagelock.model.tags.candidates import Candidate
from imagelock.model.tags.match import Judgement, Refusal
from imagelock.model.tags.specifier import Clause
from imagelock.model.tags.version_range import VersionRange

_ENDS_BELOW = frozenset({">=", ">", "==", "~="})
_ENDS_ABOVE = frozenset({"<=", "<", "==", "~="})


def explain(judgement: Judgement, wanted: VersionRange) -> tuple[str, ...]:
    """Say what speaks against a tag, each reason a predicate such as ``is a pre-release``."""
    return tuple(reason for refusal in judgement.refusals for reason in _reasons(refusal, judgement, wanted))


def is_above(candidate: Candidate, wanted: VersionRange) -> bool:
    """Whether a tag outside a range is newer than it, not older."""
    return any(_side(clause, candidate) == "above" for clause in _unmet(candidate, wanted))


def _reasons(refusal: Refusal, judgement: Judgement, wanted: VersionRange) -> list[str]:
    candidate = judgement.candidate
    if refusal is Refusal.OUTSIDE:
        return [f"is {_side(clause, candidate)} `{clause}`" for clause in _unmet(candidate, wanted)]
    kind = "a serial number, not a version" if candidate.serial else f"version {candidate.text}, not a serial number"
    reasons = {
        Refusal.OTHER_KIND: f"is {kind}",
        Refusal.OTHER_BUILD_KIND: f"has {'a' if candidate.serial_build else 'no'} serial number as its build",
        Refusal.PRERELEASE: "is a pre-release",
        Refusal.PRECISION: f"has {len(candidate.components)} numbers, not {wanted.precision}",
        Refusal.FLOATING: f"floats ({judgement.more_exact} is more exact)",
    }
    return [reasons[refusal]]


def _unmet(candidate: Candidate, wanted: VersionRange) -> list[Clause]:
    return [it for it in wanted.clauses if not _specifier(it).contains(candidate.version, prereleases=True)]


def _side(clause: Clause, candidate: Candidate) -> str:
    """Place a version that a clause doesn't contain; PEP 440 keeps 4.0rc1 out of ``<4`` although it is older than 4."""
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

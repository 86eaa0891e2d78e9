"""The decision about each reference of a document: as locked, to be edited, or to be reported.

``render`` makes the edits of a plan and ``check`` reports its findings. Both read the same plan, so that ``render``
never writes what ``check`` refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, replace
from enum import Enum, StrEnum, auto
from typing import Self

from imagelock.documents.edits import Change
from imagelock.documents.formats.format import Format
from imagelock.documents.references import (
    Problem,
    Reference,
)
from imagelock.documents.spans import Position
from imagelock.model.frozen import frozen

RENDER_HINT = "run `imagelock render`"

IsExternal = Callable[[str, str], bool]
"""Whether a reference, given as written and with its variables expanded, is left alone."""


def nothing_is_external(_written: str, _expanded: str) -> bool:
    """Return False: no reference is left alone."""
    return False


class PinStyle(Enum):
    """How references are pinned."""

    TAG_AND_DIGEST = auto()
    """``golang:1.22@sha256:…``; a reference without a tag gets none."""
    DIGEST_ONLY = auto()
    """``golang@sha256:…``, for the tools that refuse a tag beside a digest."""


class FindingKind(StrEnum):
    """The kinds of findings; the values are for `--format json`."""

    UNREADABLE = "unreadable"
    NO_REFERENCE = "no-reference"
    UNRESOLVED = "unresolved"
    NOT_LOCKED = "not-locked"
    LOCKED_TWICE = "locked-twice"
    STALE_TAG = "stale-tag"
    OTHER_TAG = "other-tag"
    NO_DIGEST = "no-digest"
    DIGEST_DIFFERS = "digest-differs"
    RANGE_MOVED = "range-moved"
    TAG_BESIDE_DIGEST = "tag-beside-digest"
    NOT_PINNABLE = "not-pinnable"
    BAD_MARKER = "bad-marker"

    @property
    def is_mended_by_render(self) -> bool:
        """Whether every finding of this kind has an edit in its plan."""
        return self in _MENDED_BY_RENDER

    @property
    def is_missing_in_lock(self) -> bool:
        """Whether images.lock has no such image, under the tag of the reference."""
        return self in (FindingKind.NOT_LOCKED, FindingKind.STALE_TAG, FindingKind.OTHER_TAG)


_MENDED_BY_RENDER = frozenset(
    {
        FindingKind.NO_DIGEST,
        FindingKind.DIGEST_DIFFERS,
        FindingKind.RANGE_MOVED,
        FindingKind.TAG_BESIDE_DIGEST,
    }
)


@frozen
class Finding:
    """One problem in a document."""

    kind: FindingKind
    position: Position
    text: str
    """The reference as written; empty where the whole document is meant."""
    reason: str
    hint: str | None


@frozen
class PinStep:
    """The decision about one reference."""

    reference: Reference
    finding: Finding | None = None
    """The problem; ``None`` if the reference is as locked."""
    change: Change | None = None
    """The edit that solves the problem, if there is one."""

    @classmethod
    def found(
        cls, kind: FindingKind, reference: Reference, reason: str, hint: str | None, change: Change | None = None
    ) -> Self:
        """Return the step of a reference that is not as locked."""
        return cls(reference, Finding(kind, reference.position, reference.shown, reason, hint), change)


@frozen
class PinPlan:
    """The decisions about all references of a document, in its order, without stages and external references."""

    kind: Format
    steps: tuple[PinStep, ...] = ()
    _: KW_ONLY
    problems: tuple[Problem, ...] = ()
    """Why the document could not be read. Then there are no steps."""
    names_image: bool
    """Whether the document has any reference, stages and external ones included."""
    references: tuple[Reference, ...] = ()
    """All references of the document, those to stages included."""
    external: tuple[Reference, ...] = ()
    """The references that are left alone since images.toml calls them external."""
    covered: tuple[Reference, ...] = ()
    """The references that cannot have a digest, and that the policy of a builder takes care of."""
    edited: bytes = b""
    """The document after all changes, which was read again: it means what it must."""

    def without(self, is_left_out: Callable[[Reference], bool]) -> PinPlan:
        """Return the plan without the steps of some references."""
        return replace(self, steps=tuple(step for step in self.steps if not is_left_out(step.reference)))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is not as locked. Finding no reference at all is a finding, too."""
        if self.problems:
            return tuple(
                Finding(FindingKind.UNREADABLE, problem.position, "", problem.reason, None) for problem in self.problems
            )
        if not self.names_image:
            reason = f"the {self.kind.title} names no image"
            return (Finding(FindingKind.NO_REFERENCE, Position(1, 1), "", reason, None),)
        return tuple(step.finding for step in self.steps if step.finding)

    @property
    def external_texts(self) -> tuple[tuple[str, str], ...]:
        """The external references, each as written and as expanded, and the expressions that use them."""
        own = ((reference.shown, reference.target.text) for reference in self.external)
        return (*own, *((reference.used_by, reference.used_by) for reference in self.external if reference.used_by))

    @property
    def changes(self) -> tuple[Change, ...]:
        """The edits that ``render`` makes."""
        return tuple(step.change for step in self.steps if step.change)

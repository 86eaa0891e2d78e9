"""Writes locked digests into documents, and removes them; all other bytes stay."""

from __future__ import annotations

from collections.abc import Iterable

from imagelock.documents.edits import UNSAFE, Change, apply_safe_changes, references_after, split_conflicts, tag_suffix
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.locked_references import LockedReferences
from imagelock.documents.marked_lines import unpin_marked
from imagelock.documents.pin_decisions import plan_pins
from imagelock.documents.pin_plan import FindingKind, IsExternal, PinPlan, PinStyle, nothing_is_external
from imagelock.documents.references import (
    CONFLICT,
    DigestField,
    HexDigestField,
    Image,
    InlineDigest,
    Marked,
    NotEditable,
    Problem,
    Reference,
    Target,
    Unresolved,
    key_of,
)
from imagelock.documents.spans import Edit, Span
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, PinnedReference, split_reference


@frozen
class Refusal:
    """A reference that was not edited, with the reason and a hint."""

    reference: Reference
    reason: str
    hint: str | None


@frozen(kw_only=True)
class Pinned:
    """A document after digests were written or removed."""

    content: bytes
    changed: tuple[Reference, ...] = ()
    """The references that were edited, as they were before."""
    unchanged: tuple[Reference, ...] = ()
    """The references that were right already."""
    refused: tuple[Refusal, ...] = ()
    not_locked: tuple[Reference, ...] = ()
    """The images that the lockfile does not have."""
    other_tag: tuple[Refusal, ...] = ()
    """Those of a repository that is declared once, by another tag."""
    problems: tuple[Problem, ...] = ()
    """Why the document could not be read. Then nothing was changed."""
    names_image: bool = True
    """Whether it has any reference, those included that are left alone."""


def pin(
    content: bytes,
    kind: Format,
    locked: LockedReferences,
    *,
    style: PinStyle = PinStyle.TAG_AND_DIGEST,
    external: IsExternal = nothing_is_external,
) -> Pinned:
    """Give each locked image of a document its locked digest; doing it again changes nothing.

    ``external`` tells, by a reference as written and as expanded, whether it is left alone.
    """
    return apply_plan(content, plan_pins(content, kind, locked, style=style, external=external))


def apply_plan(content: bytes, plan: PinPlan) -> Pinned:
    """Return the content with the edits of its plan."""
    if plan.problems:
        return Pinned(content=content, problems=plan.problems)
    if not plan.names_image:
        return Pinned(content=content, names_image=False)
    unedited = [(step.reference, step.finding) for step in plan.steps if not step.change]
    return Pinned(
        content=plan.edited,
        changed=tuple(change.reference for change in plan.changes),
        unchanged=tuple(reference for reference, finding in unedited if not finding),
        refused=_in_order(
            Refusal(reference, finding.reason, finding.hint)
            for reference, finding in unedited
            if finding and not finding.kind.is_missing_in_lock
        ),
        not_locked=tuple(
            reference
            for reference, finding in unedited
            if finding and finding.kind.is_missing_in_lock and finding.kind is not FindingKind.OTHER_TAG
        ),
        other_tag=tuple(
            Refusal(reference, finding.reason, finding.hint)
            for reference, finding in unedited
            if finding and finding.kind is FindingKind.OTHER_TAG
        ),
    )


def unpin(content: bytes, kind: Format, *, locked: LockedReferences | None = None) -> Pinned:
    """Remove all digests.

    Where a digest has no tag beside it, the lockfile tells the tag that it was locked for; without a lockfile, Docker's
    default remains.
    """
    scan = find_references(content, kind)
    if scan.problems:
        return Pinned(content=content, problems=scan.problems)
    tags = locked or LockedReferences(())
    images = (each for each in scan.references if isinstance(each.target, Image | Unresolved | Marked))
    steps = _settle_unpin(content, kind, scan.references, [(each, _unpin_step(each, tags)) for each in images])
    changes, conflicts = split_conflicts([step for _, step in steps if isinstance(step, Change)])
    refusals = [step for _, step in steps if isinstance(step, Refusal)]
    edited, unsafe = apply_safe_changes(content, kind, changes, scan.references)
    refusals += (_refusal(change, CONFLICT) for change in conflicts)
    refusals += (_refusal(change, UNSAFE) for change in unsafe)
    return Pinned(
        content=edited,
        changed=tuple(change.reference for change in changes if change not in unsafe),
        unchanged=tuple(reference for reference, step in steps if step is None),
        refused=_in_order(refusals),
    )


def _refusal(change: Change, editing: NotEditable) -> Refusal:
    return Refusal(change.reference, editing.reason, editing.hint)


_UnpinStep = Change | Refusal | None


def _settle_unpin(
    content: bytes, kind: Format, references: tuple[Reference, ...], steps: list[tuple[Reference, _UnpinStep]]
) -> list[tuple[Reference, _UnpinStep]]:
    """Refuse nothing that loses its digest by the edit of a marked line which it uses."""
    marked = [step for each, step in steps if isinstance(step, Change) and isinstance(each.target, Marked)]
    after = references_after(content, kind, marked) if marked else ()
    if len(after) != len(references):
        return steps
    now = {key_of(old): new.target for old, new in zip(references, after, strict=True)}
    return [
        (each, None if isinstance(step, Refusal) and not _has_digest(now[key_of(each)]) else step)
        for each, step in steps
    ]


def _has_digest(target: Target) -> bool:
    return isinstance(target, Image) and isinstance(target.reference, PinnedReference)


def _in_order(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    return tuple(sorted(refusals, key=lambda refusal: refusal.reference.span))


def _unpin_step(reference: Reference, locked: LockedReferences) -> _UnpinStep:
    image = reference.target
    if isinstance(image, Marked):
        step = unpin_marked(reference, image, locked)
        return Refusal(reference, step.reason, step.hint) if isinstance(step, NotEditable) else step
    if not isinstance(image, Image) or not isinstance(image.reference, PinnedReference):
        return None
    written = split_reference(image.text)
    tag = written.tag
    match image.editing:
        case InlineDigest(span, is_tag_text=False) if tag:
            place = Span(span.start - len(tag), span.end)
            return Change(reference, (Edit(place, f'"{tag}"'.encode()),), f"{written.name}:{tag}")
        case InlineDigest(span):
            added = "" if tag else _tag_to_restore(image.reference, locked)
            kept = tag_suffix(tag) or added
            return Change(reference, (Edit(span, added.encode()),), f"{written.name}{kept}")
        case DigestField(span, bytes() as empty) | HexDigestField(span, bytes() as empty) if tag:
            return Change(reference, (Edit(span, empty),), f"{written.name}:{tag}")
        case DigestField() | HexDigestField():
            hint = "write the tag beside it first, or take the digest out by hand"
            return Refusal(reference, "nothing valid would remain without the digest", hint)
        case NotEditable(reason, hint):
            return Refusal(reference, reason, hint)


def _tag_to_restore(reference: PinnedReference, locked: LockedReferences) -> str:
    tag = locked.find_tag(reference)
    return "" if tag in (None, DEFAULT_TAG) else tag_suffix(tag)

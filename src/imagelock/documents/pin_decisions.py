"""Decides about each reference of a document, by the lock: the one place where ``render`` and ``check`` agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from imagelock.documents.edits import (
    UNSAFE,
    Change,
    apply_safe_changes,
    digest_edits,
    references_after,
    split_conflicts,
    tag_suffix,
)
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.locked_references import Locked, LockedReferences, LockedTwice, NotLocked, Sibling
from imagelock.documents.marked_lines import decide_marked
from imagelock.documents.pin_plan import (
    RENDER_HINT,
    Finding,
    FindingKind,
    IsExternal,
    PinPlan,
    PinStep,
    PinStyle,
    nothing_is_external,
)
from imagelock.documents.references import (
    CONFLICT,
    Editing,
    Image,
    Marked,
    NotEditable,
    Reference,
    TagNeeded,
    TagUse,
    Unresolved,
    key_of,
)
from imagelock.model.digest import Digest
from imagelock.model.reference import PinnedReference, split_reference

_NUMBER = re.compile(r"[0-9]{1,9}")


def plan_pins(
    content: bytes,
    kind: Format,
    locked: LockedReferences,
    *,
    style: PinStyle = PinStyle.TAG_AND_DIGEST,
    external: IsExternal = nothing_is_external,
) -> PinPlan:
    """Decide about each reference of a document; no bytes make this raise anything.

    ``external`` tells, by a reference as written and as expanded, whether it is left alone.
    """
    scan = find_references(content, kind)
    names_image = bool(scan.references) or scan.has_ignored
    if scan.problems:
        return PinPlan(kind, problems=scan.problems, names_image=names_image)
    steps: list[PinStep] = []
    left_alone: list[Reference] = []
    for reference in scan.references:
        if not isinstance(reference.target, Image | Unresolved | Marked):
            continue
        if not isinstance(reference.target, Marked) and is_external(reference, external):
            left_alone.append(reference)
        else:
            steps.append(_decide(reference, locked, style))
    settled = _settle(
        content, kind, scan.references, _without_conflicts(steps), partial(_decide, locked=locked, style=style)
    )
    changes = tuple(step.change for step in settled if step.change)
    edited, unsafe = apply_safe_changes(content, kind, changes, scan.references)
    return PinPlan(
        kind,
        tuple(_refused(step.reference, UNSAFE) if step.change in unsafe else step for step in settled),
        names_image=names_image,
        references=scan.references,
        external=tuple(left_alone),
        edited=edited,
    )


def check(
    content: bytes,
    kind: Format,
    locked: LockedReferences,
    *,
    style: PinStyle = PinStyle.TAG_AND_DIGEST,
    external: IsExternal = nothing_is_external,
) -> tuple[Finding, ...]:
    """Return a finding for each reference that differs from the lockfile."""
    return plan_pins(content, kind, locked, style=style, external=external).findings


def is_external(reference: Reference, external: IsExternal) -> bool:
    """Whether a reference is left alone, by its own text or by that of the expression that uses it."""
    return external(reference.shown, reference.target.text) or external(reference.used_by, reference.used_by)


def _settle(
    content: bytes,
    kind: Format,
    references: tuple[Reference, ...],
    steps: Sequence[PinStep],
    decide: Callable[[Reference], PinStep],
) -> Sequence[PinStep]:
    """Leave out findings that the edits of marked lines put right: ``FROM golang:$V`` with a marked ``ARG V=1``."""
    marked = [step.change for step in steps if step.change and isinstance(step.reference.target, Marked)]
    if not marked:
        return steps
    after = references_after(content, kind, marked)
    if len(after) != len(references):
        return steps
    now = {key_of(old): new for old, new in zip(references, after, strict=True)}
    return [
        PinStep(step.reference)
        if step.finding and not step.change and decide(now[key_of(step.reference)]).finding is None
        else step
        for step in steps
    ]


def _without_conflicts(steps: Sequence[PinStep]) -> tuple[PinStep, ...]:
    _, conflicts = split_conflicts([step.change for step in steps if step.change])
    edits = {edit for change in conflicts for edit in change.edits}
    return tuple(
        _refused(step.reference, CONFLICT) if step.change and not edits.isdisjoint(step.change.edits) else step
        for step in steps
    )


def _decide(reference: Reference, locked: LockedReferences, style: PinStyle) -> PinStep:
    match reference.target:
        case Unresolved(_, reason, hint):
            return PinStep.found(FindingKind.UNRESOLVED, reference, reason, hint)
        case Image() as image:
            return _decide_image(reference, image, locked, style)
        case Marked() as marked:
            return decide_marked(reference, marked, locked, style)
        case _:
            return PinStep(reference)


def _decide_image(reference: Reference, image: Image, locked: LockedReferences, style: PinStyle) -> PinStep:
    style = _style_for(image, style)
    match locked.find(image.reference, any_tag=style is PinStyle.DIGEST_ONLY):
        case NotLocked() as answer:
            return _not_locked(reference, image, locked, answer)
        case LockedTwice(tags):
            reason = f"the lockfile has several digests for it: {', '.join(tags)}"
            return PinStep.found(FindingKind.LOCKED_TWICE, reference, reason, "write the tag")
        case Locked(digest, None) if _is_pinned_as(image, digest, style):
            return PinStep(reference)
        case Locked() as locked_image:
            return _unlike_lock(reference, image, locked_image, style)


def _not_locked(reference: Reference, image: Image, locked: LockedReferences, answer: NotLocked) -> PinStep:
    pinned, sibling = image.reference, answer.sibling
    movable = not isinstance(image.editing, NotEditable) and (pinned.tag is None or image.editing.tag is not None)
    text = image.text if pinned.tag is None else image.text.partition("@")[0]
    hint = None if sibling is None else _hint_for_sibling(text, pinned.tag, sibling, movable=movable)
    if isinstance(pinned, PinnedReference) and (tag := locked.find_tag(pinned)) and tag != pinned.tag:
        reason = f"the digest is locked for the tag `{tag}`, and registries ignore the tag beside a digest"
        return PinStep.found(FindingKind.STALE_TAG, reference, reason, hint or f"write `{tag}`")
    if sibling is not None:
        return PinStep.found(FindingKind.OTHER_TAG, reference, _difference_from(sibling), hint)
    others = f"; of its repository there is `{'`, `'.join(answer.other_tags)}`" if answer.other_tags else ""
    hint = f"run `imagelock add {text}`, or take the reference out"
    return PinStep.found(FindingKind.NOT_LOCKED, reference, f"images.lock does not have it{others}", hint)


def _difference_from(sibling: Sibling) -> str:
    if not sibling.is_allowed:
        return f"the range of `{sibling.name}` gives `{sibling.tag}`, and does not take this tag"
    what = f"the tag `{sibling.tag}`" if sibling.tag else "another digest"
    return f"images.toml has {what} of it, as `{sibling.name}`" + ", which is frozen" * sibling.is_frozen


def _hint_for_sibling(text: str, written: str | None, sibling: Sibling, *, movable: bool) -> str:
    """Return what moves the older of two tags to the newer; both ways if neither is surely newer.

    A tag that a variable or an anchor gives cannot be moved with its digest: a person writes it.
    """
    given = f"`{sibling.tag}`" if sibling.tag else "the locked digest"
    retag = "run `imagelock render --retag`" if movable else f"write {given} there, then {RENDER_HINT}"
    update = f"run `imagelock update {sibling.name} --to {written}`"
    if sibling.is_frozen:
        return retag if sibling.tag or written is None else f"write {given} there, without the tag"
    if written is None and sibling.tag is None:
        return f"{retag} to give it {given}, or write `{text}` in images.toml and run `imagelock lock` to take its own"
    if written is None or not sibling.is_same_variant:
        return f"{retag} to give it {given}, or run `imagelock add {text}` to have both"
    if sibling.tag is None:
        return update
    if not sibling.is_allowed:
        update = f"change `version` of `{sibling.name}` in images.toml"
    here, there = _numbers(written), _numbers(sibling.tag)
    if here and there and here != there and (sibling.is_allowed or here < there):
        return update if here > there else retag
    return f"{update} to take the file's tag, or {retag} to give it {given}"


def _numbers(tag: str) -> tuple[int, ...]:
    """Return all numbers of a tag, which order the tags of one scheme: ``1.26-alpine3.20`` is (1, 26, 3, 20)."""
    return tuple(map(int, _NUMBER.findall(tag)))


def _unlike_lock(reference: Reference, image: Image, locked: Locked, style: PinStyle) -> PinStep:
    written = split_reference(image.text)
    tag = None if style is PinStyle.DIGEST_ONLY else locked.tag or written.tag
    edits = digest_edits(_editing_for(image, style), locked.digest, tag=tag, moves_tag=tag != written.tag)
    if isinstance(edits, NotEditable):
        return _refused(reference, edits)
    step = PinStep.found(*_difference(reference, image, locked), hint=RENDER_HINT)
    return replace(step, change=Change(reference, edits, f"{written.name}{tag_suffix(tag)}@{locked.digest}"))


def _difference(reference: Reference, image: Image, locked: Locked) -> tuple[FindingKind, Reference, str]:
    """Return how a reference differs from the lock, as a sentence."""
    if not isinstance(image.reference, PinnedReference):
        return FindingKind.NO_DIGEST, reference, "it has no digest"
    if locked.tag is not None:
        return FindingKind.RANGE_MOVED, reference, f"its range gives `{locked.tag}` now"
    if image.reference.digest == locked.digest:
        return FindingKind.TAG_BESIDE_DIGEST, reference, "a tag beside the digest"
    reason = f"it has {image.reference.digest.short}, images.lock has {locked.digest.short}"
    return FindingKind.DIGEST_DIFFERS, reference, reason


def _refused(reference: Reference, editing: NotEditable) -> PinStep:
    return PinStep.found(FindingKind.NOT_PINNABLE, reference, editing.reason, editing.hint)


def _style_for(image: Image, style: PinStyle) -> PinStyle:
    """Return the style of one reference in a file of this style: some programs refuse a tag beside a digest."""
    return PinStyle.DIGEST_ONLY if image.tag_use is TagUse.DROPPED else style


def _editing_for(image: Image, style: PinStyle) -> Editing:
    """Return where a digest goes in this style: no tag is taken from programs that read it."""
    if style is PinStyle.DIGEST_ONLY and isinstance(image.tag_use, TagNeeded):
        return NotEditable(image.tag_use.reason, "list the file under `pin.files`")
    return image.editing


def _is_pinned_as(image: Image, digest: Digest, style: PinStyle) -> bool:
    pinned = image.reference
    if not isinstance(pinned, PinnedReference) or pinned.digest != digest:
        return False
    return style is PinStyle.TAG_AND_DIGEST or pinned.tag is None

"""Compare the references of a document with the lockfile, and say what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum

from imagelock.documents.kinds import DocumentKind, find_references
from imagelock.documents.locked_references import Locked, LockedReferences, LockedTwice, NotLocked
from imagelock.documents.pinning import PinStyle, is_external, is_pinned_as
from imagelock.documents.references import Image, NotEditable, Reference, Unresolved
from imagelock.documents.spans import Position
from imagelock.model.frozen import frozen
from imagelock.model.reference import PinnedReference

_RENDER = "run `imagelock render`"


class FindingKind(StrEnum):
    """What can be wrong; the values are for machines."""

    UNREADABLE = "unreadable"
    NO_REFERENCE = "no-reference"
    UNRESOLVED = "unresolved"
    NOT_LOCKED = "not-locked"
    LOCKED_TWICE = "locked-twice"
    STALE_TAG = "stale-tag"
    NO_DIGEST = "no-digest"
    DIGEST_DIFFERS = "digest-differs"
    RANGE_MOVED = "range-moved"
    TAG_BESIDE_DIGEST = "tag-beside-digest"
    NOT_PINNABLE = "not-pinnable"


@frozen
class Finding:
    """One thing to put right in a document."""

    kind: FindingKind
    position: Position
    text: str
    """The reference as written; empty where the whole document is meant."""
    reason: str
    hint: str | None


def check(
    content: bytes,
    kind: DocumentKind,
    locked: LockedReferences,
    *,
    style: PinStyle = PinStyle.TAG_AND_DIGEST,
    external: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Find every reference that is not what the lockfile says. Finding no reference at all is a finding, too."""
    scan = find_references(content, kind)
    if scan.problems:
        return tuple(
            Finding(FindingKind.UNREADABLE, problem.position, "", problem.reason, None) for problem in scan.problems
        )
    if not scan.references:
        return (Finding(FindingKind.NO_REFERENCE, Position(1, 1), "", f"the {kind.value} names no image", None),)
    wanted = (reference for reference in scan.references if not is_external(reference, external))
    return tuple(finding for reference in wanted for finding in _check_reference(reference, locked, style))


def _check_reference(reference: Reference, locked: LockedReferences, style: PinStyle) -> Iterator[Finding]:
    match reference.target:
        case Unresolved(_, reason, hint):
            yield _finding(FindingKind.UNRESOLVED, reference, reason, hint)
        case Image() as image:
            yield from _check_image(reference, image, locked, style)
        case _:
            return


def _check_image(reference: Reference, image: Image, locked: LockedReferences, style: PinStyle) -> Iterator[Finding]:
    match locked.find(image.reference, any_tag=style is PinStyle.DIGEST_ONLY):
        case NotLocked(other_tags):
            yield _not_locked(reference, image, locked, other_tags)
        case LockedTwice(tags):
            reason = f"the lockfile has several digests for it: {', '.join(tags)}"
            yield _finding(FindingKind.LOCKED_TWICE, reference, reason, "write the tag")
        case Locked(digest, None) if is_pinned_as(image, digest, style):
            return
        case Locked() as locked_image:
            yield _unlike_lock(reference, image, locked_image)


def _not_locked(reference: Reference, image: Image, locked: LockedReferences, other_tags: tuple[str, ...]) -> Finding:
    pinned = image.reference
    if isinstance(pinned, PinnedReference) and (tag := locked.find_tag(pinned)) and tag != pinned.tag:
        reason = f"the digest is locked for the tag `{tag}`, and registries ignore the tag that stands there"
        return _finding(FindingKind.STALE_TAG, reference, reason, f"write `{tag}`")
    others = f"; of its repository there is `{'`, `'.join(other_tags)}`" if other_tags else ""
    hint = f"run `imagelock add {image.text.partition('@')[0]}`"
    return _finding(FindingKind.NOT_LOCKED, reference, f"images.lock does not have it{others}", hint)


def _unlike_lock(reference: Reference, image: Image, locked: Locked) -> Finding:
    if isinstance(image.editing, NotEditable):
        return _finding(FindingKind.NOT_PINNABLE, reference, image.editing.reason, image.editing.hint)
    if not isinstance(image.reference, PinnedReference):
        return _finding(FindingKind.NO_DIGEST, reference, "it has no digest", _RENDER)
    if locked.tag is not None:
        return _finding(FindingKind.RANGE_MOVED, reference, f"its range gives `{locked.tag}` now", _RENDER)
    if image.reference.digest == locked.digest:
        return _finding(FindingKind.TAG_BESIDE_DIGEST, reference, "a tag stands beside the digest", _RENDER)
    reason = f"it has {image.reference.digest.short}, images.lock has {locked.digest.short}"
    return _finding(FindingKind.DIGEST_DIFFERS, reference, reason, _RENDER)


def _finding(kind: FindingKind, reference: Reference, reason: str, hint: str | None) -> Finding:
    return Finding(kind, reference.position, reference.text, reason, hint)

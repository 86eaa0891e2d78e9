"""Put locked digests into a document, and take them out again, touching no other byte."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto

from imagelock.documents.edits import Change, apply_changes, split_conflicts
from imagelock.documents.kinds import DocumentKind, find_references
from imagelock.documents.locked_references import Locked, LockedReferences, LockedTwice, NotLocked
from imagelock.documents.references import (
    DigestField,
    Editing,
    HexDigestField,
    Image,
    InlineDigest,
    NotEditable,
    Problem,
    Reference,
    Unresolved,
)
from imagelock.documents.spans import Edit, Span
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, PinnedReference, split_reference

_CONFLICT = ("another reference needs another digest in the same place", "write the references separately")

_TAG_STANDS_APART = NotEditable("its tag stands apart from its digest", "write the whole reference in one place")


class PinStyle(Enum):
    """What stands in a pinned document."""

    TAG_AND_DIGEST = auto()
    """``golang:1.22@sha256:…``; a reference without a tag gets none."""
    DIGEST_ONLY = auto()
    """``golang@sha256:…``, for the tools that refuse a tag beside a digest."""


@frozen
class Refusal:
    """A reference that stays as it is, and what its owner can do about it."""

    reference: Reference
    reason: str
    hint: str | None


@frozen(kw_only=True)
class Pinned:
    """A document after its digests were put in or taken out."""

    content: bytes
    changed: tuple[Reference, ...] = ()
    """The references that were edited, as they were before."""
    unchanged: tuple[Reference, ...] = ()
    """The references that were right already."""
    refused: tuple[Refusal, ...] = ()
    not_locked: tuple[Reference, ...] = ()
    """The images that the lockfile does not have."""
    problems: tuple[Problem, ...] = ()
    """Why the document could not be read. Then nothing was changed."""


_Step = Change | Refusal | NotLocked | None
_Steps = Sequence[tuple[Reference, _Step]]


def pin(
    content: bytes,
    kind: DocumentKind,
    locked: LockedReferences,
    *,
    style: PinStyle = PinStyle.TAG_AND_DIGEST,
    external: Collection[str] = (),
) -> Pinned:
    """Give each locked image of a document its locked digest; doing it again changes nothing.

    ``external`` names what is no registry's image although it looks like one: BuildKit's named contexts.
    ``DocumentError``: an edit would have changed more than it was meant to.
    """
    references, problems = _read(content, kind, external)
    return _finish(content, kind, [(each, _pin_step(each, locked, style)) for each in references], problems)


def unpin(content: bytes, kind: DocumentKind, *, locked: LockedReferences | None = None) -> Pinned:
    """Take all digests off again.

    Where a digest stands without a tag, the lockfile tells the tag that it was locked for; without a lockfile, Docker's
    default remains.
    """
    references, problems = _read(content, kind, ())
    tags = locked or LockedReferences(())
    return _finish(content, kind, [(each, _unpin_step(each, tags)) for each in references], problems)


def is_external(reference: Reference, external: Collection[str]) -> bool:
    """Whether a reference is one of the names that a build brings its own content for; ``:latest`` is no difference."""
    return reference.target.text.removesuffix(f":{DEFAULT_TAG}") in external


def is_pinned_as(reference: Image, digest: Digest, style: PinStyle) -> bool:
    """Whether a reference has a digest already, in the style that is wanted."""
    pinned = reference.reference
    if not isinstance(pinned, PinnedReference) or pinned.digest != digest:
        return False
    return style is PinStyle.TAG_AND_DIGEST or pinned.tag is None


def _read(
    content: bytes, kind: DocumentKind, external: Collection[str]
) -> tuple[tuple[Reference, ...], tuple[Problem, ...]]:
    scan = find_references(content, kind)
    wanted = (each for each in scan.references if isinstance(each.target, Image | Unresolved))
    return tuple(each for each in wanted if not is_external(each, external)), scan.problems


def _finish(content: bytes, kind: DocumentKind, steps: _Steps, problems: tuple[Problem, ...]) -> Pinned:
    if problems:
        return Pinned(content=content, problems=problems)
    changes, conflicts = split_conflicts([step for _, step in steps if isinstance(step, Change)])
    refusals = [step for _, step in steps if isinstance(step, Refusal)]
    refusals += (Refusal(change.reference, *_CONFLICT) for change in conflicts)
    return Pinned(
        content=apply_changes(content, kind, changes),
        changed=tuple(change.reference for change in changes),
        unchanged=tuple(reference for reference, step in steps if step is None),
        refused=tuple(sorted(refusals, key=lambda refusal: refusal.reference.span)),
        not_locked=tuple(reference for reference, step in steps if isinstance(step, NotLocked)),
    )


def _pin_step(reference: Reference, locked: LockedReferences, style: PinStyle) -> _Step:
    image = reference.target
    if not isinstance(image, Image):
        return _unresolved(reference)
    match locked.find(image.reference, any_tag=style is PinStyle.DIGEST_ONLY):
        case NotLocked() as answer:
            return answer
        case LockedTwice(tags):
            reason = f"the lockfile has several digests for it: {', '.join(tags)}"
            return Refusal(reference, reason, "write the tag")
        case Locked(digest, None) if is_pinned_as(image, digest, style):
            return None
        case Locked() as locked_image:
            return _put_digest(reference, image, locked_image, style)


def _unresolved(reference: Reference) -> _Step:
    target = reference.target
    return Refusal(reference, target.reason, target.hint) if isinstance(target, Unresolved) else None


def _put_digest(reference: Reference, image: Image, locked: Locked, style: PinStyle) -> _Step:
    written = split_reference(image.text)
    tag = None if style is PinStyle.DIGEST_ONLY else locked.tag or written.tag
    edit = _digest_edit(image.editing, locked.digest, tag=tag, moves_tag=tag != written.tag)
    if isinstance(edit, NotEditable):
        return Refusal(reference, edit.reason, edit.hint)
    return Change(reference, edit, f"{written.name}{_suffix(tag)}@{locked.digest}")


def _digest_edit(editing: Editing, digest: Digest, *, tag: str | None, moves_tag: bool) -> Edit | NotEditable:
    match editing:
        case NotEditable():
            return editing
        case InlineDigest(span, Span(start)) if moves_tag:
            return Edit(Span(start, span.end), f"{_suffix(tag)}@{digest}".encode())
        case _ if moves_tag:
            return _TAG_STANDS_APART
        case InlineDigest(span):
            return Edit(span, f"@{digest}".encode())
        case DigestField(span):
            return Edit(span, str(digest).encode())
        case HexDigestField(span):
            return Edit(span, digest.hex.encode())


def _suffix(tag: str | None) -> str:
    return f":{tag}" if tag else ""


def _unpin_step(reference: Reference, locked: LockedReferences) -> _Step:
    image = reference.target
    if not isinstance(image, Image) or not isinstance(image.reference, PinnedReference):
        return None
    written = split_reference(image.text)
    tag = written.tag
    match image.editing:
        case InlineDigest(span):
            added = "" if tag else _tag_to_restore(image.reference, locked)
            kept = f":{tag}" if tag else added
            return Change(reference, Edit(span, added.encode()), f"{written.name}{kept}")
        case DigestField(span, may_be_empty=True) | HexDigestField(span, may_be_empty=True) if tag:
            return Change(reference, Edit(span, b""), f"{written.name}:{tag}")
        case DigestField() | HexDigestField():
            return Refusal(reference, "nothing valid would remain without the digest", "take it out by hand")
        case NotEditable(reason, hint):
            return Refusal(reference, reason, hint)


def _tag_to_restore(reference: PinnedReference, locked: LockedReferences) -> str:
    tag = locked.find_tag(reference)
    return "" if tag in (None, DEFAULT_TAG) else f":{tag}"

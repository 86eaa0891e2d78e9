"""Edits that are verified: the edited document is read again, and its references are compared with the wanted ones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.references import (
    DigestField,
    Editing,
    HexDigestField,
    Image,
    InlineDigest,
    Marked,
    NotEditable,
    Reference,
    TagField,
    key_of,
)
from imagelock.documents.spans import Edit, Span, apply_edits
from imagelock.documents.syntax.yaml_types import write_text
from imagelock.errors import DocumentError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import PinnedReference

_HINT = "please report this with the file; a template is the way around it"
UNSAFE = NotEditable(
    "with a digest there, the file would be read in another way",
    "write the reference in one place, without anchors and aliases, or use a template",
)
_DIGEST = re.compile(rb"sha(?:256|512):[0-9a-f]+")


@frozen
class Change:
    """The edits for one reference, and the text that it must expand to after them."""

    reference: Reference
    edits: tuple[Edit, ...]
    """One, or two where the tag and the digest are values of their own."""
    expected: str


def split_conflicts(changes: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Split changes into those that can be made together, and those that need different bytes in one place."""
    by_edit: dict[Edit, list[Change]] = defaultdict(list)
    for change in changes:
        for edit in change.edits:
            by_edit[edit].append(change)
    conflicting: set[Edit] = set()
    for first, second in pairwise(sorted(by_edit)):
        if second.span.start < first.span.end or second.span.start == first.span.start:
            conflicting |= {first, second}
    return (
        tuple(change for change in changes if conflicting.isdisjoint(change.edits)),
        tuple(change for change in changes if not conflicting.isdisjoint(change.edits)),
    )


def apply_all(content: bytes, changes: Sequence[Change]) -> bytes:
    """Return the content with all edits of changes that have no conflicts; nothing is verified."""
    return apply_edits(content, (edit for change in changes for edit in change.edits))


def apply_changes(
    content: bytes, kind: Format, changes: Sequence[Change], *, before: Sequence[Reference] | None = None
) -> bytes:
    """Return the content with the changes; ``DocumentError`` if its references are not exactly the wanted ones.

    ``before`` are the references of the content, where they are known.
    """
    if not changes:
        return content
    changed = apply_all(content, changes)
    expected = {key_of(change.reference): change.expected for change in changes}
    before = find_references(content, kind).references if before is None else before
    after = find_references(changed, kind)
    if after.problems:
        (problem, *_) = after.problems
        place = f"line {problem.position.line}: {problem.reason}"
        raise DocumentError("the edited file could not be read", details=(place,), hint=_HINT)
    marked = frozenset(
        _digest_written(edit)
        for change in changes
        if isinstance(change.reference.target, Marked)
        for edit in change.edits
    )
    pairs = zip(before, after.references, strict=False)
    is_meant = all(_is_as_meant(old, new, expected.get(key_of(old), old.target.text), marked) for old, new in pairs)
    if len(before) != len(after.references) or not is_meant:
        raise DocumentError(
            "the edited file would not mean what it must",
            details=("the file stays as it was; only its references to images were to change",),
            hint=_HINT,
        )
    return changed


def apply_safe_changes(
    content: bytes, kind: Format, changes: Sequence[Change], before: Sequence[Reference]
) -> tuple[bytes, tuple[Change, ...]]:
    """Return the content with the changes that do what they must and nothing else, and the other changes.

    Of changes that fail together, the later ones in the document count as the cause.
    """
    changed = _try(content, kind, changes, before)
    if changed is not None:
        return changed, ()
    safe: tuple[Change, ...] = ()
    waiting = [tuple(changes)]
    while waiting:
        group = waiting.pop()
        if _try(content, kind, (*safe, *group), before) is not None:
            safe += group
        elif len(group) > 1:
            half = len(group) // 2
            waiting += (group[half:], group[:half])
    kept = set(map(id, safe))
    return _try(content, kind, safe, before) or content, tuple(change for change in changes if id(change) not in kept)


def _try(content: bytes, kind: Format, changes: Sequence[Change], before: Sequence[Reference]) -> bytes | None:
    """Return the content with the changes; ``None`` if it is not as meant then."""
    try:
        return apply_changes(content, kind, changes, before=before)
    except DocumentError:
        return None


def references_after(content: bytes, kind: Format, changes: Sequence[Change]) -> tuple[Reference, ...]:
    """Return the references of a document after some of its changes."""
    return find_references(apply_all(content, changes), kind).references


def _digest_written(edit: Edit) -> str | None:
    """Return the digest that an edit writes; ``None`` if it takes one out."""
    digest = _DIGEST.search(edit.replacement)
    return digest[0].decode() if digest else None


def _is_as_meant(old: Reference, new: Reference, expected: str, marked_digests: frozenset[str | None]) -> bool:
    """Whether a reference expands to the wanted text; one that uses a marked line may get or lose the digest there."""
    if old.kind is not new.kind or type(old.target) is not type(new.target):
        return False
    if new.target.text == expected:
        return True
    if not isinstance(old.target, Image) or not isinstance(new.target, Image):
        return False
    pinned = new.target.reference
    digest = str(pinned.digest) if isinstance(pinned, PinnedReference) else None
    return pinned.repository == old.target.reference.repository and digest in marked_digests


def digest_edits(
    editing: Editing, digest: Digest, *, tag: str | None, moves_tag: bool
) -> tuple[Edit, ...] | NotEditable:
    """Make the edits that write a digest in its place, together with another tag if it moves."""
    match editing:
        case NotEditable():
            return editing
        case InlineDigest(span, Span(start), separator) if moves_tag and (tag or separator):
            return (Edit(Span(start, span.end), f"{separator if tag else ''}{tag or ''}@{digest}".encode()),)
        case InlineDigest(span) if not moves_tag:
            return (Edit(span, f"@{digest}".encode()),)
        case DigestField(span, _, field):
            written = Edit(span, str(digest).encode())
        case HexDigestField(span, _, field):
            written = Edit(span, digest.hex.encode())
        case _:
            return _tag_elsewhere(tag)
    if not moves_tag:
        return (written,)
    return _tag_elsewhere(tag) if field is None or not tag else (_tag_edit(field, tag), written)


def _tag_elsewhere(tag: str | None) -> NotEditable:
    hint = f"write `{tag}` there, then run `imagelock render`" if tag else "write the whole reference in one place"
    return NotEditable("its tag and its digest are in two places", hint)


def _tag_edit(field: TagField, tag: str) -> Edit:
    return Edit(field.span, (tag if field.is_text is None else write_text(tag, was_text=field.is_text)).encode())


def tag_suffix(tag: str | None) -> str:
    """Return ``:1.22`` for the tag ``1.22``, and nothing where there is none."""
    return f":{tag}" if tag else ""

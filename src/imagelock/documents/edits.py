"""Edits that must have exactly one effect each: made, read again, compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.references import Reference
from imagelock.documents.spans import Edit, apply_edits
from imagelock.errors import DocumentError
from imagelock.model.frozen import frozen


@frozen
class Change:
    """One edit, and what the reference must come to by it."""

    reference: Reference
    edit: Edit
    expected: str


def split_conflicts(changes: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Tell the changes that can be made together from those that want different bytes in one place."""
    by_edit: dict[Edit, list[Change]] = defaultdict(list)
    for change in changes:
        by_edit[change.edit].append(change)
    conflicting: set[Edit] = set()
    for first, second in pairwise(sorted(by_edit)):
        if second.span.start < first.span.end or second.span.start == first.span.start:
            conflicting |= {first, second}
    return (
        tuple(change for change in changes if change.edit not in conflicting),
        tuple(change for change in changes if change.edit in conflicting),
    )


def apply_changes(content: bytes, kind: Format, changes: Sequence[Change]) -> bytes:
    """Make the changes; ``DocumentError`` if the references of the result are any but those that were meant."""
    if not changes:
        return content
    changed = apply_edits(content, (change.edit for change in changes))
    expected = {change.reference.span: change.expected for change in changes}
    before, after = find_references(content, kind), find_references(changed, kind)
    wanted = [(_what(each), expected.get(each.span, each.target.text)) for each in before.references]
    if after.problems or wanted != [(_what(each), each.target.text) for each in after.references]:
        raise DocumentError(
            "the edited file would not mean what it must",
            details=("the file stays as it was; only its references to images were to change",),
            hint="please report this with the file; a template is the way around it",
        )
    return changed


def _what(reference: Reference) -> tuple[str, str]:
    return reference.kind, type(reference.target).__name__

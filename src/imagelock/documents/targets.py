"""From the text of a reference to what it means, and from there to a scan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from imagelock.documents.references import Editing, Image, Problem, Reference, ReferenceKind, Scan, Target, Unresolved
from imagelock.documents.source_text import SourceText
from imagelock.documents.spans import LineIndex, Span
from imagelock.errors import InvalidReferenceError
from imagelock.model.frozen import frozen
from imagelock.model.reference import parse_reference


@frozen
class Found:
    """A reference whose line and column nobody has asked for yet."""

    kind: ReferenceKind
    text: str
    span: Span
    target: Target

    @classmethod
    def at(cls, kind: ReferenceKind, source: SourceText, target: Target) -> Self:
        """Say that it was found where its characters stand."""
        return cls(kind, source.text, source.span, target)


def image_or_unresolved(text: str, editing: Editing) -> Image | Unresolved:
    """Make it an image, if the text is a reference that registries and their clients would accept."""
    try:
        return Image(text, parse_reference(text), editing)
    except InvalidReferenceError as error:
        return Unresolved(text, error.message, error.hint)


def make_scan(content: bytes, found: Iterable[Found], problems: Iterable[tuple[int, str]]) -> Scan:
    """Give everything its line and column; problems come as byte offsets and reasons."""
    lines = LineIndex(content)
    return Scan(
        tuple(
            Reference(
                kind=each.kind,
                text=each.text,
                span=each.span,
                position=lines.position(each.span.start),
                target=each.target,
            )
            for each in found
        ),
        tuple(Problem(lines.position(offset), reason) for offset, reason in problems),
    )

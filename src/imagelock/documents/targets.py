"""From the text of a reference to what it means."""

from __future__ import annotations

from imagelock.documents.references import Editing, Image, Unresolved
from imagelock.errors import InvalidReferenceError
from imagelock.reference import parse_reference


def image_or_unresolved(text: str, editing: Editing) -> Image | Unresolved:
    """Make it an image, if the text is a reference that registries and their clients would accept."""
    try:
        return Image(text, parse_reference(text), editing)
    except InvalidReferenceError as error:
        return Unresolved(text, error.message, error.hint)

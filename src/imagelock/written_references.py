"""The locked images by what files write for them."""

from __future__ import annotations

from collections.abc import Iterable

from imagelock.documents.locked_references import LockedReferences
from imagelock.errors import InvalidReferenceError
from imagelock.reference import LayoutRepository, PinnedReference, split_reference
from imagelock.rendering import SpelledImage


def locked_references(images: Iterable[SpelledImage]) -> LockedReferences:
    """Make the locked images findable; those of a layout count by the reference that is their name there, if it is."""
    return LockedReferences(filter(None, map(_reference, images)))


def _reference(image: SpelledImage) -> PinnedReference | None:
    if image.name.startswith(str(LayoutRepository(""))):
        return None
    try:
        return PinnedReference(split_reference(image.name).repository, image.locked.digest, image.tag)
    except InvalidReferenceError:
        return None

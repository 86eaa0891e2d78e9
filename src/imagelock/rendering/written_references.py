"""The locked images by what files write for them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from imagelock.documents.locked_references import LockedReferences
from imagelock.errors import InvalidReferenceError
from imagelock.locking.lockfile import LockedImage
from imagelock.model.reference import LayoutRepository, PinnedReference, split_reference
from imagelock.model.selector import accepts
from imagelock.model.tags.version_range import VersionRange
from imagelock.rendering.template import SpelledImage


def locked_references(images: Iterable[SpelledImage]) -> LockedReferences:
    """Make the locked images findable; those of a layout count by the reference that is their name there, if it is."""
    found = [(reference, image.locked) for image in images if (reference := _reference(image))]
    ranges = {
        reference: partial(_is_in_range, locked)
        for reference, locked in found
        if isinstance(locked.selector, VersionRange)
    }
    return LockedReferences((reference for reference, _ in found), ranges=ranges)


def _is_in_range(locked: LockedImage, tag: str) -> bool:
    return accepts(locked.selector, tag=tag, digest=locked.digest)


def _reference(image: SpelledImage) -> PinnedReference | None:
    if image.name.startswith(str(LayoutRepository(""))):
        return None
    try:
        return PinnedReference(split_reference(image.name).repository, image.locked.digest, image.tag)
    except InvalidReferenceError:
        return None

"""Finds the declaration in images.toml for a reference in a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from imagelock.documents.references import Image, Reference
from imagelock.errors import InvalidReferenceError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.model.reference import (
    DEFAULT_TAG,
    AnyRepository,
    ImageReference,
    LayoutRepository,
    PinnedReference,
    split_reference,
)
from imagelock.model.selector import ExactDigest, ExactTag
from imagelock.model.tags.selection import accepts
from imagelock.model.tags.version_range import VersionRange


class DeclaredImages:
    """All declarations of images.toml, locked or not, indexed by repository."""

    def __init__(self, images: Iterable[ImageDeclaration]) -> None:
        self._by_repository: dict[AnyRepository, list[tuple[ImageDeclaration, str | None]]] = defaultdict(list)
        for image in images:
            repository, tag = as_written(image)
            self._by_repository[repository].append((image, tag))

    def find(self, reference: ImageReference) -> ImageDeclaration | None:
        """Return the declaration with the tag or digest of a reference, or with a range that includes its tag."""
        return next((image for image, tag in self._candidates(reference) if _selects(image, tag, reference)), None)

    def names(self, reference: Reference) -> bool:
        """Whether a reference in a document is a declared image."""
        return isinstance(reference.target, Image) and self.find(reference.target.reference) is not None

    def keys(self) -> Iterator[tuple[AnyRepository, str]]:
        """Yield repository and tag of each image with an exact tag."""
        for repository, images in self._by_repository.items():
            yield from ((repository, tag) for _, tag in images if tag is not None)

    def has_repository(self, repository: AnyRepository) -> bool:
        """Whether any image of a repository is declared."""
        return repository in self._by_repository

    def of_repository(self, reference: ImageReference) -> tuple[ImageDeclaration, ...]:
        """Return all declarations of the repository of a reference."""
        return tuple(image for image, _ in self._candidates(reference))

    def _candidates(self, reference: ImageReference) -> list[tuple[ImageDeclaration, str | None]]:
        return self._by_repository.get(reference.repository, [])


def as_written(image: ImageDeclaration) -> tuple[AnyRepository, str | None]:
    """Return repository and exact tag as documents write them: a layout's name may be a reference itself."""
    tag = image.selector.tag if isinstance(image.selector, ExactTag | ExactDigest) else None
    if isinstance(image.repository, LayoutRepository) and tag and ":" in tag:
        name, _, tag_there = tag.rpartition(":")
        try:
            return split_reference(name).repository, tag_there
        except InvalidReferenceError:
            return image.repository, tag
    return image.repository, tag


def _selects(image: ImageDeclaration, tag: str | None, reference: ImageReference) -> bool:
    digest = reference.digest if isinstance(reference, PinnedReference) else None
    match image.selector:
        case VersionRange() as wanted:
            return reference.tag is not None and accepts(wanted, reference.tag)
        case ExactDigest(wanted_digest):
            return digest == wanted_digest or (tag is not None and reference.tag == tag)
        case ExactTag():
            return (reference.tag or DEFAULT_TAG) == tag

"""What a reference is, beyond its digest: platforms, sizes, and what the image says about itself."""

from __future__ import annotations

from functools import partial

from imagelock.errors import BatchError, InvalidContentError
from imagelock.locking.parallel import ask_all
from imagelock.locking.resolve import ManifestSource
from imagelock.model.frozen import frozen
from imagelock.model.image_config import ImageConfig, parse_image_config
from imagelock.model.oci import Descriptor, FetchedManifest, ImageIndex, ImageManifest, parse_manifest
from imagelock.model.platforms import Platform
from imagelock.model.reference import AnyRepository, PinnedReference


@frozen(kw_only=True)
class InspectedImage:
    """One image for one platform."""

    fetched: FetchedManifest
    manifest: ImageManifest
    platform: Platform | None = None
    """As an index lists it; None for an image that no index led to."""

    @property
    def size_bytes(self) -> int:
        """What a pull transfers: all layers, compressed as they are."""
        return sum(layer.size_bytes for layer in self.manifest.layers)


@frozen(kw_only=True)
class Inspection:
    """An index with its images, or a single image."""

    fetched: FetchedManifest
    is_index: bool
    annotations: tuple[tuple[str, str], ...]
    images: tuple[InspectedImage, ...]
    config: ImageConfig | None
    """Of the first image; None where an index has none."""


def inspect_image(repository: AnyRepository, fetched: FetchedManifest, source: ManifestSource) -> Inspection:
    """Look at everything that an index or manifest leads to, except layers."""
    document = parse_manifest(fetched)
    match document:
        case ImageManifest():
            images: tuple[InspectedImage, ...] = (InspectedImage(fetched=fetched, manifest=document),)
        case ImageIndex():
            images = _images_of(document, repository, source)
    return Inspection(
        fetched=fetched,
        is_index=isinstance(document, ImageIndex),
        annotations=document.annotations,
        images=images,
        config=_fetch_config(repository, images[0], source) if images else None,
    )


def _images_of(index: ImageIndex, repository: AnyRepository, source: ManifestSource) -> tuple[InspectedImage, ...]:
    entries = {str(entry.digest): entry for entry in index.entries if entry.is_image}
    answers = ask_all({key: partial(_fetch_image, repository, entry, source) for key, entry in entries.items()})
    if answers.failures:
        raise BatchError("cannot read every image of the index", answers.failures)
    return tuple(answers.found[key] for key in entries)


def _fetch_image(repository: AnyRepository, entry: Descriptor, source: ManifestSource) -> InspectedImage:
    fetched = source.fetch_manifest(PinnedReference(repository, entry.digest))
    manifest = parse_manifest(fetched)
    if not isinstance(manifest, ImageManifest):
        raise InvalidContentError(f"{entry.digest} is listed as an image and is an index")
    return InspectedImage(fetched=fetched, manifest=manifest, platform=entry.platform)


def _fetch_config(repository: AnyRepository, image: InspectedImage, source: ManifestSource) -> ImageConfig:
    descriptor = image.manifest.config
    return parse_image_config(source.fetch_blob(repository, descriptor), what=f"the configuration {descriptor.digest}")

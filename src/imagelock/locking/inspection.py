"""What a reference is, beyond its digest: platforms, sizes, and what the image says about itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from imagelock.errors import BatchError, ImageNotFoundError, InvalidContentError
from imagelock.locking.changes import Updated
from imagelock.locking.parallel import run_all
from imagelock.locking.resolve import fetch_image
from imagelock.locking.source import ManifestSource
from imagelock.model.digest import Digest
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
    answers = run_all({key: partial(_fetch_image, repository, entry, source) for key, entry in entries.items()})
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


@frozen
class PlatformContent:
    """One platform's image: its layers from the bottom up, and its configuration."""

    layers: tuple[Descriptor, ...]
    config: ImageConfig

    @property
    def size_bytes(self) -> int:
        """What a pull transfers."""
        return sum(layer.size_bytes for layer in self.layers)


@frozen
class Difference:
    """One setting that differs; None where it isn't set."""

    name: str
    old: str | None
    new: str | None


@frozen(kw_only=True)
class ContentChange:
    """How one platform's image changed; ``old`` is None where it is no longer served."""

    platform: Platform
    old: PlatformContent | None
    new: PlatformContent

    @property
    def added_layers(self) -> tuple[Descriptor, ...]:
        """Layers that the old image doesn't have."""
        known = {layer.digest for layer in self.old.layers} if self.old else set()
        return tuple(layer for layer in self.new.layers if layer.digest not in known)

    @property
    def removed_layers(self) -> tuple[Descriptor, ...]:
        """Layers that the new image doesn't have any more."""
        kept = {layer.digest for layer in self.new.layers}
        return tuple(layer for layer in self.old.layers if layer.digest not in kept) if self.old else ()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Settings that differ: environment variables by name, then the entry point and the command."""
        if self.old is None:
            return ()
        return (*_environment(self.old.config, self.new.config), *_start(self.old.config, self.new.config))


def find_content_changes(change: Updated, source: ManifestSource) -> tuple[ContentChange, ...]:
    """Ask for both images of each platform that moved: four requests each, or none where they are cached."""
    old = {entry.platform: entry.digest for entry in change.old.platform_digests}
    new = {entry.platform: entry.digest for entry in change.new.platform_digests}
    return tuple(
        ContentChange(
            platform=platform,
            old=_fetch_if_there(change.old.repository, old[platform], source),
            new=_fetch(change.new.repository, new[platform], source),
        )
        for platform in change.moved_platforms
    )


def _fetch(repository: AnyRepository, digest: Digest, source: ManifestSource) -> PlatformContent:
    manifest, config = fetch_image(repository, digest, source)
    return PlatformContent(manifest.layers, config)


def _fetch_if_there(repository: AnyRepository, digest: Digest, source: ManifestSource) -> PlatformContent | None:
    try:
        return _fetch(repository, digest, source)
    except ImageNotFoundError:
        return None


def _environment(old: ImageConfig, new: ImageConfig) -> Iterator[Difference]:
    before, after = dict(old.environment), dict(new.environment)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Difference(name, before.get(name), after.get(name))


def _start(old: ImageConfig, new: ImageConfig) -> Iterator[Difference]:
    for name, before, after in (
        ("entry point", old.entry_point, new.entry_point),
        ("command", old.command, new.command),
    ):
        if before != after:
            yield Difference(name, " ".join(before) or None, " ".join(after) or None)

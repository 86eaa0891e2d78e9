"""Inspecting a reference: platforms, sizes and configuration of an image, and how they changed between two locks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from imagelock.errors import BatchError, ImagelockError, ImageNotFoundError, InvalidContentError, UnusableAnswerError
from imagelock.locking.changes import Updated
from imagelock.locking.parallel import run_all
from imagelock.locking.resolve import MAX_DEPTH, MAX_FOLLOWED, fetch_image
from imagelock.locking.source import ManifestSource
from imagelock.model.artifacts import ArtifactKind, guess_artifact, kind_of_artifact, kind_of_entry
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.image_config import ImageConfig, parse_image_config
from imagelock.model.oci import Descriptor, FetchedManifest, ImageIndex, ImageManifest, parse_manifest
from imagelock.model.platforms import Platform
from imagelock.model.reference import AnyRepository, PinnedReference

UNREADABLE = "unreadable"
"""The code of an entry that is gone, or is not what it is listed as."""
_INDEX = ArtifactKind("image-index", "image index")


@frozen(kw_only=True)
class InspectedImage:
    """One image for one platform."""

    fetched: FetchedManifest
    manifest: ImageManifest
    platform: Platform | None = None
    """Its platform in the index; None for an image without an index."""

    @property
    def size_bytes(self) -> int:
        """The size of all layers in bytes, as a pull transfers them."""
        return sum(layer.size_bytes for layer in self.manifest.layers)


@frozen(kw_only=True)
class InspectedEntry:
    """An entry of an index that is not an image: a nested index, an artifact, or content that cannot be read."""

    digest: Digest
    kind: ArtifactKind
    """A kind, such as ``a Helm chart``; for ``unreadable``, the name is the reason."""
    platform: Platform | None = None


@frozen(kw_only=True)
class Inspection:
    """An index with its images, or a single image or artifact."""

    fetched: FetchedManifest
    is_index: bool
    annotations: tuple[tuple[str, str], ...]
    images: tuple[InspectedImage, ...]
    config: ImageConfig | None
    """The configuration of the first image; None for an index without images, and for an artifact."""
    artifact: ArtifactKind | None = None
    """The kind of an artifact, such as ``a Helm chart``; None for images."""
    nested: tuple[InspectedEntry, ...] = ()
    """The nested indexes; their images are in ``images``, too."""
    others: tuple[InspectedEntry, ...] = ()


def inspect_image(repository: AnyRepository, fetched: FetchedManifest, source: ManifestSource) -> Inspection:
    """Fetch everything below an index or manifest, except layers."""
    document = parse_manifest(fetched)
    if isinstance(document, ImageIndex):
        walk = _Walk(repository, source)
        walk.read(document)
        images = tuple(walk.images)
        return Inspection(
            fetched=fetched,
            is_index=True,
            annotations=document.annotations,
            images=images,
            config=_fetch_config(repository, images[0], source) if images else None,
            nested=tuple(walk.nested),
            others=tuple(walk.others),
        )
    image = InspectedImage(fetched=fetched, manifest=document)
    artifact, config = kind_of_artifact(document), None
    if artifact is None:
        try:
            config = _fetch_config(repository, image, source)
        except InvalidContentError:
            artifact = guess_artifact(document)
            if artifact is None:
                raise
    return Inspection(
        fetched=fetched,
        is_index=False,
        annotations=document.annotations,
        images=(image,),
        config=config,
        artifact=artifact,
    )


@dataclass(slots=True)
class _Walk:
    """The walk through an index and its nested indexes, in their order."""

    repository: AnyRepository
    source: ManifestSource
    images: list[InspectedImage] = field(default_factory=list)
    nested: list[InspectedEntry] = field(default_factory=list)
    others: list[InspectedEntry] = field(default_factory=list)
    seen: set[Digest] = field(default_factory=set)

    def read(self, index: ImageIndex, *, parent: Platform | None = None, depth: int = 0) -> None:
        """Fetch every entry at once, each once; ``parent`` is the platform of an index in the index."""
        if depth > MAX_DEPTH or len(self.nested) > MAX_FOLLOWED:
            raise InvalidContentError("the image index nests too many others")
        entries = {str(entry.digest): entry for entry in index.entries if entry.digest not in self.seen}
        self.seen |= {entry.digest for entry in entries.values()}
        wanted = {key: entry for key, entry in entries.items() if entry.is_image or entry.is_index}
        answers = run_all({key: partial(self._fetch, entry) for key, entry in wanted.items()})
        unread = {key: error for key, error in answers.failures if _may_be_left_out(wanted[key], error)}
        failures = [failure for failure in answers.failures if failure[0] not in unread]
        if failures:
            raise BatchError("cannot read every image of the index", failures)
        for key, entry in entries.items():
            platform = entry.platform or parent
            if key in unread:
                kind = ArtifactKind(UNREADABLE, unread[key].message)
                self.others.append(InspectedEntry(digest=entry.digest, kind=kind, platform=platform))
            elif key in wanted:
                self._add(entry, answers.found[key], platform, depth)
            elif not entry.is_attestation:
                self.others.append(InspectedEntry(digest=entry.digest, kind=kind_of_entry(entry), platform=platform))

    def _add(
        self,
        entry: Descriptor,
        answer: tuple[FetchedManifest, ImageIndex | ImageManifest],
        platform: Platform | None,
        depth: int,
    ) -> None:
        fetched, document = answer
        if isinstance(document, ImageIndex):
            self.nested.append(InspectedEntry(digest=entry.digest, kind=_INDEX, platform=platform))
            self.read(document, parent=platform, depth=depth + 1)
        elif (kind := kind_of_artifact(document)) is not None:
            self.others.append(InspectedEntry(digest=entry.digest, kind=kind, platform=platform))
        else:
            self.images.append(InspectedImage(fetched=fetched, manifest=document, platform=platform))

    def _fetch(self, entry: Descriptor) -> tuple[FetchedManifest, ImageIndex | ImageManifest]:
        fetched = self.source.fetch_manifest(PinnedReference(self.repository, entry.digest))
        return fetched, parse_manifest(fetched)


def _may_be_left_out(entry: Descriptor, error: ImagelockError) -> bool:
    """Whether an entry may be left out: one without platform that is gone or not an image."""
    is_about_content = isinstance(error, ImageNotFoundError | InvalidContentError)
    return entry.platform is None and is_about_content and not isinstance(error, UnusableAnswerError)


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
        """The size of all layers in bytes, as a pull transfers them."""
        return sum(layer.size_bytes for layer in self.layers)


@frozen
class Difference:
    """One setting that differs; None on the side where it is not set."""

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
        """Layers that only the new image has."""
        known = {layer.digest for layer in self.old.layers} if self.old else set()
        return tuple(layer for layer in self.new.layers if layer.digest not in known)

    @property
    def removed_layers(self) -> tuple[Descriptor, ...]:
        """Layers that only the old image has."""
        kept = {layer.digest for layer in self.new.layers}
        return tuple(layer for layer in self.old.layers if layer.digest not in kept) if self.old else ()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Settings that differ: environment variables by name, then the entry point and the command."""
        if self.old is None:
            return ()
        return (*_environment(self.old.config, self.new.config), *_start(self.old.config, self.new.config))


def find_content_changes(change: Updated, source: ManifestSource) -> tuple[ContentChange, ...]:
    """Return the changes of each platform that moved, with four requests each for what is not cached."""
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

"""From a reference to what a lock records: the digest of what was found, and each platform's.

The source may be a registry or a layout on disk. Attestations are left out, nested indexes are followed to a small
depth, and a single image's platform is read from its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from imagelock.digest import Digest
from imagelock.errors import InvalidContentError
from imagelock.oci import (
    Descriptor,
    FetchedManifest,
    ImageIndex,
    ImageManifest,
    parse_config_platform,
    parse_manifest,
)
from imagelock.platforms import Platform, PlatformDigest
from imagelock.reference import AnyRepository, ImageReference, PinnedReference

_MAX_DEPTH = 3
"""Indexes in indexes are legal and rare; BuildKit and containerd follow them, real ones have one level."""


class ManifestSource(Protocol):
    """What resolving needs of a registry or a layout. Every method may raise a ``RegistryError``."""

    def expect(self, repositories: Iterable[AnyRepository]) -> None:
        """Hear what is going to be asked, before it is: one token and early connections can serve it all."""

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Get the manifest or index; its digest is computed from the bytes, and checked if the reference has one."""
        ...

    def fetch_digest(self, reference: ImageReference) -> Digest:
        """Ask which digest a tag has now, or whether a digest is still served, without fetching content."""
        ...

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        """List every tag; a list that can't be read to its end is an error."""
        ...

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        """Get a small blob, such as an image's configuration, verified by its digest."""
        ...


@dataclass(frozen=True, slots=True)
class ResolvedImage:
    """What a registry holds under a reference at one moment."""

    digest: Digest
    platform_digests: tuple[PlatformDigest, ...]
    """One for each platform; where an index lists a platform twice, builders take the first entry, and so do we."""


def resolve_image(reference: ImageReference, source: ManifestSource) -> ResolvedImage:
    """Ask the source for an image and all its platforms; usually that is one request."""
    fetched = source.fetch_manifest(reference)
    entries = _platform_digests(reference.repository, fetched, source, parents=())
    first_of_each = {entry.platform: entry for entry in reversed(list(entries))}
    return ResolvedImage(fetched.digest, tuple(reversed(first_of_each.values())))


def _platform_digests(
    repository: AnyRepository,
    fetched: FetchedManifest,
    source: ManifestSource,
    *,
    parents: tuple[Digest, ...],
) -> Iterator[PlatformDigest]:
    document = parse_manifest(fetched)
    match document:
        case ImageManifest():
            yield PlatformDigest(_platform_of_image(repository, document, source), fetched.digest)
        case ImageIndex():
            parents = (*parents, fetched.digest)
            for entry in document.entries:
                yield from _entry_digests(repository, entry, source, parents=parents)


def _entry_digests(
    repository: AnyRepository, entry: Descriptor, source: ManifestSource, *, parents: tuple[Digest, ...]
) -> Iterator[PlatformDigest]:
    if entry.is_image and entry.platform is not None:
        yield PlatformDigest(entry.platform, entry.digest)
    elif entry.is_index or entry.is_image:
        if entry.digest in parents or len(parents) > _MAX_DEPTH:
            raise InvalidContentError(f"the image index {parents[0]} nests other indexes more than {_MAX_DEPTH} deep")
        nested = source.fetch_manifest(PinnedReference(repository, entry.digest))
        yield from _platform_digests(repository, nested, source, parents=parents)


def _platform_of_image(repository: AnyRepository, image: ImageManifest, source: ManifestSource) -> Platform:
    body = source.fetch_blob(repository, image.config)
    return parse_config_platform(body, what=f"the image configuration {image.config.digest}")

"""All content of an image: the manifests of all platforms, attestations, configurations and layers.

Cosign keeps signatures in tags of the same repository that are named for the digest that they are about:
``sha256-HEX.sig``, ``.att`` and ``.sbom``, and ``sha256-HEX`` for a list of referrers where the registry keeps none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from imagelock.errors import InvalidContentError
from imagelock.model.frozen import frozen
from imagelock.model.oci import (
    INDEX_MEDIA_TYPES,
    MANIFEST_MEDIA_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    FetchedManifest,
    ImageIndex,
    ImageManifest,
    parse_manifest,
)
from imagelock.model.reference import AnyRepository, ImageReference, PinnedReference, Repository, TagReference
from imagelock.model.strict_json import parse_json_object

_SIGNATURE_SUFFIXES = (".sig", ".att", ".sbom", "")
_TAG_HEX_LENGTH = 64
_MAX_DEPTH = 4
_MAX_MANIFESTS = 1000


class ManifestReader(Protocol):
    """Reads manifests and indexes."""

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Return a manifest or index with the digest of its bytes."""
        ...


@frozen(kw_only=True)
class ImageContents:
    """One image, or one tag with signatures, and everything below it."""

    repository: AnyRepository
    root: Descriptor
    manifests: tuple[Descriptor, ...]
    """The root and everything below it that is a manifest or an index."""
    blobs: tuple[Descriptor, ...]
    """Configurations, layers and statements, each once."""


def collect_contents(reference: ImageReference, source: ManifestReader) -> ImageContents:
    """Read the index and the manifests of an image, and return all its content."""
    fetched = source.fetch_manifest(reference)
    walk = _Walk(reference.repository, source)
    root = walk.enter(fetched, depth=0)
    return ImageContents(
        repository=reference.repository,
        root=root,
        manifests=tuple(walk.manifests.values()),
        blobs=tuple(walk.blobs.values()),
    )


def media_type_of(fetched: FetchedManifest) -> str:
    """Return the media type of a document: its own, else that of the server's header, else by its content."""
    document = parse_json_object(fetched.body, what=f"the manifest {fetched.digest}")
    known = document.get("mediaType") or fetched.content_type
    return str(known or (OCI_INDEX if "manifests" in document else OCI_MANIFEST))


def signature_tags(image: ImageContents) -> Iterator[TagReference]:
    """Return the tags in which cosign may keep signatures and attestations of an image or one of its manifests."""
    if isinstance(image.repository, Repository):
        for manifest in image.manifests:
            for suffix in _SIGNATURE_SUFFIXES:
                digest = manifest.digest
                yield TagReference(image.repository, f"{digest.algorithm}-{digest.hex[:_TAG_HEX_LENGTH]}{suffix}")


@dataclass(slots=True)
class _Walk:
    """The walk through an index, each manifest once; bounded, since a small index can name very many."""

    repository: AnyRepository
    source: ManifestReader
    manifests: dict[str, Descriptor] = field(default_factory=dict)
    blobs: dict[str, Descriptor] = field(default_factory=dict)

    def enter(self, fetched: FetchedManifest, *, depth: int) -> Descriptor:
        """Note a manifest and all below it; return its descriptor."""
        document = parse_manifest(fetched)
        descriptor = Descriptor(media_type=media_type_of(fetched), digest=fetched.digest, size_bytes=len(fetched.body))
        self.manifests[str(fetched.digest)] = descriptor
        if depth > _MAX_DEPTH or len(self.manifests) > _MAX_MANIFESTS:
            raise InvalidContentError(f"{self.repository} nests image indexes too deep, or too many of them")
        match document:
            case ImageManifest():
                self.blobs |= {str(blob.digest): blob for blob in (document.config, *document.layers)}
            case ImageIndex():
                for entry in document.entries:
                    self._follow(entry, depth=depth)
        return descriptor

    def _follow(self, entry: Descriptor, *, depth: int) -> None:
        if entry.media_type not in (*INDEX_MEDIA_TYPES, *MANIFEST_MEDIA_TYPES):
            self.blobs[str(entry.digest)] = entry
        elif str(entry.digest) not in self.manifests:
            self.enter(self.source.fetch_manifest(PinnedReference(self.repository, entry.digest)), depth=depth + 1)

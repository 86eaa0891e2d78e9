"""The protocols that registries and OCI layouts on disk implement for locking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor, FetchedManifest
from imagelock.model.reference import AnyRepository, ImageReference, PinnedReference


class ManifestSource(Protocol):
    """A registry or a layout, as resolving uses it. Every method may raise a ``RegistryError``."""

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
        """Announce the repositories of the following requests, so that one token serves them all."""

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Return the manifest or index; its digest is computed from the bytes, and compared with a pinned one."""
        ...

    def fetch_digest(self, reference: ImageReference) -> Digest:
        """Return the digest of a tag, or of a pinned reference that is still served, without fetching content."""
        ...

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        """Return the complete list of tags; a list that cannot be read to its end is an error."""
        ...

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        """Return a small blob, such as a configuration, verified by its digest."""
        ...


class ServingSource(ManifestSource, Protocol):
    """A source that also says what the registry itself serves now, without mirrors and cache."""

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        """Return content that is served now: with one GET, or with one HEAD if the bytes are cached."""
        ...

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        """Return the size of a blob in bytes without fetching it; None if the registry does not say."""
        ...


class BlobSource(ServingSource, Protocol):
    """A source that also reads blobs of any size."""

    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> AbstractContextManager[Iterator[bytes]]:
        """Open a blob, such as a layer, as pieces of bytes; after the last, an error if the digest is wrong."""
        ...

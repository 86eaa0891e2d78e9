"""What locking needs of a registry or of an OCI layout on disk: the protocol that both implement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor, FetchedManifest
from imagelock.model.reference import AnyRepository, ImageReference, PinnedReference


class ManifestSource(Protocol):
    """What resolving needs of a registry or a layout. Every method may raise a ``RegistryError``."""

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
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


class ServingSource(ManifestSource, Protocol):
    """A source that also tells what a registry itself serves now: no mirror and no cache answers for it."""

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        """Get content that is served now: by one GET, or by one HEAD where the bytes are cached."""
        ...

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        """Ask for a blob without fetching it; its size in bytes, or None where the answer does not tell."""
        ...


class BlobSource(ServingSource, Protocol):
    """A source that also gives blobs of any size."""

    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> AbstractContextManager[Iterator[bytes]]:
        """Open a blob, such as a layer: its bytes in pieces, which end in an error unless they have its digest."""
        ...

"""Where content comes from: a layout on disk or a registry, told apart by the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from imagelock.errors import RegistryError
from imagelock.locking.source import ServingSource
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor, FetchedManifest
from imagelock.model.reference import AnyRepository, ImageReference, LayoutRepository, PinnedReference
from imagelock.registry.oci_layout import LayoutSource

OpenRegistries = Callable[[Sequence[AnyRepository]], AbstractContextManager[ServingSource]]


class Sources:
    """Sends each question to where its answer is; the registry client is opened by the first one that needs it.

    Thread-safe. Without ``open_registries`` the network is off; it gets the repositories that are known to be asked.
    """

    def __init__(self, folder: Path, open_registries: OpenRegistries | None) -> None:
        self._layouts = LayoutSource(folder)
        self._open_registries = open_registries
        self._registries: ServingSource | None = None
        self._opened = ExitStack()
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, traceback)

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
        """Announce what is going to be asked of registries."""
        remote = [repository for repository in repositories if not isinstance(repository, LayoutRepository)]
        if remote and self._open_registries:
            self._open(self._open_registries, remote).prepare(remote)

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Get a manifest or an index."""
        return self._source_of(reference.repository).fetch_manifest(reference)

    def fetch_digest(self, reference: ImageReference) -> Digest:
        """Ask for the digest that a reference has now."""
        return self._source_of(reference.repository).fetch_digest(reference)

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        """List every tag of a repository."""
        return self._source_of(repository).list_tags(repository)

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        """Get a small blob."""
        return self._source_of(repository).fetch_blob(repository, descriptor)

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        """Get content that the registry or layout itself serves now."""
        return self._source_of(reference.repository).fetch_served(reference)

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        """Ask the registry or layout itself for a blob's size."""
        return self._source_of(repository).fetch_blob_size(repository, digest)

    def _source_of(self, repository: AnyRepository) -> ServingSource:
        if isinstance(repository, LayoutRepository):
            return self._layouts
        if self._open_registries is None:
            raise RegistryError(f"{repository} must be asked, and the network is off", hint="leave out `--offline`")
        return self._open(self._open_registries, [repository])

    def _open(self, open_registries: OpenRegistries, expected: Sequence[AnyRepository]) -> ServingSource:
        with self._lock:
            if self._registries is None:
                self._registries = self._opened.enter_context(open_registries(expected))
            return self._registries

"""One source over registries and OCI layouts on disk: the kind of reference decides which is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from imagelock.errors import InvalidContentError, RegistryError
from imagelock.locking.source import BlobSource
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.oci import Descriptor, FetchedManifest
from imagelock.model.reference import (
    AnyRepository,
    ImageReference,
    LayoutRepository,
    PinnedReference,
    RegistryName,
    Repository,
    TagReference,
)
from imagelock.registry.oci_layout import LayoutSource

if TYPE_CHECKING:
    from imagelock.registry.client import RegistryClient  # imports httpx
    from imagelock.registry.locations import RegistrySettings  # imports ssl and sockets

_T = TypeVar("_T")
OpenRegistries = Callable[[Sequence[AnyRepository]], AbstractContextManager[BlobSource]]


@frozen
class LayoutMirrors:
    """The OCI layouts that are mirrors of one registry."""

    folders: tuple[str, ...]
    """Relative to the folder of images.toml."""
    resolve_tags: bool = False
    """Whether they may resolve tags: a layout names the content of a tag ``REPOSITORY:TAG``."""


_ONLINE = "leave out `--offline`"
_LAYOUTS = "or let an OCI layout answer: `mirrors` and `mirrors-resolve-tags` in [registries]"
_NO_MIRRORS = LayoutMirrors(())


class Sources:
    """A ``ManifestSource`` over layouts and registries. Thread-safe.

    Content by digest comes from layouts that are mirrors if they have it, else from the registry. The first request
    that needs a registry calls ``open_registries`` with the repositories that are expected; ``None`` means that the
    network is off, and only layouts are read.
    """

    def __init__(
        self,
        folder: Path,
        open_registries: OpenRegistries | None,
        mirrors: Mapping[RegistryName, LayoutMirrors] = MappingProxyType({}),
    ) -> None:
        self._layouts = LayoutSource(folder)
        self._open_registries = open_registries
        self._mirrors = mirrors
        self._registries: BlobSource | None = None
        self._tags: dict[AnyRepository, tuple[str, ...]] = {}
        self._opened = ExitStack()
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, traceback)

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
        """Prepare the registries for these repositories, except those whose tags layouts may resolve."""
        remote = [
            repository
            for repository in repositories
            if isinstance(repository, Repository) and not self._mirrors_of(repository).resolve_tags
        ]
        if remote and self._open_registries:
            self._open(self._open_registries, remote).prepare(remote)

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Return a manifest or an index."""
        found = self._find_in_layouts(
            reference, lambda layout: self._layouts.fetch_manifest(_layout_reference(reference, layout))
        )
        return found or self._source_of(reference.repository).fetch_manifest(reference)

    def fetch_digest(self, reference: ImageReference) -> Digest:
        """Return the digest that a reference has now; for a pinned reference, its digest if it is still served."""
        found = None
        if self._is_offline or isinstance(reference, TagReference):
            found = self._find_in_layouts(
                reference, lambda layout: self._layouts.fetch_digest(_layout_reference(reference, layout))
            )
        return found or self._source_of(reference.repository).fetch_digest(reference)

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        """Return every tag of a repository, from the registry alone: a mirror may have only some of them."""
        if repository not in self._tags:
            self._tags[repository] = self._list_tags(repository)
        return self._tags[repository]

    def _list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        try:
            return self._source_of(repository, way_out=_ONLINE).list_tags(repository)
        except RegistryError as error:
            if isinstance(repository, Repository) and self._mirrors_of(repository).folders:
                from imagelock.registry.locations import with_mirror_note  # noqa: PLC0415  imports sockets

                raise with_mirror_note(error, repository) from error
            raise

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        """Return a small blob, verified by its digest."""
        reference = PinnedReference(repository, descriptor.digest)
        found = self._find_in_layouts(reference, lambda layout: self._layouts.fetch_blob(layout, descriptor))
        return self._source_of(repository).fetch_blob(repository, descriptor) if found is None else found

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        """Return content that the registry or layout itself serves now; without network, content of a layout."""
        return (
            self.fetch_manifest(reference)
            if self._is_offline
            else self._source_of(reference.repository).fetch_served(reference)
        )

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        """Return a blob's size in bytes from the registry or layout itself; without network, from the layouts."""
        found = None
        if self._is_offline:
            reference = PinnedReference(repository, digest)
            found = self._find_in_layouts(reference, lambda layout: self._layouts.fetch_blob_size(layout, digest))
        return self._source_of(repository).fetch_blob_size(repository, digest) if found is None else found

    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> AbstractContextManager[Iterator[bytes]]:
        """Open a blob of any size; its iteration raises an error unless it has the descriptor's digest."""

        def find(layout: LayoutRepository) -> LayoutRepository:
            # Hash all of it before it is used: a damaged mirror must not hide the registry.
            self._layouts.fetch_blob_size(layout, descriptor.digest)
            return layout

        layout = self._find_in_layouts(PinnedReference(repository, descriptor.digest), find)
        if layout is not None:
            return self._layouts.open_blob(layout, descriptor)
        return self._source_of(repository).open_blob(repository, descriptor)

    @property
    def _is_offline(self) -> bool:
        return self._open_registries is None

    def _find_in_layouts(self, reference: ImageReference, ask: Callable[[LayoutRepository], _T]) -> _T | None:
        """Return the first result from the layouts that are mirrors; without network, damaged content is an error."""
        mirrors = self._mirrors_of(reference.repository)
        if isinstance(reference, TagReference) and not mirrors.resolve_tags:
            return None
        damage = None
        for folder in mirrors.folders:
            try:
                return ask(LayoutRepository(folder))
            except InvalidContentError as error:
                damage = error
            except RegistryError:
                continue
        if damage is not None and self._is_offline:
            raise damage
        return None

    def _mirrors_of(self, repository: AnyRepository) -> LayoutMirrors:
        registry = repository.registry if isinstance(repository, Repository) else RegistryName("")
        return self._mirrors.get(registry, _NO_MIRRORS)

    def _source_of(self, repository: AnyRepository, *, way_out: str = f"{_ONLINE}, {_LAYOUTS}") -> BlobSource:
        if isinstance(repository, LayoutRepository):
            return self._layouts
        if self._open_registries is None:
            raise RegistryError(f"{repository} cannot be asked: offline mode is on", hint=way_out)
        return self._open(self._open_registries, [repository])

    def _open(self, open_registries: OpenRegistries, expected: Sequence[AnyRepository]) -> BlobSource:
        with self._lock:
            if self._registries is None:
                self._registries = self._opened.enter_context(open_registries(expected))
            return self._registries


def _layout_reference(reference: ImageReference, layout: LayoutRepository) -> ImageReference:
    """Return the reference under which a layout has a registry's image: by digest, or by canonical name."""
    if isinstance(reference, PinnedReference):
        return PinnedReference(layout, reference.digest)
    return TagReference(layout, str(reference))


@contextmanager
def open_registries(settings: RegistrySettings, expected: Sequence[AnyRepository]) -> Iterator[RegistryClient]:
    """Open a registry client for a ``with`` block; connections start before httpx is imported."""
    from imagelock.registry.locations import make_connections, open_early  # noqa: PLC0415  only the network needs it

    repositories = [repository for repository in expected if isinstance(repository, Repository)]
    connections = make_connections(settings)
    try:
        open_early(repositories, settings, connections)
        # Where rich is installed, httpx would import its own command line, which takes 20 ms more.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # Python refuses what is None there
        from imagelock.registry.client import open_registry_client  # noqa: PLC0415

        with open_registry_client(settings, connections) as client:
            yield client
    finally:
        connections.close()

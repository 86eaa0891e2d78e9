"""Fetch manifests, digests, blobs and lists of tags from registries: the ``ManifestSource`` of locking."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from threading import Lock
from typing import TypeVar

import httpx

from imagelock.errors import InvalidContentError, RegistryError
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor, FetchedManifest, is_schema_1, parse_manifest
from imagelock.model.reference import (
    AnyRepository,
    ImageReference,
    PinnedReference,
    RegistryName,
    Repository,
    TagReference,
)
from imagelock.registry.auth.schemes import SchemeMemory
from imagelock.registry.content_cache import ContentCache
from imagelock.registry.host import Dialer, Host, Hosts, Subject
from imagelock.registry.http import TransportFailure
from imagelock.registry.http.addresses import is_loopback
from imagelock.registry.http.backoff import Clock, SystemClock
from imagelock.registry.http.connections import Connections
from imagelock.registry.http.messages import content_type, first_header, stream_body
from imagelock.registry.http.sender import error_of
from imagelock.registry.http.transport import Transport
from imagelock.registry.http.urls import origin_of
from imagelock.registry.locations import Location, Locations, RegistrySettings, make_locations
from imagelock.registry.protocol import (
    TAG_ALGORITHM,
    blob_head_request,
    blob_request,
    blob_stream_request,
    check_stream,
    manifest_request,
    read_blob,
    read_digest_header,
    read_manifest,
)
from imagelock.registry.tag_lists import list_all_tags

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_Result = TypeVar("_Result")


class RegistryClient:
    """A ``ManifestSource`` over the distribution protocol. Thread-safe.

    Every method raises ``RegistryError`` or one of its subclasses, and nothing else.
    """

    def __init__(
        self, open_host: Callable[[Location], Host], locations: Locations, *, cache: ContentCache | None
    ) -> None:
        self._open_host = open_host
        self._locations = locations
        self._cache = cache
        self._lock = Lock()
        self._hosts: dict[RegistryName, Host] = {}

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
        """Open connections for the repositories that will be asked for, and plan their tokens; it never fails."""
        paths: defaultdict[Location, dict[str, None]] = defaultdict(dict)
        for repository in repositories:
            # A blocked repository is an error only when its own image is fetched.
            with suppress(RegistryError):
                location = self._locations.of_tag(_repository_of(repository))[0]
                paths[location.without_path()][location.path] = None
        for location, expected in paths.items():
            self._host(location).prepare(expected)

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Return a manifest or index with the digest of its bytes; from the cache if it has that digest.

        Where the cache knows a tag's last digest, a ``HEAD`` checks it first: registries count ``GET`` as a pull.
        """
        return self._find_cached(reference) or self._fetch(reference)

    def fetch_digest(self, reference: ImageReference) -> Digest:
        """Return the digest that a tag has now; for a pinned reference, its digest if the registry still serves it.

        Uses ``HEAD``, which Docker Hub does not count as a pull; without a usable response the content is fetched.
        """
        digest = self._head(reference)
        if digest is not None:
            return digest
        locations = self._authoritative_locations(reference)
        fetched = _first_success(locations, lambda location: self._fetch_from(location, reference))
        if isinstance(reference, TagReference):
            # Any other body with status 200 has a digest as well: only that of a manifest is returned.
            parse_manifest(fetched, what=str(reference), keeps_unusable=True)
        return self._store(reference, fetched).digest

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        """Return content that the registry itself serves now, by one ``GET``, or ``HEAD`` if it is cached."""
        body = self._cache.read(reference.digest) if self._cache else None
        if body is None:
            origin = self._locations.origin_of(_repository_of(reference.repository))
            return self._store(reference, self._fetch_from(origin, reference))
        self.fetch_digest(reference)
        return FetchedManifest(reference.digest, body)

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        """Return a blob's size in bytes, by ``HEAD`` to the registry itself; ``None`` without a length."""
        repository = _repository_of(repository)
        location = self._locations.origin_of(repository)
        host = self._host(location)
        subject = Subject(location.path, repository, f"the blob {digest} of {repository}")
        response = host.ask(blob_head_request(host.endpoint, location.path, digest), subject)
        length = first_header(response, "content-length")
        return int(length) if _LENGTH.fullmatch(length) else None

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        """Return a small blob, such as a configuration, verified by its digest; from the cache if it is there."""
        repository = _repository_of(repository)
        cached = self._cache.read(descriptor.digest) if self._cache else None
        if cached is not None and len(cached) == descriptor.size_bytes:
            return cached
        locations = self._locations.of_content(repository)
        body = _first_success(locations, lambda location: self._fetch_blob_from(location, repository, descriptor))
        if self._cache:
            self._cache.write(descriptor.digest, body)
        return body

    @contextmanager
    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        """Open a blob of any size, such as a layer, and yield its bytes in pieces of at most 64 KiB.

        The pieces are hashed as they pass: the iteration ends without an error only if size and digest are those of
        the descriptor. Until then the bytes are not verified. From any thread::

            with client.open_blob(repository, descriptor) as pieces, path.open("wb") as file:
                for piece in pieces:
                    file.write(piece)

        The first mirror that responds serves all of it. A broken connection raises ``TemporaryError``, after which the
        caller may open the blob again. Nothing is cached.
        """
        repository = _repository_of(repository)
        locations = self._locations.of_content(repository)
        with ExitStack() as stack:
            response = _first_success(locations, lambda location: self._open_blob_at(location, repository, descriptor))
            stack.callback(response.close)
            yield check_stream(descriptor, _read_stream(response), what=str(repository), url=response.url)

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        """Return every tag of a repository once, in the registry's order: the complete list, or an error."""
        repository = _repository_of(repository)
        location = self._locations.origin_of(repository)
        with self._locations.noting_mirrors(repository):
            return list_all_tags(self._host(location), Subject(location.path, repository, str(repository)))

    def _find_cached(self, reference: ImageReference) -> FetchedManifest | None:
        if self._cache is None:
            return None
        is_pinned = isinstance(reference, PinnedReference)
        digest = reference.digest if isinstance(reference, PinnedReference) else self._cache.find_tag(reference)
        body = None if digest is None else self._cache.read(digest)
        if digest is None or body is None or not (is_pinned or self._head(reference) == digest):
            return None
        return FetchedManifest(digest, body)

    def _fetch(self, reference: ImageReference) -> FetchedManifest:
        repository = _repository_of(reference.repository)
        is_pinned = isinstance(reference, PinnedReference)
        locations = self._locations.of_content(repository) if is_pinned else self._locations.of_tag(repository)
        fetched = _first_success(locations, lambda location: self._fetch_from(location, reference))
        return self._store(reference, fetched)

    def _store(self, reference: ImageReference, fetched: FetchedManifest) -> FetchedManifest:
        if self._cache:
            self._cache.write(fetched.digest, fetched.body)
            if isinstance(reference, TagReference):
                self._cache.note_tag(reference, fetched.digest)
        return fetched

    def _fetch_from(self, location: Location, reference: ImageReference) -> FetchedManifest:
        host = self._host(location)
        request = manifest_request(host.endpoint, location.path, reference)
        subject = Subject(location.path, _repository_of(reference.repository), str(reference))
        response = host.ask(request, subject)
        try:
            return read_manifest(reference, response)
        except InvalidContentError as problem:
            raise host.content_error(response, subject, problem) from problem

    def _fetch_blob_from(self, location: Location, repository: Repository, descriptor: Descriptor) -> bytes:
        host = self._host(location)
        request = blob_request(host.endpoint, location.path, descriptor)
        subject = Subject(location.path, repository, f"a blob of {repository}")
        response = host.ask(request, subject)
        try:
            return read_blob(descriptor, response, what=str(repository))
        except InvalidContentError as problem:
            raise host.content_error(response, subject, problem) from problem

    def _open_blob_at(self, location: Location, repository: Repository, descriptor: Descriptor) -> httpx.Response:
        host = self._host(location)
        request = blob_stream_request(host.endpoint, location.path, descriptor)
        return host.ask(request, Subject(location.path, repository, f"a blob of {repository}"))

    def _head(self, reference: ImageReference) -> Digest | None:
        """Return the digest in the response to a ``HEAD``; ``None`` if it has none that can be trusted."""
        locations = self._authoritative_locations(reference)
        return _first_success(locations, lambda location: self._head_at(location, reference))

    def _authoritative_locations(self, reference: ImageReference) -> Sequence[Location]:
        """Return the locations that may resolve a reference: the registry itself and, for tags, trusted mirrors."""
        repository = _repository_of(reference.repository)
        is_tag = isinstance(reference, TagReference)
        return self._locations.of_tag(repository) if is_tag else (self._locations.origin_of(repository),)

    def _head_at(self, location: Location, reference: ImageReference) -> Digest | None:
        host = self._host(location)
        subject = Subject(location.path, _repository_of(reference.repository), str(reference))
        response = host.send(manifest_request(host.endpoint, location.path, reference, method="HEAD"), subject)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            host.raise_for_status(response, subject)
        return _digest_of_head(reference, response)

    def _host(self, location: Location) -> Host:
        with self._lock:
            if location.host not in self._hosts:
                self._hosts[location.host] = self._open_host(location)
            return self._hosts[location.host]


@contextmanager
def open_registry_client(settings: RegistrySettings, connections: Connections) -> Iterator[RegistryClient]:
    """Open a client for a ``with`` block; on leaving it, every exchange and every wait of other threads ends."""
    clock = SystemClock()
    transport = Transport(connections, time_limit_seconds=settings.time_limit_seconds)
    memory = SchemeMemory(settings.cache_directory, clock=clock)
    hosts = Hosts(settings, transport=transport, dialer=connections, clock=clock, memory=memory)
    try:
        yield _client_of(hosts, settings)
    finally:
        hosts.close()
        clock.wake_sleepers()
        transport.close()
        connections.close()
        memory.save()


def make_registry_client(
    settings: RegistrySettings, *, transport: httpx.BaseTransport, dialer: Dialer, clock: Clock, memory: SchemeMemory
) -> RegistryClient:
    """Return a client over any transport, dialer and clock."""
    return _client_of(Hosts(settings, transport=transport, dialer=dialer, clock=clock, memory=memory), settings)


def _client_of(hosts: Hosts, settings: RegistrySettings) -> RegistryClient:
    cache = None if settings.cache_directory is None else ContentCache(settings.cache_directory)
    return RegistryClient(hosts.open, make_locations(settings), cache=cache)


def _first_success(locations: Sequence[Location], fetch: Callable[[Location], _Result]) -> _Result:
    """Try the locations in order; only the error of the last one, the registry itself, is raised."""
    for mirror in locations[:-1]:
        with suppress(RegistryError):
            return fetch(mirror)
    return fetch(locations[-1])


def _digest_of_head(reference: ImageReference, response: httpx.Response) -> Digest | None:
    """Return the digest in the response to a ``HEAD``, unless it came without TLS and may be forged."""
    origin = origin_of(response.url)
    is_private = origin.is_encrypted or is_loopback(origin.host)
    if not (response.is_success and is_private) or is_schema_1(content_type(response)):
        return None
    digest = read_digest_header(response)
    if isinstance(reference, PinnedReference):
        return digest if digest == reference.digest else None
    # Locks hold the digest that we compute of a tag's content: another algorithm's would look like another image.
    return digest if digest is not None and digest.algorithm == TAG_ALGORITHM else None


def _read_stream(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body of a streamed response; ``RegistryError`` if it ends early."""
    try:
        yield from stream_body(response)
    except TransportFailure as failure:
        raise error_of(failure, response.request) from failure


def _repository_of(repository: AnyRepository) -> Repository:
    if not isinstance(repository, Repository):
        raise TypeError(f"{repository} lies in no registry")
    return repository

"""Answer what locking asks of registries: manifests, digests, small blobs and lists of tags."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import TypeVar

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
from imagelock.registry.content_cache import ContentCache
from imagelock.registry.http.addresses import is_loopback
from imagelock.registry.http.backoff import TOO_MANY_REQUESTS
from imagelock.registry.http.messages import TAG_LIST_BYTES, TAGS_PAGES, Response
from imagelock.registry.http.urls import Url
from imagelock.registry.locations import Place, Places
from imagelock.registry.protocol import (
    TAG_ALGORITHM,
    blob_request,
    manifest_request,
    read_blob,
    read_digest_header,
    read_manifest,
    read_tags_page,
    tags_request,
)
from imagelock.registry.session import Session, Subject

_PAGE_SIZE_REFUSED = (400, 405)


def list_tags(session: Session, subject: Subject) -> tuple[str, ...]:
    """Return every tag once, in the registry's order."""
    repository = subject.repository
    request = tags_request(session.endpoint, subject.path)
    response = session.answer(request, subject)
    if response.status in _PAGE_SIZE_REFUSED:
        request = tags_request(session.endpoint, subject.path, with_page_size=False)
        response = session.answer(request, subject)
    tags: dict[str, None] = {}
    visited: set[Url] = set()
    received_bytes = 0
    for _ in range(TAGS_PAGES):
        session.demand_success(response, subject)
        page = read_tags_page(response, asked=request.url, what=str(repository))
        received_bytes += len(response.body)
        if received_bytes > TAG_LIST_BYTES:
            raise InvalidContentError(f"the list of tags of {repository} has more than {TAG_LIST_BYTES} bytes")
        known = len(tags)
        tags.update(dict.fromkeys(page.tags))
        if page.following is None or page.is_empty or (not page.is_linked and len(tags) == known):
            return tuple(tags)
        if page.following in visited or (page.tags and len(tags) == known):
            raise InvalidContentError(f"the list of tags of {repository} has no end: its pages go in a circle")
        visited.add(page.following)
        request = request.at(page.following)
        response = session.answer(request, subject)
    raise InvalidContentError(f"the list of tags of {repository} has more than {TAGS_PAGES} pages")


OpenSession = Callable[[Place], Session]
_Answer = TypeVar("_Answer")


class RegistryClient:
    """A ``ManifestSource`` over the distribution protocol. Thread-safe."""

    def __init__(self, open_session: OpenSession, places: Places, *, cache: ContentCache | None) -> None:
        self._open_session = open_session
        self._places = places
        self._cache = cache
        self._lock = Lock()
        self._sessions: dict[RegistryName, Session] = {}

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
        """Hear what is going to be asked: one token and early connections can serve it all."""
        paths: defaultdict[Place, dict[str, None]] = defaultdict(dict)
        for repository in repositories:
            # One that must not be asked is an error when it is asked, and of that image alone.
            with suppress(RegistryError):
                place = self._places.of_tag(_repository_of(repository))[0]
                paths[replace(place, path="")][place.path] = None
        for place, expected in paths.items():
            self._session(place).prepare(expected)

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Get a manifest or index under the digest of its bytes; from the cache if it is there under that digest.

        A tag whose digest was seen before is asked for that first: pulls are counted, such questions aren't.
        """
        return self._find_known(reference) or self._fetch(reference)

    def fetch_digest(self, reference: ImageReference) -> Digest:
        """Ask which digest a tag has now, or the registry itself whether a digest is still served.

        ``HEAD`` is free where pulls are counted; where it is refused or tells no digest, the content is fetched.
        """
        digest = self._look(reference)
        if digest is not None:
            return digest
        fetched = _first_success(self._judges_of(reference), lambda place: self._fetch_from(place, reference))
        if isinstance(reference, TagReference):
            # Whatever else was answered with status 200 has a digest, too, and it is no image's.
            parse_manifest(fetched, what=str(reference))
        return self._keep(reference, fetched).digest

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        """Return content that the registry itself serves now: one GET, or one HEAD where the bytes are cached."""
        body = self._cache.read(reference.digest) if self._cache else None
        if body is None:
            origin = self._places.home(_repository_of(reference.repository))
            return self._keep(reference, self._fetch_from(origin, reference))
        self.fetch_digest(reference)
        return FetchedManifest(reference.digest, body)

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        """Ask the registry itself by HEAD for a blob; its size in bytes, or None where the answer does not tell."""
        repository = _repository_of(repository)
        place = self._places.home(repository)
        session = self._session(place)
        request = replace(
            blob_request(session.endpoint, place.path, Descriptor(media_type="", digest=digest, size_bytes=0)),
            method="HEAD",
        )
        response = session.ask(request, Subject(place.path, repository, f"the blob {digest} of {repository}"))
        length = response.headers.get("content-length")
        return int(length) if re.fullmatch(r"[0-9]{1,18}", length, re.ASCII) else None

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        """Get a small blob, verified by its digest."""
        repository = _repository_of(repository)
        cached = self._cache.read(descriptor.digest) if self._cache else None
        if cached is not None and len(cached) == descriptor.size_bytes:
            return cached
        places = self._places.of_content(repository)
        body = _first_success(places, lambda place: self._fetch_blob_from(place, repository, descriptor))
        if self._cache:
            self._cache.write(descriptor.digest, body)
        return body

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        """List every tag of a repository, or fail."""
        repository = _repository_of(repository)
        place = self._places.home(repository)
        return list_tags(self._session(place), Subject(place.path, repository, str(repository)))

    def _find_known(self, reference: ImageReference) -> FetchedManifest | None:
        if self._cache is None:
            return None
        is_pinned = isinstance(reference, PinnedReference)
        digest = reference.digest if isinstance(reference, PinnedReference) else self._cache.find_tag(reference)
        body = None if digest is None else self._cache.read(digest)
        if digest is None or body is None or not (is_pinned or self._look(reference) == digest):
            return None
        return FetchedManifest(digest, body)

    def _fetch(self, reference: ImageReference) -> FetchedManifest:
        repository = _repository_of(reference.repository)
        is_pinned = isinstance(reference, PinnedReference)
        places = self._places.of_content(repository) if is_pinned else self._places.of_tag(repository)
        return self._keep(reference, _first_success(places, lambda place: self._fetch_from(place, reference)))

    def _keep(self, reference: ImageReference, fetched: FetchedManifest) -> FetchedManifest:
        if self._cache:
            self._cache.write(fetched.digest, fetched.body)
            if isinstance(reference, TagReference):
                self._cache.note_tag(reference, fetched.digest)
        return fetched

    def _fetch_from(self, place: Place, reference: ImageReference) -> FetchedManifest:
        session = self._session(place)
        request = manifest_request(session.endpoint, place.path, reference)
        subject = Subject(place.path, _repository_of(reference.repository), str(reference))
        return read_manifest(reference, session.ask(request, subject))

    def _fetch_blob_from(self, place: Place, repository: Repository, descriptor: Descriptor) -> bytes:
        session = self._session(place)
        request = blob_request(session.endpoint, place.path, descriptor)
        response = session.ask(request, Subject(place.path, repository, f"a blob of {repository}"))
        return read_blob(descriptor, response, what=str(repository))

    def _look(self, reference: ImageReference) -> Digest | None:
        """Ask without fetching; ``None`` if the answer tells nothing that may be believed."""
        return _first_success(self._judges_of(reference), lambda place: self._look_at(place, reference))

    def _judges_of(self, reference: ImageReference) -> Sequence[Place]:
        """List the places whose word on a reference counts: for a tag those that a fetch of it would ask, too."""
        repository = _repository_of(reference.repository)
        is_tag = isinstance(reference, TagReference)
        return self._places.of_tag(repository) if is_tag else (self._places.home(repository),)

    def _look_at(self, place: Place, reference: ImageReference) -> Digest | None:
        session = self._session(place)
        subject = Subject(place.path, _repository_of(reference.repository), str(reference))
        response = session.answer(manifest_request(session.endpoint, place.path, reference, method="HEAD"), subject)
        if response.status == TOO_MANY_REQUESTS:
            session.demand_success(response, subject)
        return _digest_of_look(reference, response)

    def _session(self, place: Place) -> Session:
        with self._lock:
            if place.host not in self._sessions:
                self._sessions[place.host] = self._open_session(place)
            return self._sessions[place.host]


def _first_success(places: Sequence[Place], fetch: Callable[[Place], _Answer]) -> _Answer:
    """Ask one place after the other; only what the last one, the registry itself, says is an error."""
    for mirror in places[:-1]:
        with suppress(RegistryError):
            return fetch(mirror)
    return fetch(places[-1])


def _digest_of_look(reference: ImageReference, response: Response) -> Digest | None:
    """Return the digest that a ``HEAD`` tells, if it may be believed: nobody on the way could have written it."""
    is_private = response.url.origin.is_encrypted or is_loopback(response.url.origin.host)
    if not (response.is_success and is_private) or is_schema_1(response.content_type):
        return None
    digest = read_digest_header(response)
    if isinstance(reference, PinnedReference):
        return digest if digest == reference.digest else None
    # Locks hold what we hash a tag's content to, and another algorithm's digest would look like another image.
    return digest if digest is not None and digest.algorithm == TAG_ALGORITHM else None


def _repository_of(repository: AnyRepository) -> Repository:
    if not isinstance(repository, Repository):
        raise TypeError(f"{repository} lies in no registry")
    return repository

"""A registry in memory: what resolving and locking need of one, and a list of what it was asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from imagelock.errors import ImagelockError, ImageNotFoundError, InvalidContentError
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor, FetchedManifest
from imagelock.model.reference import AnyRepository, ImageReference, PinnedReference
from tests.support.oci_images import Content


@dataclass(slots=True)
class MemorySource:
    """Serves content by tag (``docker.io/library/go:1``) and by digest, whatever the repository."""

    tags: dict[str, Content] = field(default_factory=dict)
    failures: dict[str, ImagelockError] = field(default_factory=dict)
    """What to raise instead of an answer, by reference."""
    requests: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    piece_bytes: int = 1000
    """Of the pieces in which large blobs come."""
    _contents: dict[str, Content] = field(default_factory=dict)

    def push(self, tag: str, image: Content) -> Content:
        """Serve an image under a tag, and all its content by digest."""
        self.tags[tag] = image
        self._contents |= {content.digest: content for content in image.walk()}
        return image

    def forget(self, image: Content) -> None:
        """Serve one content no longer, as registries do that collect garbage."""
        del self._contents[image.digest]

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
        self.expected += map(str, repositories)

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        content = self._find("GET", reference)
        return FetchedManifest(Digest.parse(content.digest), content.body, content.media_type)

    def fetch_digest(self, reference: ImageReference) -> Digest:
        return Digest.parse(self._find("HEAD", reference).digest)

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        return self._find("BLOB", PinnedReference(repository, descriptor.digest)).body

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        content = self._find("SERVED", reference)
        return FetchedManifest(Digest.parse(content.digest), content.body, content.media_type)

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        return len(self._find("HEAD BLOB", PinnedReference(repository, digest)).body)

    @contextmanager
    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        body = self._find("BLOB", PinnedReference(repository, descriptor.digest)).body
        yield verified_pieces(descriptor, body, piece_bytes=self.piece_bytes)

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        self.requests.append(f"TAGS {repository}")
        prefix = f"{repository}:"
        return tuple(tag.removeprefix(prefix) for tag in self.tags if tag.startswith(prefix))

    def _find(self, method: str, reference: ImageReference) -> Content:
        self.requests.append(f"{method} {reference}")
        if str(reference) in self.failures:
            raise self.failures[str(reference)]
        if isinstance(reference, PinnedReference):
            found = self._contents.get(str(reference.digest))
        else:
            found = self.tags.get(str(reference))
        if found is None:
            raise ImageNotFoundError(f"{reference} is not there")
        return found


def verified_pieces(descriptor: Descriptor, body: bytes, *, piece_bytes: int) -> Iterator[bytes]:
    """The pieces of a blob, which end in an error unless they are what its descriptor says."""
    yield from (body[start : start + piece_bytes] for start in range(0, len(body), piece_bytes))
    if len(body) != descriptor.size_bytes or Digest.of(body) != descriptor.digest:
        raise InvalidContentError(f"{descriptor.digest} was answered with other content")

"""Copy images into an OCI layout, byte for byte, with their manifests, blobs and signatures.

Manifests are fetched first, since they list the blobs; then each blob that the layout lacks, once for all images;
index.json is written last. A run that ends early leaves complete content, which the next run keeps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from imagelock.errors import BatchError, ExitCode, ImagelockError, ImageNotFoundError, TemporaryError
from imagelock.locking.contents import ImageContents, ManifestReader, collect_contents, media_type_of, signature_tags
from imagelock.locking.mirror import MirroredImage
from imagelock.locking.parallel import Watcher, run_all
from imagelock.locking.source import BlobSource
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.oci import Descriptor, FetchedManifest
from imagelock.model.reference import AnyRepository, ImageReference, PinnedReference, TagReference
from imagelock.registry.layout_writer import LayoutWriter

_MAX_DOWNLOADS = 8
_MAX_LOOKUPS = 12
"""The most tags of one repository to look up one by one: those for an index with two platforms."""
_ATTEMPTS = 4
"""For one blob, if its connection breaks."""


class Progress(Protocol):
    """Receives the progress of manifests and blobs, and of their bytes."""

    manifests: Watcher
    blobs: Watcher

    def expect_bytes(self, size_bytes: int) -> None:
        """Add to the total number of bytes."""
        ...

    def add(self, size_bytes: int) -> None:
        """Add to the bytes that are done; a negative number where a blob starts again. Called from many threads."""
        ...


@frozen(kw_only=True)
class MirrorResult:
    """The result of a run: the contents of the layout, and the bytes that were fetched."""

    names: Mapping[str, Descriptor]
    """All images and signatures of this run by their names."""
    size_bytes: int
    """The size of their manifests and blobs."""
    fetched_bytes: int
    """The size of the blobs that the layout lacked."""
    skipped: tuple[Descriptor, ...]
    """Non-distributable layers, which the registry does not have."""


@frozen
class _Blob:
    """A blob and a repository that has it."""

    repository: AnyRepository
    descriptor: Descriptor


def mirror_images(
    images: Sequence[MirroredImage],
    source: BlobSource,
    writer: LayoutWriter,
    *,
    progress: Progress,
    with_signatures: bool = True,
) -> MirrorResult:
    """Fetch the content of images that a layout lacks, without its index.json; ``BatchError`` has all failures."""
    manifests = _SavingReader(source, writer)
    contents = _collect_images(images, manifests, progress.manifests)
    if with_signatures:
        contents |= _collect_signatures(contents.values(), manifests, source, progress.manifests)
    blobs = {blob.digest: _Blob(image.repository, blob) for image in contents.values() for blob in image.blobs}
    size_bytes = sum(blob.descriptor.size_bytes for blob in blobs.values())
    progress.expect_bytes(size_bytes)
    # The largest first: a large one that starts last would delay the end.
    in_order = sorted(blobs.values(), key=lambda blob: -blob.descriptor.size_bytes)
    named = {f"{blob.repository}@{blob.descriptor.digest}": blob for blob in in_order}
    questions = {name: partial(_ensure, blob, source, writer, progress) for name, blob in named.items()}
    results = run_all(questions, max_workers=_MAX_DOWNLOADS, watcher=progress.blobs)
    if results.failures:
        raise BatchError(f"cannot fetch {len(results.failures)} of {len(blobs)} blobs", results.failures)
    skipped = (named[name].descriptor for name, fetched in results.found.items() if fetched is None)
    return MirrorResult(
        names={name: image.root for name, image in sorted(contents.items())},
        size_bytes=manifests.size_bytes + size_bytes,
        fetched_bytes=sum(fetched or 0 for fetched in results.found.values()),
        skipped=tuple(sorted(skipped, key=lambda descriptor: str(descriptor.digest))),
    )


def _collect_images(
    images: Iterable[MirroredImage], source: ManifestReader, watcher: Watcher
) -> dict[str, ImageContents]:
    """Return the contents of all images by name, from their manifests."""
    questions = {image.name: partial(collect_contents, image.reference, source) for image in images}
    results = run_all(questions, watcher=watcher)
    if results.failures:
        message = f"cannot read {len(results.failures)} of {len(questions)} images"
        raise BatchError(message, results.failures, action="cannot read")
    return dict(results.found)


def _collect_signatures(
    images: Iterable[ImageContents], source: ManifestReader, registry: BlobSource, watcher: Watcher
) -> dict[str, ImageContents]:
    """Return the contents of cosign's tags for the images by name; only a 404 counts as missing."""
    tags = {str(tag): tag for tag in _signature_tags(images, registry)}
    questions = {name: partial(collect_contents, tag, source) for name, tag in tags.items()}
    results = run_all(questions, watcher=watcher)
    failures = [(name, error) for name, error in results.failures if not isinstance(error, ImageNotFoundError)]
    if failures:
        asked = f"{len(failures)} of {len(tags)} tags"
        message = f"cannot look for signatures under {asked} (`--no-signatures` leaves them out)"
        raise BatchError(message, _by_repository(failures, tags))
    return dict(results.found)


def _by_repository(
    failures: Iterable[tuple[str, ImagelockError]], tags: Mapping[str, TagReference]
) -> Iterator[tuple[str, ImagelockError]]:
    """Yield one failure for each repository and reason: an image may have eighty tags, which fail in the same way."""
    same: dict[tuple[str, str, ExitCode], dict[str, ImagelockError]] = {}
    for name, error in sorted(failures, key=lambda failure: failure[0]):
        key = str(tags[name].repository), error.message.replace(name, ""), error.exit_code
        same.setdefault(key, {})[name] = error
    for (repository, *_), found in same.items():
        name, error = next(iter(found.items()))
        yield (f"{repository} ({len(found)} tags)" if len(found) > 1 else name), error


def _signature_tags(images: Iterable[ImageContents], registry: BlobSource) -> Iterator[TagReference]:
    """Yield the tags to look up: all that cosign may have written, or those in the repository's list of tags.

    Official images have twenty manifests, so eighty possible tags: a list of all tags costs fewer requests.
    """
    by_repository: defaultdict[AnyRepository, dict[TagReference, None]] = defaultdict(dict)
    for image in images:
        by_repository[image.repository].update(dict.fromkeys(signature_tags(image)))
    many = {str(repository): repository for repository, tags in by_repository.items() if len(tags) > _MAX_LOOKUPS}
    lists = run_all({name: partial(registry.list_tags, repository) for name, repository in many.items()}).found
    for repository, tags in by_repository.items():
        # If the list is refused, each tag is looked up.
        listed = lists.get(str(repository))
        if listed is None:
            yield from tags
        else:
            known = set(listed)
            yield from (tag for tag in tags if tag.tag in known)


def _ensure(blob: _Blob, source: BlobSource, writer: LayoutWriter, progress: Progress) -> int | None:
    """Fetch a blob unless it is there; return the bytes fetched, ``None`` for a missing non-distributable layer."""
    if writer.has(blob.descriptor):
        progress.add(blob.descriptor.size_bytes)
        return 0
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _fetch(blob, source, writer, progress)
        except TemporaryError:
            if attempt == _ATTEMPTS:
                raise
        except ImageNotFoundError:
            if not blob.descriptor.is_foreign:
                raise
            return None
    return None


def _fetch(blob: _Blob, source: BlobSource, writer: LayoutWriter, progress: Progress) -> int:
    done = 0

    def counted(pieces: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal done
        for piece in pieces:
            done += len(piece)
            progress.add(len(piece))
            yield piece

    try:
        with source.open_blob(blob.repository, blob.descriptor) as pieces:
            writer.add_pieces(blob.descriptor, counted(pieces))
    except ImagelockError:
        progress.add(-done)
        raise
    return done


class _SavingReader:
    """Reads valid manifests of the layout, fetches the others from their source, and writes them to the layout."""

    def __init__(self, source: BlobSource, writer: LayoutWriter) -> None:
        self._source = source
        self._writer = writer
        self._sizes: dict[Digest, int] = {}

    @property
    def size_bytes(self) -> int:
        """The size of all manifests that were read."""
        return sum(self._sizes.values())

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Return a manifest or index, after writing it to the layout."""
        fetched = self._read(reference)
        if fetched is None:
            fetched = self._source.fetch_manifest(reference)
            media_type, size_bytes = media_type_of(fetched), len(fetched.body)
            descriptor = Descriptor(media_type=media_type, digest=fetched.digest, size_bytes=size_bytes)
            self._writer.add(descriptor, fetched.body)
        self._sizes[fetched.digest] = len(fetched.body)
        return fetched

    def _read(self, reference: ImageReference) -> FetchedManifest | None:
        if not isinstance(reference, PinnedReference):
            return None
        body = self._writer.read(reference.digest)
        return None if body is None else FetchedManifest(reference.digest, body)

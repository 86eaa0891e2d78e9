"""Read OCI image layouts: directories of images by digest, for machines without a network.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from imagelock.errors import FileError, ImageNotFoundError, InvalidContentError, InvalidDigestError, did_you_mean
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor, FetchedManifest, ImageIndex, parse_manifest
from imagelock.model.reference import AnyRepository, ImageReference, LayoutRepository, PinnedReference, TagReference
from imagelock.project.files import FileTooLargeError, read_bytes

NAME_ANNOTATION = "org.opencontainers.image.ref.name"
_SIGNATURE_SUFFIXES = (".sig", ".att", ".sbom")
_MAX_MANIFEST_BYTES = 4 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
_MAX_BLOB_BYTES = 8 * 1024 * 1024


def find_signed_digest(name: str) -> Digest | None:
    """Return the digest in the name of a cosign tag (``sha256-….sig``); ``None`` for any other name."""
    tag = name.rpartition(":")[2]
    tag = next((tag.removesuffix(suffix) for suffix in _SIGNATURE_SUFFIXES if tag.endswith(suffix)), tag)
    with suppress(InvalidDigestError):
        return Digest.parse(tag.replace("-", ":", 1))
    return None


class LayoutSource:
    """Reads manifests from layouts whose directories are relative to the folder of images.toml."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
        """Do nothing: a disk needs no preparation."""

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Return the manifest or index of a name in index.json, or of a digest."""
        digest = self.fetch_digest(reference)
        return FetchedManifest(digest, self._read_blob(reference.repository, digest, _MAX_MANIFEST_BYTES))

    def fetch_digest(self, reference: ImageReference) -> Digest:
        """Return the digest of a name in index.json, or a pinned digest after its manifest was verified."""
        if isinstance(reference, PinnedReference):
            if not self._blob_path(reference.repository, reference.digest).is_file():
                raise ImageNotFoundError(f"{reference.repository} has no content {reference.digest}")
            self._read_blob(reference.repository, reference.digest, _MAX_MANIFEST_BYTES)
            return reference.digest
        return self._find_named(reference)

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        """Return a manifest or index, as ``fetch_manifest`` does: a layout has no mirrors or cache."""
        return self.fetch_manifest(reference)

    @contextmanager
    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        """Open a blob of any size; its iteration raises an error at the end unless it has its digest."""
        with self._open(repository, descriptor.digest) as file:
            yield _verified_pieces(file, descriptor.digest)

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        """Return the size of a blob in bytes, after verifying its digest."""
        with self._open(repository, digest) as file:
            return sum(map(len, _verified_pieces(file, digest)))

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        """Return the names in index.json."""
        return tuple(dict.fromkeys(name for _, name in self._entries(repository) if name is not None))

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        """Return a small blob, verified by its digest."""
        return self._read_blob(repository, descriptor.digest, _MAX_BLOB_BYTES)

    def list_images(self, repository: AnyRepository) -> tuple[PinnedReference, ...]:
        """Return the images in index.json, with or without a name, except signatures and other artifacts."""
        return tuple(
            PinnedReference(repository, entry.digest, name)
            for entry, name in self._entries(repository)
            if (entry.is_index or entry.is_image) and find_signed_digest(name or "") is None
        )

    def _find_named(self, reference: TagReference) -> Digest:
        entries = self._entries(reference.repository)
        found = dict.fromkeys(entry.digest for entry, name in entries if name == reference.tag)
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise InvalidContentError(
                f"{reference.repository} has {len(found)} images named `{reference.tag}`",
                details=[str(digest) for digest in found],
                hint=f"name one by its digest, as in `{reference.repository}@{next(iter(found))}`",
            )
        names = sorted({name for _, name in entries if name is not None})
        raise ImageNotFoundError(
            f"{reference.repository} has no image named `{reference.tag}`{did_you_mean(reference.tag, names)}",
            details=[f"it has: {', '.join(names) or 'none with a name'}"],
        )

    def _entries(self, repository: AnyRepository) -> list[tuple[Descriptor, str | None]]:
        """Return the descriptors of index.json with their names."""
        path = self._directory(repository) / "index.json"
        try:
            body = read_bytes(path, max_bytes=_MAX_MANIFEST_BYTES)
        except FileError as error:
            raise ImageNotFoundError(
                f"{repository} is not an OCI layout", details=[f"{path}: {', '.join(error.details)}"]
            ) from error
        document = parse_manifest(FetchedManifest(Digest.of(body), body), what=str(path))
        if not isinstance(document, ImageIndex):
            raise InvalidContentError(f"{path} is not an image index")
        return [(entry, dict(entry.annotations).get(NAME_ANNOTATION)) for entry in document.entries]

    def _read_blob(self, repository: AnyRepository, digest: Digest, max_bytes: int) -> bytes:
        path = self._blob_path(repository, digest)
        try:
            body = read_bytes(path, max_bytes=max_bytes)
        except FileTooLargeError as error:
            raise InvalidContentError(f"{path} is larger than {max_bytes} bytes") from error
        except FileError as error:
            raise ImageNotFoundError(
                f"{repository} lacks {digest}", details=[f"{path}: {', '.join(error.details)}"]
            ) from error
        if Digest.of(body, algorithm=digest.algorithm) != digest:
            raise InvalidContentError(f"{path} is damaged: its content has another digest")
        return body

    def _open(self, repository: AnyRepository, digest: Digest) -> BinaryIO:
        path = self._blob_path(repository, digest)
        try:
            if path.is_file():
                return path.open("rb")
            reason = "not a regular file" if path.exists() else "no such file"
        except OSError as error:
            reason = str(error.strerror)
        raise ImageNotFoundError(f"{repository} lacks {digest}", details=[f"{path}: {reason}"])

    def _blob_path(self, repository: AnyRepository, digest: Digest) -> Path:
        return self._directory(repository) / "blobs" / digest.algorithm / digest.hex

    def _directory(self, repository: AnyRepository) -> Path:
        if not isinstance(repository, LayoutRepository):
            raise TypeError(f"{repository} is not a layout")
        return self._folder / repository.directory


def _verified_pieces(file: BinaryIO, digest: Digest) -> Iterator[bytes]:
    import hashlib  # noqa: PLC0415  OpenSSL takes 6 ms to load

    hasher = hashlib.new(digest.algorithm, usedforsecurity=False)
    while piece := file.read(_PIECE_BYTES):
        hasher.update(piece)
        yield piece
    if hasher.hexdigest() != digest.hex:
        raise InvalidContentError(f"{file.name} is damaged: its content has another digest")

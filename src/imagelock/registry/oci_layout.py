"""OCI image layouts: directories that hold images the way a registry does, for air-gapped machines and for demos.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from imagelock.errors import FileError, ImageNotFoundError, InvalidContentError, did_you_mean
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor, FetchedManifest, ImageIndex, parse_manifest
from imagelock.model.reference import AnyRepository, ImageReference, LayoutRepository, PinnedReference
from imagelock.project.files import FileTooLargeError, read_bytes

NAME_ANNOTATION = "org.opencontainers.image.ref.name"
_SIGNATURE_NAME = re.compile(r"(?:^|:)sha(?:256|512)-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?$", re.ASCII)
"""What cosign calls the tags that hold what it says about a digest."""
_MAX_MANIFEST_BYTES = 4 * 1024 * 1024
_MAX_BLOB_BYTES = 8 * 1024 * 1024


class LayoutSource:
    """Reads manifests from layouts whose directories are relative to the folder of images.toml."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, repositories: Iterable[AnyRepository]) -> None:
        """Nothing can be prepared on a disk."""

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        """Read the manifest or index that a name of the layout points to, or one by its digest."""
        digest = self.fetch_digest(reference)
        return FetchedManifest(digest, self._read_blob(reference.repository, digest, _MAX_MANIFEST_BYTES))

    def fetch_digest(self, reference: ImageReference) -> Digest:
        """Look a name up in the layout's index; a digest must be there as a manifest that has it."""
        if isinstance(reference, PinnedReference):
            if not self._blob_path(reference.repository, reference.digest).is_file():
                raise ImageNotFoundError(f"{reference.repository} has no content {reference.digest}")
            self._read_blob(reference.repository, reference.digest, _MAX_MANIFEST_BYTES)
            return reference.digest
        names = self._names(reference.repository)
        if reference.tag not in names:
            raise ImageNotFoundError(
                f"{reference.repository} has no image named `{reference.tag}`{did_you_mean(reference.tag, names)}",
                details=[f"it has: {', '.join(sorted(names)) or 'none with a name'}"],
            )
        return names[reference.tag]

    def fetch_served(self, reference: PinnedReference) -> FetchedManifest:
        """Read a manifest or index by its digest, as ``fetch_manifest`` does: a layout is its own registry."""
        return self.fetch_manifest(reference)

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:
        """Hash a blob of any size, and return its size in bytes."""
        path = self._blob_path(repository, digest)
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, digest.algorithm).hexdigest()
                size_bytes = file.tell()
        except OSError as error:
            raise ImageNotFoundError(f"{repository} lacks {digest}", details=[f"{path}: {error.strerror}"]) from error
        if found != digest.hex:
            raise InvalidContentError(f"{path} is damaged: its content has another digest")
        return size_bytes

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        """List the names of the layout's images."""
        return tuple(self._names(repository))

    def fetch_blob(self, repository: AnyRepository, descriptor: Descriptor) -> bytes:
        """Read a small blob, verified by its digest."""
        return self._read_blob(repository, descriptor.digest, _MAX_BLOB_BYTES)

    def list_images(self, repository: AnyRepository) -> tuple[PinnedReference, ...]:
        """List the images that index.json names or has without a name; signatures and other artifacts are left out."""
        return tuple(
            PinnedReference(repository, entry.digest, name)
            for entry, name in self._entries(repository)
            if (entry.is_index or entry.is_image) and not _SIGNATURE_NAME.search(name or "")
        )

    def _names(self, repository: AnyRepository) -> dict[str, Digest]:
        return {name: entry.digest for entry, name in self._entries(repository) if name is not None}

    def _entries(self, repository: AnyRepository) -> list[tuple[Descriptor, str | None]]:
        """Return the descriptors of index.json with the names that they have there."""
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

    def _blob_path(self, repository: AnyRepository, digest: Digest) -> Path:
        return self._directory(repository) / "blobs" / digest.algorithm / digest.hex

    def _directory(self, repository: AnyRepository) -> Path:
        if not isinstance(repository, LayoutRepository):
            raise TypeError(f"{repository} is not a layout")
        return self._folder / repository.directory

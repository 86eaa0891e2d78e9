"""Write an OCI image layout: content first, each file atomically, and index.json last.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md. A run that is killed leaves complete blobs,
which the next run keeps, and an index.json that names only complete content. Partial files are in a separate folder,
since other tools refuse a file in ``blobs/sha256`` whose name is not a digest.

Entries of other tools in index.json, and unknown keys, are kept. Content whose name moves to another digest gets the
name ``REPOSITORY@DIGEST``, so that nothing is lost before a prune.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any

from imagelock.errors import FileError, InvalidContentError, TemporaryError
from imagelock.locking.contents import ImageContents, ManifestReader, collect_contents
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.oci import OCI_INDEX, Descriptor
from imagelock.model.reference import LayoutRepository, PinnedReference
from imagelock.model.strict_json import parse_json_object
from imagelock.project.files import read_bytes
from imagelock.registry.oci_layout import NAME_ANNOTATION, find_signed_digest

_VERSION = "1.0.0"
_STAGING = ".imagelock"
_MAX_MANIFEST_BYTES = 4 * 1024 * 1024
_MAX_INDEX_BYTES = 64 * 1024 * 1024
Entry = Mapping[str, Any]
"""A descriptor of index.json, as parsed JSON."""


@frozen
class Pruned:
    """Number and size of the files that were deleted from a layout."""

    count: int
    size_bytes: int


class LayoutWriter:
    """Writes to a layout that is locked for this process. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staging = folder / _STAGING

    def has(self, descriptor: Descriptor) -> bool:
        """Return whether the content is there with its size and digest; reads all of it."""
        path = self._path(descriptor.digest)
        try:
            if not path.is_file() or path.stat().st_size != descriptor.size_bytes:
                return False
            with path.open("rb") as file:
                found = hashlib.file_digest(file, descriptor.digest.algorithm).hexdigest()
        except OSError as error:
            raise FileError(f"cannot read {path}: {error.strerror}") from error
        return found == descriptor.digest.hex

    def read(self, digest: Digest) -> bytes | None:
        """Return a manifest if it is there and has its digest."""
        path = self._path(digest)
        try:
            body = path.read_bytes() if path.is_file() and path.stat().st_size <= _MAX_MANIFEST_BYTES else b""
        except OSError as error:
            raise FileError(f"cannot read {path}: {error.strerror}") from error
        return body if body and Digest.of(body, algorithm=digest.algorithm) == digest else None

    def add(self, descriptor: Descriptor, body: bytes) -> None:
        """Write content; ``InvalidContentError`` unless it has the descriptor's size and digest."""
        if len(body) != descriptor.size_bytes or Digest.of(body, algorithm=descriptor.digest.algorithm) != (
            descriptor.digest
        ):
            raise InvalidContentError(f"{descriptor.digest} has other content")
        self.add_pieces(descriptor, [body])

    def add_pieces(self, descriptor: Descriptor, pieces: Iterable[bytes]) -> None:
        """Write content while it arrives. The iteration must raise unless the pieces have the descriptor's digest.

        ``open_blob`` of every source does so: a second hash here would take a fifth of the whole time.
        """
        staged = self._staging / f"{descriptor.digest.hex}-{get_ident()}"
        path = self._path(descriptor.digest)
        try:
            with staged.open("wb") as file:
                for piece in _bounded(pieces, descriptor):
                    file.write(piece)
            path.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(path)
        except OSError as error:
            raise FileError(f"cannot write {path}: {error.strerror}") from error
        finally:
            staged.unlink(missing_ok=True)

    def read_entries(self) -> list[dict[str, Any]]:
        """Return the descriptors of index.json as parsed, with unknown keys."""
        return list(self._read_index().get("manifests", []))

    def write_entries(self, entries: Sequence[Mapping[str, Any]]) -> bool:
        """Replace the descriptors of index.json, atomically; return whether that changed anything."""
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, **self._read_index(), "manifests": list(entries)}
        body = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
        return _write_changed(self.folder / "index.json", body, staging=self._staging)

    def prune(self, kept: Iterable[Digest]) -> Pruned:
        """Delete all content except these digests."""
        wanted = {self._path(digest) for digest in kept}
        number = size_bytes = 0
        for path in sorted(self.folder.glob("blobs/*/*")):
            if path not in wanted and path.is_file():
                size_bytes += path.stat().st_size
                number += 1
                path.unlink()
        return Pruned(number, size_bytes)

    def _read_index(self) -> dict[str, Any]:
        path = self.folder / "index.json"
        if not path.exists():
            return {}
        body = read_bytes(path, max_bytes=_MAX_INDEX_BYTES)
        document = parse_json_object(body, what=str(path))
        entries = document.get("manifests", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise InvalidContentError(f"{path} is not an image index")
        return document

    def _path(self, digest: Digest) -> Path:
        return self.folder / "blobs" / digest.algorithm / digest.hex


@contextmanager
def open_layout_writer(folder: Path) -> Iterator[LayoutWriter]:
    """Open a new or an existing layout for a ``with`` block, locked against other runs.

    ``FileError`` for a folder with other files, in which nothing is written.
    """
    _refuse_other_folders(folder)
    staging = folder / _STAGING
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise FileError(f"cannot write to {folder}: {error.strerror}") from error
    try:
        _lock_folder(descriptor, folder)
        try:
            _begin(folder, staging)
            yield LayoutWriter(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    finally:
        os.close(descriptor)


def _begin(folder: Path, staging: Path) -> None:
    """Delete the partial files of a killed run, and mark the folder as a layout."""
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
    except OSError as error:
        raise FileError(f"cannot write to {folder}: {error.strerror}") from error
    if not (folder / "oci-layout").exists():
        version = json.dumps({"imageLayoutVersion": _VERSION}).encode() + b"\n"
        _write_changed(folder / "oci-layout", version, staging=staging)


def _lock_folder(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TemporaryError(f"cannot write to {folder}: another run of imagelock writes to it") from error


def _refuse_other_folders(folder: Path) -> None:
    marker = folder / "oci-layout"
    try:
        others = {path.name for path in folder.iterdir()} - {_STAGING} if folder.exists() else set()
        body = read_bytes(marker) if "oci-layout" in others else b""
    except OSError as error:
        raise FileError(f"cannot read {folder}: {error.strerror}") from error
    if others and "oci-layout" not in others:
        raise FileError(
            f"{folder} is neither empty nor an OCI layout", hint="name a new folder, or one that `mirror` has written"
        )
    if body and parse_json_object(body, what=str(marker)).get("imageLayoutVersion") != _VERSION:
        raise InvalidContentError(f"{marker} is of another version than {_VERSION}")


def _bounded(pieces: Iterable[bytes], descriptor: Descriptor) -> Iterator[bytes]:
    """Yield the pieces up to the descriptor's size; a longer blob is an error, so that it cannot fill the disk."""
    size_bytes = 0
    for piece in pieces:
        size_bytes += len(piece)
        if size_bytes > descriptor.size_bytes:
            raise InvalidContentError(f"{descriptor.digest} is longer than the {descriptor.size_bytes} bytes announced")
        yield piece


def _write_changed(path: Path, body: bytes, *, staging: Path) -> bool:
    """Write a file atomically unless it has these bytes already; return whether it was written."""
    try:
        if path.exists() and read_bytes(path, max_bytes=_MAX_INDEX_BYTES) == body:
            return False
        staged = staging / path.name
        staged.write_bytes(body)
        staged.replace(path)
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from error
    return True


def merge_entries(entries: Iterable[Entry], names: Mapping[str, Descriptor]) -> list[Entry]:
    """Return the entries with each name at its new content, sorted by name; unchanged entries are kept."""
    merged: dict[str, Entry] = {}
    nameless: list[Entry] = []
    for entry in entries:
        name = name_of(entry)
        if name is None:
            nameless.append(entry)
        elif name not in names or entry.get("digest") == str(names[name].digest):
            merged.setdefault(name, entry)
        elif find_signed_digest(name) is None:
            kept_name = f"{_repository_of(name)}@{entry.get('digest')}"
            merged.setdefault(kept_name, _renamed(entry, kept_name))
    for name, descriptor in names.items():
        merged.setdefault(name, _entry(name, descriptor))
    return [*(merged[name] for name in sorted(merged)), *nameless]


def keep_locked(
    entries: Sequence[Entry], locked: Iterable[Digest], reader: ManifestReader, layout: LayoutRepository
) -> tuple[list[Entry], frozenset[Digest]]:
    """Return the entries of locked content and of its signatures, and the digests of all their content."""
    wanted = {str(digest) for digest in locked}
    kept = [entry for entry in entries if entry.get("digest") in wanted]
    contents = [_collect(entry, reader, layout) for entry in kept]
    manifests = {manifest.digest for each in contents for manifest in each.manifests}
    signatures = [entry for entry in entries if find_signed_digest(name_of(entry) or "") in manifests]
    contents += [_collect(entry, reader, layout) for entry in signatures]
    digests = frozenset(descriptor.digest for each in contents for descriptor in (*each.manifests, *each.blobs))
    order = {id(entry) for entry in (*kept, *signatures)}
    return [entry for entry in entries if id(entry) in order], digests


def name_of(entry: Entry) -> str | None:
    """Return the name of an entry, if it has one."""
    annotations = entry.get("annotations")
    name = annotations.get(NAME_ANNOTATION) if isinstance(annotations, dict) else None
    return name if isinstance(name, str) else None


def _collect(entry: Entry, reader: ManifestReader, layout: LayoutRepository) -> ImageContents:
    return collect_contents(PinnedReference(layout, Digest.parse(str(entry["digest"]))), reader)


def _entry(name: str, descriptor: Descriptor) -> Entry:
    return {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size_bytes,
        "annotations": {NAME_ANNOTATION: name},
    }


def _renamed(entry: Entry, name: str) -> Entry:
    return {**entry, "annotations": {**entry["annotations"], NAME_ANNOTATION: name}}


def _repository_of(name: str) -> str:
    """Return the part before the tag; the colon of a port is not that of a tag."""
    repository, colon, tag = name.rpartition(":")
    return repository if colon and "/" not in tag else name

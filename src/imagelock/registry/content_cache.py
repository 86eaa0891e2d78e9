"""A cache of content by digest on disk, which never changes, so it is fetched once.

Each read verifies the digest, so a damaged or forged file counts as missing. A cache that cannot be written makes runs
slower and never fails them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from imagelock.errors import FileError, InvalidDigestError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import TagReference
from imagelock.registry.user_files import NO_HOME

ACCESS_FILE_NAME = "registries.json"
"""The name of the file of ``auth.schemes.SchemeMemory``."""
_CONTENT, _TAGS = "content", "tags"
_MAX_DIGEST_LENGTH = 256


@frozen
class CacheSize:
    """Number and total size of a cache's files."""

    files: int
    size_bytes: int


def default_cache_directory(environment: Mapping[str, str], *, home: Path) -> Path | None:
    """Return the user's cache folder by https://specifications.freedesktop.org/basedir-spec/latest/.

    ``None`` if the user has neither ``XDG_CACHE_HOME`` nor a home.
    """
    named = environment.get("XDG_CACHE_HOME")
    if not named and home == NO_HOME:
        return None
    return Path(named or home / ".cache") / "imagelock"


def measure_cache(directory: Path) -> CacheSize:
    """Return number and size of a cache's files; a missing folder is an empty cache."""
    sizes = []
    try:
        for path in _files(directory):
            with suppress(FileNotFoundError):  # another run has replaced it
                sizes.append(path.stat().st_size)
    except OSError as error:
        raise FileError(f"the cache in {directory} can't be read", details=[str(error)]) from error
    return CacheSize(len(sizes), sum(sizes))


def clean_cache(directory: Path) -> CacheSize:
    """Delete the files of a cache and return their number and size; files of other programs stay."""
    size = measure_cache(directory)
    try:
        for path in _files(directory):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"the cache in {directory} can't be cleaned", details=[str(error)]) from error
    return size


class ContentCache:
    """Manifests, indexes and configurations by digest, and the last digest of each tag."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, digest: Digest) -> bytes | None:
        """Return the content if it is cached and has its digest."""
        with suppress(OSError):
            body = self._content_path(digest).read_bytes()
            if Digest.of(body, algorithm=digest.algorithm) == digest:
                return body
        return None

    def write(self, digest: Digest, body: bytes) -> None:
        """Store verified content; a damaged file is replaced."""
        if self.read(digest) is None:
            write_cache_file(self._content_path(digest), body)

    def find_tag(self, reference: TagReference) -> Digest | None:
        """Return the digest that a tag had when it was last fetched, to be checked by a ``HEAD``."""
        with suppress(OSError, InvalidDigestError):
            return Digest.parse(self._tag_path(reference).read_text("ascii", "replace")[:_MAX_DIGEST_LENGTH])
        return None

    def note_tag(self, reference: TagReference, digest: Digest) -> None:
        """Store the digest of a tag."""
        if self.find_tag(reference) != digest:
            write_cache_file(self._tag_path(reference), str(digest).encode())

    def _content_path(self, digest: Digest) -> Path:
        return self._directory / _CONTENT / digest.algorithm / digest.hex

    def _tag_path(self, reference: TagReference) -> Path:
        return self._directory / _TAGS / hashlib.sha256(str(reference).encode()).hexdigest()


def write_cache_file(path: Path, content: bytes) -> None:
    """Write a file of the cache atomically; errors of the disk are ignored."""
    import tempfile  # noqa: PLC0415  4 ms that the first request needn't wait for

    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _files(directory: Path) -> Iterator[Path]:
    if (directory / ACCESS_FILE_NAME).is_file():
        yield directory / ACCESS_FILE_NAME
    for folder in (_CONTENT, _TAGS):
        yield from (path for path in (directory / folder).rglob("*") if path.is_file())

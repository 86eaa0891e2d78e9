"""The two files that every command starts from: where they are, and what they say."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from imagelock.errors import FileError, ImagelockError, StaleLockfileError
from imagelock.images_file.parser import IMAGES_FILE_NAME, ImagesFile, parse_images_file
from imagelock.locking.freshness import Damaged, Mismatch, declares_platforms, find_mismatches
from imagelock.locking.lockfile import LOCKFILE_NAME, Lockfile, parse_lockfile
from imagelock.model.frozen import frozen
from imagelock.project import mutex
from imagelock.project.files import read_bytes, read_text

_Stale = TypeVar("_Stale", bound=ImagelockError)


@frozen
class Project:
    """Where a project's files are; paths are as short as the working directory allows, since errors show them."""

    images_path: Path
    lock_path: Path

    @property
    def folder(self) -> Path:
        """What the paths in images.toml are relative to."""
        return self.images_path.parent

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep other runs from replacing files while they are read; ``FileError`` if a killed run left half of them."""
        with mutex.reading(self.images_path):
            home = Path(os.path.realpath(self.images_path)).parent
            if os.path.lexists(home / mutex.JOURNAL_NAME):
                from imagelock.project.journal import refuse_interrupted_run  # noqa: PLC0415  after `kill -9` only

                refuse_interrupted_run(home, named=self.lock_path)
            yield

    def read(self) -> tuple[ImagesFile, Lockfile]:
        """Read images.toml and images.lock as they belong together."""
        with self.reading():
            return self.read_images_file(), self.read_lockfile()

    def read_images_file(self) -> ImagesFile:
        """Read and check images.toml."""
        return parse_images_file(read_text(self.images_path), file_name=str(self.images_path))

    def encode_images_file(self, text: str) -> bytes:
        """Give the bytes of an edited images.toml, which keeps its byte order mark."""
        has_mark = self.images_path.exists() and read_bytes(self.images_path).startswith(BOM_UTF8)
        return (BOM_UTF8 if has_mark else b"") + text.encode()

    def read_lock_text(self) -> str | None:
        """Read images.lock as text, or return None where nothing was locked yet."""
        return read_text(self.lock_path) if self.lock_path.exists() else None

    def read_lockfile(self) -> Lockfile:
        """Read images.lock; where there is none, nothing is locked."""
        text = self.read_lock_text()
        return Lockfile() if text is None else parse_lockfile(text, file_name=str(self.lock_path))

    def may_have_mixed_platforms(self, lockfile: Lockfile) -> bool:
        """Whether git may just have combined what one side declared of platforms with what another one locked."""
        if not declares_platforms(lockfile):
            return False
        from imagelock.project.merge_traces import may_have_merged  # noqa: PLC0415  with lists of platforms, it tells nothing

        return may_have_merged(self.lock_path.parent)

    def read_fresh(self, *, admits_damaged: bool = False) -> tuple[ImagesFile, Lockfile]:
        """Read both files and refuse a lock that doesn't answer images.toml, with every reason.

        ``admits_damaged`` is for a command that reports damaged entries itself.
        """
        images_file, lockfile = self.read()
        mismatches = find_mismatches(images_file, lockfile)
        if admits_damaged:
            mismatches = tuple(mismatch for mismatch in mismatches if not isinstance(mismatch, Damaged))
        if mismatches:
            raise self.stale_error(StaleLockfileError, mismatches)
        return images_file, lockfile

    def stale_error(self, kind: type[_Stale], mismatches: Sequence[Mismatch]) -> _Stale:
        """Return the error for a stale lock: one line for each mismatch, and the command that resolves them."""
        details = [f"{mismatch.alias}: {mismatch}" for mismatch in mismatches]
        return kind(self.stale_message(mismatches), details=details, hint="run `imagelock lock`")

    def stale_message(self, mismatches: Sequence[Mismatch]) -> str:
        """Return the first line of the error for a lock with these mismatches."""
        if not self.lock_path.exists():
            return f"there is no {self.lock_path}"
        if all(isinstance(mismatch, Damaged) for mismatch in mismatches):
            return f"{self.lock_path} has damaged entries"
        return f"{self.lock_path} does not match {self.images_path}"


def find_project(images_path: Path | None = None, lock_path: Path | None = None) -> Project:
    """Find images.toml: the named one, or the nearest in this folder and above, but not above the repository's root."""
    images_path = images_path or _nearest_images_file()
    return Project(images_path, lock_path or images_path.parent / LOCKFILE_NAME)


def find_or_begin_project(images_path: Path | None = None, lock_path: Path | None = None) -> Project:
    """Find images.toml; where there is none, begin one in this folder, or where ``--file`` says."""
    try:
        return find_project(images_path, lock_path)
    except FileError:
        images_path = Path(IMAGES_FILE_NAME)
        return Project(images_path, lock_path or images_path.parent / LOCKFILE_NAME)


def _nearest_images_file() -> Path:
    try:
        here = Path.cwd()
    except OSError as error:
        raise FileError("cannot work here: the working directory is gone", hint="go to another one: `cd /`") from error
    for folder in (here, *here.parents):
        candidate = folder / IMAGES_FILE_NAME
        if candidate.is_file():
            return Path(os.path.relpath(candidate, here))
        if (folder / ".git").exists():
            break
    raise FileError(
        f"there is no {IMAGES_FILE_NAME} in this directory or above it",
        hint="run `imagelock init`, which writes one from the files that are here",
    )

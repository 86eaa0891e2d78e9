"""Temporary files beside their targets, complete with content, owner and permissions, ready to be renamed.

A rename replaces a file atomically: readers, and a machine that loses power, have the old bytes or the new ones (https://pubs.opengroup.org/onlinepubs/9799919799/functions/rename.html).
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from imagelock.model.digest import sha256_hex
from imagelock.model.frozen import frozen
from imagelock.project.files import MAX_OUTPUT_BYTES, file_error, read_bytes, refuse_irregular

TEMPORARY_SUFFIX = ".imagelock-tmp"
_ABANDONED_AFTER_SECONDS = 60.0
"""Older temporary files are from killed runs: writing takes milliseconds."""
_LONGEST_PREFIX = 200
"""In bytes: most file systems allow 255 for a name, to which our suffix is added."""


@frozen(kw_only=True)
class StagedFile:
    """A file that is ready to be renamed over ``target``."""

    path: Path
    """The path for messages."""
    target: Path
    """The path with links resolved."""
    temporary: Path
    content: bytes
    before: bytes | None
    """The old content of the target; None if it is new."""
    new_folders: tuple[Path, ...]
    """Folders that were made for it, the innermost first."""

    def discard(self) -> None:
        """Remove the temporary file, and the folders that were made for it if nothing else is in them."""
        with suppress(OSError):
            self.temporary.unlink()
        for folder in self.new_folders:
            with suppress(OSError):
                folder.rmdir()


def stage(path: Path, content: bytes, *, like: Path | None = None) -> StagedFile:
    """Write a temporary file beside the target of ``path``. A link stays a link: its target will be replaced.

    An existing file keeps its owner, group, permissions and extended attributes; a new one gets the permissions of
    ``like``, or those of the umask. ``FileError`` names ``path``.
    """
    # Unlike Path.resolve, realpath accepts a link to itself, which the file then replaces.
    target = Path(os.path.realpath(path))
    try:
        refuse_irregular(path)
        before = read_bytes(target, max_bytes=MAX_OUTPUT_BYTES) if target.exists() else None
        new_folders = _make_folders(target.parent)
        remove_abandoned(target)
        temporary = _write(target, content, like=like)
    except OSError as error:
        raise file_error("write", path, error) from error
    return StagedFile(
        path=path, target=target, temporary=temporary, content=content, before=before, new_folders=new_folders
    )


def is_temporary_of(name: str, target_name: str) -> bool:
    """Return whether this is a name of a temporary file of ``stage`` for the target."""
    prefix = _prefix(target_name)
    return name.startswith(prefix) and name[len(prefix) :].endswith(TEMPORARY_SUFFIX)


def sync_folders(folders: Iterable[Path]) -> None:
    """Flush folders to disk if the system can: without it, a power failure may undo a rename."""
    for folder in dict.fromkeys(folders):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _write(target: Path, content: bytes, *, like: Path | None) -> Path:
    temporary = target.with_name(f"{_prefix(target.name)}{os.urandom(6).hex()}{TEMPORARY_SUFFIX}")
    model = next((path.stat() for path in (target, like) if path is not None and path.exists()), None)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666 if model is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if model is not None:
                _take_attributes(descriptor, target, model)
            os.fsync(descriptor)
    except BaseException:
        temporary.unlink()
        raise
    return temporary


def _take_attributes(descriptor: int, target: Path, model: os.stat_result) -> None:
    if target.exists():
        _take_owner(descriptor, model)
        _take_extended_attributes(descriptor, target)
    os.fchmod(descriptor, stat.S_IMODE(model.st_mode))  # last: a new owner takes the set-user-id bit away


def _take_owner(descriptor: int, model: os.stat_result) -> None:
    mine = os.fstat(descriptor)
    if (mine.st_uid, mine.st_gid) == (model.st_uid, model.st_gid):
        return
    # Only root may change the owner; others can set a group of which they are members.
    for owner in (model.st_uid, -1):
        with suppress(OSError):
            os.fchown(descriptor, owner, model.st_gid)
            return


def _take_extended_attributes(descriptor: int, target: Path) -> None:
    """Copy extended attributes, such as access control lists, as far as permitted."""
    if not hasattr(os, "listxattr"):
        return
    with suppress(OSError):
        for name in os.listxattr(target):
            with suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(target, name))


def _make_folders(folder: Path) -> tuple[Path, ...]:
    missing = []
    for each in (folder, *folder.parents):
        if os.path.lexists(each):
            break
        missing.append(each)
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(missing)


def remove_abandoned(target: Path, *, is_sure: bool = False) -> None:
    """Remove temporary files of killed runs beside a target: all of them if ``is_sure``, else old ones."""
    try:
        names = os.listdir(target.parent)  # noqa: PTH208  a path for each name takes ten times as long
    except OSError:
        return
    for name in names:
        if is_temporary_of(name, target.name):
            with suppress(OSError):
                path = target.with_name(name)
                if is_sure or time.time() - path.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                    path.unlink()


def _prefix(name: str) -> str:
    if len(os.fsencode(name)) > _LONGEST_PREFIX:
        return f".{sha256_hex(os.fsencode(name))[:16]}."
    return f".{name}."

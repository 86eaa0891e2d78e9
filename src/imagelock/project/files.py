"""The only code that touches people's files: whole files, all or none, and never a part of one.

A file is replaced by renaming a finished one over it, so that a reader, or somebody who pulls the plug, sees the old
bytes or the new ones (https://pubs.opengroup.org/onlinepubs/9799919799/functions/rename.html).
"""

from __future__ import annotations

import glob
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from imagelock.errors import FileError

_TEMPORARY_SUFFIX = ".imagelock-tmp"
_ABANDONED_AFTER_SECONDS = 60.0
"""Older temporary files belong to a run that was killed: writing takes milliseconds."""


def read_bytes(path: Path) -> bytes:
    """Read a whole file; ``FileError`` says why it can't be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _file_error("read", path, error) from error


def read_text(path: Path) -> str:
    """Read a UTF-8 file with its line ends as they are; a byte order mark is taken off."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"cannot read {path}", details=[f"it is not UTF-8: byte {error.start} is invalid"]) from error


def write_changed(contents: Mapping[Path, bytes], *, like: Mapping[Path, Path] | None = None) -> tuple[Path, ...]:
    """Write each file whose bytes differ, all or none, and return those that were written.

    A new file gets the permissions of the file that ``like`` names for it. An existing one keeps its own.
    """
    changed = {path: content for path, content in contents.items() if not _has_content(path, content)}
    staged: dict[Path, Path] = {}
    try:
        for path, content in changed.items():
            with _reporting(path):
                # A link stays one: what it leads to is replaced. Unlike Path.resolve, this stands a link to itself.
                target = Path(os.path.realpath(path))
                staged[path] = _stage(target, content, like=(like or {}).get(path))
        _replace_all(staged)
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
    return tuple(changed)


@contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Tell people about the file that they know, not about the temporary one beside it."""
    try:
        yield
    except OSError as error:
        raise _file_error("write", path, error) from error


def _has_content(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _stage(target: Path, content: bytes, *, like: Path | None) -> Path:
    """Write the finished file beside its target, on disk and with its permissions, ready to be renamed."""
    import tempfile  # noqa: PLC0415  4 ms that only writing needs

    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(target)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_TEMPORARY_SUFFIX, dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_permissions(target, like))
    except BaseException:
        temporary.unlink()
        raise
    return temporary


def _replace_all(staged: Mapping[Path, Path]) -> None:
    """Rename every file into place; should one rename fail, those before it are undone."""
    undo: list[tuple[Path, bytes | None]] = []
    try:
        for path, temporary in staged.items():
            target = Path(os.path.realpath(path))
            with _reporting(path):
                before = target.read_bytes() if target.exists() else None
                temporary.replace(target)
            undo.append((target, before))
    except FileError:
        for target, before in reversed(undo):
            target.unlink() if before is None else target.write_bytes(before)
        raise


def _permissions(target: Path, like: Path | None) -> int:
    for path in (target, like):
        if path is not None and path.exists():
            return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _remove_abandoned(target: Path) -> None:
    for path in target.parent.glob(f".{glob.escape(target.name)}.*{_TEMPORARY_SUFFIX}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                path.unlink()


def _file_error(verb: str, path: Path, error: OSError) -> FileError:
    return FileError(f"cannot {verb} {path}", details=[error.strerror or str(error)])

"""Reading files: regular files only, whole, and up to a size limit."""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8
from pathlib import Path

from imagelock.errors import FileError

MAX_FILE_BYTES = 16 * 1024 * 1024
"""The limit for files that users write: far above real sizes, against files that never end."""
MAX_OUTPUT_BYTES = 1024 * 1024 * 1024
"""The limit for rendered files: a template at its limit has a million placeholders, which give 80 bytes each."""
_KINDS = (
    (stat.S_ISDIR, "directory"),
    (stat.S_ISFIFO, "FIFO"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)


class FileTooLargeError(FileError):
    """A file that is larger than the limit of its reader."""


def read_bytes(path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return a whole regular file; ``FileError`` says why it cannot be read. A FIFO is refused, not waited for."""
    try:
        _refuse_irregular(path.stat(), path, "read")
        # If it has become a FIFO since, opening it without O_NONBLOCK would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _refuse_irregular(os.fstat(descriptor), path, "read")
            content: bytes | None = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        raise file_error("read", path, error) from error
    if content is None or len(content) > max_bytes:
        raise FileTooLargeError(f"cannot read {path}", details=[f"it has more than {max_bytes:,} bytes"])
    return content


def read_text(path: Path) -> str:
    """Return a UTF-8 file with its line ends, without a byte order mark."""
    try:
        return read_bytes(path).removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise FileError(f"cannot read {path}", details=[f"it is not UTF-8: byte {error.start} is invalid"]) from error


def has_content(path: Path, content: bytes) -> bool:
    """Return whether a file has exactly these bytes; False for what is missing or can't be read."""
    try:
        return read_bytes(path, max_bytes=max(len(content), MAX_FILE_BYTES)) == content
    except FileError:
        return False


def refuse_irregular(path: Path) -> None:
    """Raise ``FileError`` if the path exists and is not a regular file: it must not be replaced."""
    try:
        status = path.stat()
    except OSError:
        return
    _refuse_irregular(status, path, "write")


def file_error(verb: str, path: Path, error: Exception) -> FileError:
    """Return the error for a file that the system refused to read or write."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return FileError(f"cannot {verb} {path}", details=[reason])


def find_kind_problem(path: Path) -> str | None:
    """Return why a path is not a readable file, as the end of a sentence; None for a file or a missing one."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    too_large = f"has more than {MAX_FILE_BYTES:,} bytes" if status.st_size > MAX_FILE_BYTES else None
    return _kind_problem(status) or too_large


def _kind_problem(status: os.stat_result) -> str | None:
    if stat.S_ISREG(status.st_mode):
        return None
    kind = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "special file")
    return f"is a {kind}, not a file"


def _refuse_irregular(status: os.stat_result, path: Path, verb: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise FileError(f"cannot {verb} {path}", details=["Is a directory"])
    problem = _kind_problem(status)
    if problem:
        raise FileError(f"cannot {verb} {path}", details=[f"it {problem}"])

"""Locks between runs on one project, with ``flock``: they leave no file behind and end with their process.

An exclusive lock on the folder is the right to change the project: a run holds it from its first read to its last
rename. A lock on images.toml keeps readers from seeing half of a change: readers share it while they read, and a run
that changes files holds it exclusively while it renames them.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imagelock.errors import ProjectBusyError
from imagelock.project.interrupts import give_way

JOURNAL_NAME = ".images.imagelock-journal"
"""Exists beside images.toml while several files are renamed, and afterwards only if the run was killed."""
PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.02
_held: set[tuple[int, int]] = set()
"""Device and inode of each folder that this process has locked, so that it does not wait for itself."""


@contextmanager
def exclusive(
    folder: Path, *, on_wait: Callable[[str], None] = lambda _: None, patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[None]:
    """Hold the lock of a folder; ``ProjectBusyError`` if another run holds it longer than the patience."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # a folder that is not there yet, or that this user may not list
        yield
        return
    try:
        identity = _identity(os.fstat(descriptor))
        if identity in _held:
            yield
            return
        _wait(descriptor, fcntl.LOCK_EX, folder, on_wait=on_wait, patience_seconds=patience_seconds)
        _held.add(identity)
        try:
            yield
        finally:
            _held.discard(identity)
    finally:
        os.close(descriptor)


@contextmanager
def reading(file: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Keep a project's files from being replaced by another run of imagelock, by a shared lock on its images.toml.

    A file that cannot be opened is not locked: reading it reports the error.
    """
    descriptor = None if _may_change(file) else _open_locked(file, fcntl.LOCK_SH, patience_seconds)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def replacing(file: Path, replacement: Path | None, *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Keep readers out while files are renamed; ``replacement`` is the staged file that becomes images.toml, if any.

    Both are locked: a reader opens the old file before the rename, the new one after it.
    """
    descriptors = []
    try:
        for path in (replacement, file):
            descriptor = None if path is None else _open_locked(path, fcntl.LOCK_EX, patience_seconds)
            if descriptor is not None:
                descriptors.append(descriptor)
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _open_locked(file: Path, operation: int, patience_seconds: float) -> int | None:
    """Open and lock the file that has this name once the lock is there: while waiting, it may have been replaced."""
    while True:
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            _wait(descriptor, operation, file, patience_seconds=patience_seconds)
            with suppress(OSError):
                if _identity(os.fstat(descriptor)) == _identity(file.stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait(
    descriptor: int,
    operation: int,
    path: Path,
    *,
    on_wait: Callable[[str], None] = lambda _: None,
    patience_seconds: float,
) -> None:
    """Take a lock; return without one if the file system has no locks, as some network file systems."""
    deadline = time.monotonic() + patience_seconds
    is_told = False
    while True:
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise _busy(descriptor, path, patience_seconds) from None
            if not is_told:
                on_wait(_holder(descriptor) or "another run")
                is_told = True
            give_way()
            time.sleep(_POLL_SECONDS)
        except OSError:
            return
        else:
            return


def _busy(descriptor: int, path: Path, patience_seconds: float) -> ProjectBusyError:
    holder = _holder(descriptor)
    return ProjectBusyError(
        f"another run is at work on {path}, and did not finish within {patience_seconds:.0f} seconds",
        details=[f"it is {holder}"] if holder else [],
        hint="run the command again when the other one is done",
    )


def _holder(descriptor: int) -> str | None:
    """Return the process that holds the lock, from Linux's list: ``imagelock update (process 4711)``."""
    status = os.fstat(descriptor)
    wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError):
        for line in Path("/proc/locks").read_text("ascii", "replace").splitlines():
            fields = line.split()
            # A line that waits has an arrow in front: `1: -> FLOCK …`.
            if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == wanted and fields[4] not in ("0", "-1"):  # noqa: PLR2004  the columns of proc(5)
                return f"{_command_of(fields[4])} (process {fields[4]})"
    return None


def _command_of(process_id: str) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
        names = [os.fsdecode(word) for word in words if word]
        while len(names) > 1 and not names[0].endswith("imagelock"):
            del names[0]
        return " ".join([os.path.basename(names[0]), *names[1:]])[:200] if names else "a process"  # noqa: PTH119  a word, not a path
    return "a process"


def _may_change(file: Path) -> bool:
    """Return whether this process holds the lock of the file's folder, so that no other one replaces the file."""
    with suppress(OSError):
        return bool(_held) and _identity(Path(os.path.realpath(file)).parent.stat()) in _held
    return False


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino

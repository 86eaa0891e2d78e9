"""Read files of the user's home, which may be missing or unreadable: those are skipped with a warning.

Containers run under users without a name or a home, and ``sudo`` leaves files of root in it. Docker and podman warn and
continue, since public images need none of these files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from imagelock.errors import FileError
from imagelock.project.files import read_bytes

NO_HOME = Path(os.devnull)
"""The home of a user who has none: nothing lies below it, and nothing can be written there."""

Warn = Callable[[str], None]


def find_home(environment: Mapping[str, str], *, warn: Warn | None = None) -> Path:
    """Return the home folder; ``NO_HOME`` if there is none, or, with a warning, if it may not be entered."""
    home = Path(environment.get("HOME") or _home_of_user())
    if not home.is_absolute():
        return home.absolute()
    try:
        home.joinpath(".").stat()
        is_closed = not os.access(home, os.X_OK)
    except (FileNotFoundError, NotADirectoryError):
        is_closed = False
    except OSError:
        is_closed = True
    if not is_closed:
        return home
    if warn is not None:
        warn(f"{home} may not be entered: credentials, certificates and settings there are ignored")
    return NO_HOME


def _home_of_user() -> str | Path:
    import pwd  # noqa: PLC0415  most environments name the home

    try:
        return pwd.getpwuid(os.getuid()).pw_dir or NO_HOME
    except KeyError:
        return NO_HOME


def read_named(path: Path) -> bytes:
    """Return the bytes of a file that the user named; the null device counts as an empty file."""
    return b"" if path == Path(os.devnull) else read_bytes(path)


def read_if_possible(path: Path, *, warn: Warn) -> bytes | None:
    """Return the bytes of an optional file; ``None`` if it is missing, or, with a warning, if it cannot be read."""
    try:
        return read_bytes(path)
    except FileError as error:
        if not isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
            warn(f"{path} is skipped: {'; '.join(error.details)}")
        return None


def list_if_possible(folder: Path, *, warn: Warn) -> tuple[Path, ...]:
    """Return the sorted paths in an optional folder; none if it is missing or, with a warning, unreadable."""
    try:
        return tuple(sorted(folder.iterdir()))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        warn(f"{folder} is skipped: {error.strerror}")
        return ()


def warn_once(warn: Warn) -> Warn:
    """Return a function that passes each text on only once. Thread-safe."""
    seen: set[str] = set()
    lock = Lock()

    def pass_on(text: str) -> None:
        with lock:
            is_new = text not in seen
            seen.add(text)
        if is_new:
            warn(text)

    return pass_on


def ignore_warning(text: str) -> None:
    """Drop a warning that is reported elsewhere."""

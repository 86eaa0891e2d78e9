"""Ends a Python process at the first program but git that it starts, and at the first write outside of given folders.

Python imports this by its name where the folder is on PYTHONPATH: https://docs.python.org/3/library/site.html.
``AUDIT_GIT`` is the path of git, ``AUDIT_FOLDERS`` names the folders, separated as PATH is.
"""

from __future__ import annotations

import os
import sys

VIOLATION = 99
_GIT = os.path.realpath(os.environ["AUDIT_GIT"])
_FOLDERS = tuple(os.path.realpath(folder) for folder in os.environ["AUDIT_FOLDERS"].split(os.pathsep))
_STARTS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "pty.spawn"}
_CHANGES = {
    "os.chflags": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.link": 2,
    "os.mkdir": 1,
    "os.remove": 1,
    "os.removexattr": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.setxattr": 1,
    "os.symlink": 2,
    "os.truncate": 1,
    "os.utime": 1,
}
"""Events that change a file, and how many of their first arguments are paths of such."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event in _STARTS:
        program = arguments[0] if event != "os.system" else "sh"
        if not isinstance(program, str | bytes | os.PathLike) or os.path.realpath(os.fsdecode(program)) != _GIT:
            _end(f"started {arguments[:2]}")
    elif event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITING and isinstance(path, str | bytes | os.PathLike):
            _require_inside(event, path)
    elif event in _CHANGES:
        for path in arguments[: _CHANGES[event]]:
            if isinstance(path, str | bytes | os.PathLike):
                _require_inside(event, path)


def _require_inside(event: str, path: str | bytes | os.PathLike[str]) -> None:
    real = os.path.realpath(os.fsdecode(path))
    inside = any(real == folder or real.startswith(f"{folder}{os.sep}") for folder in _FOLDERS)
    in_git = f"{os.sep}.git{os.sep}" in f"{real}{os.sep}"
    if in_git or not (inside or real == os.devnull):
        _end(f"{event} {real}")


def _end(what: str) -> None:
    os.write(2, f"AUDIT: {what}\n".encode())
    os._exit(VIOLATION)


sys.addaudithook(_audit)

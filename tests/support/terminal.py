"""Runs a program whose errors go to a terminal, as far as it can see."""

from __future__ import annotations

import os
import pty
import subprocess
import termios
from collections.abc import Sequence

from tests.support.project import Project


def on_terminal(command: Sequence[str], project: Project, *, columns: int = 80, exit_code: int = 0) -> str:
    """What the program writes to the terminal, control characters and all."""
    environment = {**project.process_environment(), "CI": "", "TERM": "xterm"}
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=theirs, cwd=project.folder, env=environment
    ) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b""))
        assert process.wait() == exit_code
    os.close(ours)
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says EIO where the other side has closed
        return b""

"""Starts the programs that the tests talk to, and ends each of them by its process id."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

LOOPBACK = "127.0.0.1"
_START_SECONDS = 20.0
_POLL_SECONDS = 0.02


class NotStartedError(Exception):
    """A server that ended, or never listened; its log says why."""


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def running_server(command: Sequence[str], *, port: int, output: Path) -> Iterator[None]:
    """Keep a server running; its standard output goes to ``output``, its errors beside it."""
    errors = output.with_suffix(".err")
    with (
        output.open("wb") as output_file,
        errors.open("wb") as errors_file,
        subprocess.Popen(command, stdout=output_file, stderr=errors_file) as process,
    ):
        try:
            _wait_for_port(port, process, errors)
            yield
        finally:
            process.kill()


def run(command: Sequence[str], *, environment: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """The standard output of a program that has to succeed; ``environment`` is added to ours."""
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ | environment)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr.decode(errors='replace')}"
    return done.stdout


def _wait_for_port(port: int, process: subprocess.Popen[bytes], errors: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            time.sleep(_POLL_SECONDS)
        else:
            return
    raise NotStartedError(errors.read_text(errors="replace"))

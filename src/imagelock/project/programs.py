"""Running other programs: by absolute path, with limits on output and time."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from imagelock.model.frozen import frozen

_SILENCE_SECONDS = 1.0


@frozen
class Finished:
    """How a program ended, and what it printed."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class ProgramError(Exception):
    """A program that could not be started, took too long or printed too much."""


def find_program(name: str, environment: Mapping[str, str]) -> Path | None:
    """Return a program on PATH, or None. Relative entries (`.`, an empty one) are ignored: they may be a checkout."""
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder, name)
        if candidate.is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    return None


def run_program(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    time_limit_seconds: float,
    max_bytes: int,
    find_obstacle: Callable[[], str | None] = lambda: None,
) -> Finished:
    """Run a program to its end, without input; ``ProgramError`` if it cannot be started or exceeds a limit.

    ``find_obstacle`` is called after a second without output; it may return the reason why the program will not end.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  the callers name the program, and no shell reads its arguments
            [os.fspath(word) for word in command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise ProgramError(error.strerror or str(error)) from error
    with process:
        try:
            stdout, stderr = _read_all(process, time.monotonic() + time_limit_seconds, max_bytes, find_obstacle)
            return Finished(process.wait(time_limit_seconds), stdout, stderr)
        except subprocess.TimeoutExpired as error:
            raise ProgramError(f"gave no answer within {time_limit_seconds:.0f} seconds") from error
        finally:
            process.kill()


def _read_all(
    process: subprocess.Popen[bytes], deadline: float, max_bytes: int, find_obstacle: Callable[[], str | None]
) -> tuple[bytes, bytes]:
    if process.stdout is None or process.stderr is None:
        raise AssertionError("both are pipes")
    stdout, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, stdout)
        selector.register(process.stderr, selectors.EVENT_READ, stderr)
        while selector.get_map():
            ready = selector.select(_SILENCE_SECONDS) or _wait_on(selector, deadline, find_obstacle)
            if not ready:
                raise subprocess.TimeoutExpired(process.args, 0)
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    selector.unregister(key.fileobj)
                key.data.extend(piece)
                if len(key.data) > max_bytes:
                    raise ProgramError(f"printed more than {max_bytes:,} bytes")
    return bytes(stdout), bytes(stderr)


def _wait_on(
    selector: selectors.BaseSelector, deadline: float, find_obstacle: Callable[[], str | None]
) -> list[tuple[selectors.SelectorKey, int]]:
    obstacle = find_obstacle()
    if obstacle is not None:
        raise ProgramError(obstacle)
    return selector.select(max(0.0, deadline - time.monotonic()))

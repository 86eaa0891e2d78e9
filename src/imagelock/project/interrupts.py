"""The signals that ask a run to end (SIGINT, SIGTERM, SIGHUP): an exception at any instant, except while files change.

A process has one set of signal handlers, so the state here is the process's own. What was written is kept beside it,
because the last sentence of an interrupted run must say it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALLED = 128
"""Shells report a process that a signal ended as 128 plus the signal's number."""

_PATIENT_SIGNALS = 2


class Interrupted(KeyboardInterrupt):
    """A signal that asks the run to end, with its number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class _State:
    """What this process knows of signals, and of the files that it has written so far."""

    deferrals = 0
    interrupts = 0
    pending: int | None = None
    last_exit_code: int | None = None
    written: tuple[Path, ...] = ()


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code for an interrupt: 128 plus the number of the signal."""
    return _SIGNALLED + (interrupt.number if isinstance(interrupt, Interrupted) else signal.SIGINT)


def listen() -> None:
    """Turn each signal into ``Interrupted``; one that the parent process had ignored (``nohup``) stays ignored."""
    _State.interrupts, _State.pending, _State.last_exit_code, _State.written = 0, None, None, ()
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _receive)


@contextmanager
def deferred() -> Iterator[None]:
    """Let signals wait until the block is done, then raise ``Interrupted`` for the first of them."""
    _State.deferrals += 1
    try:
        yield
    finally:
        _State.deferrals -= 1
        if not _State.deferrals:
            give_way()


def give_way() -> None:
    """Raise ``Interrupted`` if a signal waits."""
    if _State.pending is not None:
        number, _State.pending = _State.pending, None
        _interrupt(number)


def note_written(paths: Iterable[Path]) -> None:
    """Remember files that are new on disk from now on."""
    _State.written += tuple(paths)


def written_files() -> tuple[Path, ...]:
    """Return the files that this process has written, in order."""
    return _State.written


def last_words() -> str:
    """Return what an interrupted run says at its end: which files it has written."""
    written = ", ".join(dict.fromkeys(map(str, _State.written)))
    return f"interrupted; written before that: {written}" if written else "interrupted: nothing was written"


def finish(exit_code: int) -> None:
    """Say that the work is done: a signal from now on ends the process at once, with this code."""
    _State.last_exit_code = exit_code


def _receive(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature of a handler
    if _State.last_exit_code is not None:
        os._exit(_State.last_exit_code)
    if not _State.deferrals:
        _interrupt(number)
    elif _State.pending is None:
        _State.pending = number


def _interrupt(number: int) -> None:
    """Raise for the first signal; the second must not stop the run from cleaning up and telling, the third may."""
    _State.interrupts += 1
    if _State.interrupts == 1:
        raise Interrupted(number)
    if _State.interrupts > _PATIENT_SIGNALS:
        os._exit(_SIGNALLED + number)

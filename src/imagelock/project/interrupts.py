"""Signals that end a run (SIGINT, SIGTERM, SIGHUP): raised as exceptions at any time, except while files change.

The state is global, as signal handlers are. It includes the files that were written, since the last message of an
interrupted run names them.
"""

from __future__ import annotations

import os
import sys
import time
from _thread import start_new_thread  # `threading` may be what is being imported when a signal comes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
else:
    try:
        # The functions themselves: the module around them makes enumerations of all names, 1.4% of `check`.
        import _signal as signal
    except ImportError:  # not CPython
        import signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALLED = 128
"""Exit codes of interrupted runs are 128 plus the number of the signal, as in shells."""

_PATIENT_SIGNALS = 2
_RESEND_SECONDS = 0.01
"""Longer than the callback that lost the exception still runs."""


class Interrupted(KeyboardInterrupt):
    """A signal that ends the run; has its number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class _State:
    """The state of this process: pending signals, and files that were written."""

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
    sys.unraisablehook = _report_unraisable


@contextmanager
def deferred() -> Iterator[None]:
    """Defer signals until the block ends, then raise ``Interrupted`` for the first."""
    _State.deferrals += 1
    try:
        yield
    finally:
        _State.deferrals -= 1
        if not _State.deferrals:
            give_way()


def give_way() -> None:
    """Raise ``Interrupted`` if a signal is pending."""
    if _State.pending is not None:
        number, _State.pending = _State.pending, None
        _interrupt(number)


def note_written(paths: Iterable[Path]) -> None:
    """Record files that were written."""
    _State.written += tuple(paths)


def written_files() -> tuple[Path, ...]:
    """Return the files that this process has written, in order."""
    return _State.written


def last_words() -> str:
    """Return the last message of an interrupted run, which names the files that it has written."""
    written = ", ".join(dict.fromkeys(map(str, _State.written)))
    return f"interrupted; written before that: {written}" if written else "interrupted: nothing was written"


def finish(exit_code: int) -> None:
    """Record that the work is done: a signal from now on ends the process at once with this code."""
    _State.last_exit_code = exit_code


def _receive(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature of a handler
    if _State.last_exit_code is not None:
        os._exit(_State.last_exit_code)
    if not _State.deferrals:
        _interrupt(number)
    elif _State.pending is None:
        _State.pending = number


def _interrupt(number: int) -> None:
    """Raise for the first signal; ignore the second, so that clean-up can finish; end the process at the third."""
    _State.interrupts += 1
    if _State.interrupts == 1:
        raise Interrupted(number)
    if _State.interrupts > _PATIENT_SIGNALS:
        os._exit(_SIGNALLED + number)


def _report_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Send a signal again whose exception Python dropped, as it drops each one of a finalizer or weakref callback."""
    if not isinstance(unraisable.exc_value, Interrupted):
        sys.__unraisablehook__(unraisable)
        return
    _State.interrupts = 0
    # Not at once: an exception that is raised in this function is dropped as well.
    start_new_thread(_send_later, (unraisable.exc_value.number,))


def _send_later(number: int) -> None:
    time.sleep(_RESEND_SECONDS)
    os.kill(os.getpid(), number)

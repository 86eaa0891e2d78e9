"""A bound on the work that a test may cause, in processor time: a busy machine doesn't use it up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_GENEROUS_SECONDS = 30.0
"""What grows faster than its input takes minutes for the inputs of these tests, all else a fraction of a second."""


class TooMuchWorkError(AssertionError):
    """The bound was reached."""


@contextmanager
def bounded_effort(seconds: float = _GENEROUS_SECONDS) -> Iterator[None]:
    """Fail when the block has used so many seconds of processor time, also inside a regular expression."""

    def stop(*_: object) -> None:
        raise TooMuchWorkError(f"more than {seconds:.0f} seconds of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

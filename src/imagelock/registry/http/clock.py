"""Time, as something that is handed in: tests have another one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event
from typing import Protocol


class Clock(Protocol):
    """What waiting and expiry need of time."""

    def monotonic(self) -> float:
        """Seconds that nobody sets back."""
        ...

    def now(self) -> datetime:
        """Return the date, for servers that name one."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait, or return early if there is nothing to wait for any more."""
        ...


class SystemClock:
    """The real one; its sleepers wake when the client closes, so that Ctrl-C ends a run at once."""

    def __init__(self) -> None:
        self._is_closing = Event()

    def monotonic(self) -> float:
        """Seconds that nobody sets back."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the date."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait, unless the client closes."""
        self._is_closing.wait(seconds)

    def wake_sleepers(self) -> None:
        """End every wait, now and later."""
        self._is_closing.set()

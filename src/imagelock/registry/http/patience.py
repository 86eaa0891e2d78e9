"""What all workers know of a host: until when to leave it alone, and whether it is gone."""

from __future__ import annotations

from threading import Lock

from imagelock.errors import RegistryError
from imagelock.registry.http.urls import Origin


class Patience:
    """One back-off a host, shared by all workers: eight of them must not each ask a busy server four times."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._not_before: dict[Origin, float] = {}
        self._answers: dict[Origin, int] = {}
        self._gone: dict[Origin, RegistryError] = {}

    def not_before(self, origin: Origin) -> float:
        """Return the moment (of the monotonic clock) before which nobody should ask."""
        with self._lock:
            return self._not_before.get(origin, 0.0)

    def hold(self, origin: Origin, *, until: float) -> None:
        """Let everybody wait; a later moment replaces an earlier one, never the other way round."""
        with self._lock:
            self._not_before[origin] = max(until, self._not_before.get(origin, 0.0))

    def note_answer(self, origin: Origin) -> None:
        """Note that the host lives, whatever it said."""
        with self._lock:
            self._answers[origin] = self._answers.get(origin, 0) + 1
            self._gone.pop(origin, None)

    def answers(self, origin: Origin) -> int:
        """How often the host answered in this run."""
        with self._lock:
            return self._answers.get(origin, 0)

    def give_up(self, origin: Origin, error: RegistryError, *, answers_before: int) -> None:
        """Let nobody try again a host that gave no answer to anyone since ``answers_before``."""
        with self._lock:
            if self._answers.get(origin, 0) == answers_before:
                self._gone[origin] = error

    def find_reason_for_silence(self, origin: Origin) -> RegistryError | None:
        """Return the failure of whoever found out that the host is gone."""
        with self._lock:
            return self._gone.get(origin)

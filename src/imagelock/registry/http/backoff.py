"""When to ask a host again: attempts, pauses, ``Retry-After``, quotas, and what all threads share about a host."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Protocol

from imagelock.errors import RegistryError
from imagelock.model.frozen import frozen
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.messages import Request, Response

TOO_MANY_REQUESTS = 429
_LIMIT = re.compile(r"([0-9]{1,10})(?:;w=([0-9]{1,10}))?", re.ASCII)
_SECONDS_PER_HOUR = 3600

ATTEMPTS = 4
MAX_PAUSE_SECONDS = 60.0
"""Whoever wants us to wait longer gets no second question: a person or a CI job decides about minutes."""
_RETRIED_STATUSES = frozenset({408, TOO_MANY_REQUESTS, 500, 502, 503, 504, 522})
_SERVER_ERRORS = range(500, 600)
_UNAVAILABLE = 503
_FIRST_PAUSE_SECONDS = 0.5
_MAX_GUESSED_PAUSE_SECONDS = 30.0
_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)


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


@frozen
class Quota:
    """How many pulls a registry grants within a window of time."""

    limit: int
    remaining: int
    window_seconds: int

    def __str__(self) -> str:
        hours = self.window_seconds / _SECONDS_PER_HOUR
        return f"{self.remaining} of {self.limit} pulls are left, counted over {hours:g} hours"


def read_quota(response: Response) -> Quota | None:
    """Read Docker Hub's headers, which stand on successes, too; ``None`` where there is no limit."""
    limit = _LIMIT.fullmatch(response.headers.get("ratelimit-limit"))
    remaining = _LIMIT.fullmatch(response.headers.get("ratelimit-remaining"))
    if not limit or not remaining:
        return None
    return Quota(int(limit[1]), int(remaining[1]), int(limit[2] or 0))


def is_quota_spent(response: Response) -> bool:
    """Tell a spent quota, where waiting seconds is useless, from a limit on haste, where it helps."""
    return response.status == TOO_MANY_REQUESTS and b"pull rate limit" in response.body.lower()


def is_worth_repeating(request: Request, response: Response) -> bool:
    """Whether the same question may get another answer soon.

    A ``HEAD`` on which a server fails is not: the ``GET`` that follows it has the patience for both.
    """
    if request.method == "HEAD" and response.status in _SERVER_ERRORS:
        return False
    return response.status in _RETRIED_STATUSES and not is_quota_spent(response)


def concerns_everybody(response: Response) -> bool:
    """Whether all questions to that host should wait, not this one alone."""
    return response.status in (TOO_MANY_REQUESTS, _UNAVAILABLE)


def guessed_pause_seconds(attempt: int, *, jitter: float) -> float:
    """How long to wait after the ``attempt``-th failure (the first is 1), where nobody said; ``jitter`` is 0 to 1."""
    return float(jitter * min(_MAX_GUESSED_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)))


def read_retry_after(response: Response, *, now: datetime) -> float | None:
    """Return how long the server wants us to wait, from either form of ``Retry-After``; ``None`` if it says nothing.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    wish = _read_wish(response)
    return max(0.0, (wish - now).total_seconds()) if isinstance(wish, datetime) else wish


def describe_retry_after(response: Response) -> str | None:
    """Say in words how long the server wants to be left alone."""
    match _read_wish(response):
        case None:
            return None
        case datetime() as moment:
            return f"it wants to be left alone until {moment:%Y-%m-%d %H:%M} UTC"
        case seconds:
            return f"it wants to be left alone for {seconds:.0f} seconds"


def _read_wish(response: Response) -> float | datetime | None:
    value = response.headers.get("retry-after")
    if _SECONDS.fullmatch(value):
        return float(value)
    if not value:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  4 ms that only a busy server's answer is worth

    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None

"""When to ask a host again: attempts, pauses, ``Retry-After``, quotas, and what all threads share about a host."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from http import HTTPStatus
from threading import Event, Lock
from typing import Protocol

import httpx

from imagelock.errors import RegistryError
from imagelock.model.frozen import frozen
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.messages import first_header

ATTEMPTS = 4
MAX_PAUSE_SECONDS = 60.0
"""A longer ``Retry-After`` ends the request: a person or a CI job decides about minutes."""
_RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 522})
_FIRST_PAUSE_SECONDS = 0.5
_MAX_GUESSED_PAUSE_SECONDS = 30.0
_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)
_LIMIT = re.compile(r"([0-9]{1,10})(?:;w=([0-9]{1,10}))?", re.ASCII)
_SECONDS_PER_HOUR = 3600


class Clock(Protocol):
    """What waiting and expiry need of time."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def now(self) -> datetime:
        """Return the date, for servers that name one."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait, or return early at the end of the run."""
        ...


class SystemClock:
    """The real one; its sleepers wake when the client closes, so that Ctrl-C ends a run at once."""

    def __init__(self) -> None:
        self._is_closing = Event()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
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


class Backoff:
    """One back-off a host, shared by all threads: sixteen of them must not each ask a busy server four times."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._not_before: dict[Origin, float] = {}
        self._responses: dict[Origin, int] = {}
        self._unreachable: dict[Origin, RegistryError] = {}

    def not_before(self, origin: Origin) -> float:
        """Return the moment (of the monotonic clock) before which the host must not be asked."""
        with self._lock:
            return self._not_before.get(origin, 0.0)

    def pause_until(self, origin: Origin, moment: float) -> None:
        """Let all threads wait; a later moment replaces an earlier one, never the other way round."""
        with self._lock:
            self._not_before[origin] = max(moment, self._not_before.get(origin, 0.0))

    def note_response(self, origin: Origin) -> None:
        """Note that the host lives, whatever it answered."""
        with self._lock:
            self._responses[origin] = self._responses.get(origin, 0) + 1
            self._unreachable.pop(origin, None)

    def count_responses(self, origin: Origin) -> int:
        """Return how often the host answered in this run."""
        with self._lock:
            return self._responses.get(origin, 0)

    def mark_unreachable(self, origin: Origin, error: RegistryError, *, responses_before: int) -> None:
        """Let no thread ask a host again that has answered no thread since ``responses_before``."""
        with self._lock:
            if self._responses.get(origin, 0) == responses_before:
                self._unreachable[origin] = error

    def unreachable_error(self, origin: Origin) -> RegistryError | None:
        """Return the error of the thread that found the host unreachable."""
        with self._lock:
            return self._unreachable.get(origin)


@frozen
class Quota:
    """How many pulls a registry grants within a window of time."""

    limit: int
    remaining: int
    window_seconds: int

    def __str__(self) -> str:
        hours = self.window_seconds / _SECONDS_PER_HOUR
        return f"{self.remaining} of {self.limit} pulls are left, counted over {hours:g} hours"


def read_quota(response: httpx.Response) -> Quota | None:
    """Read Docker Hub's headers, which a 2xx response has, too; ``None`` where there is no limit."""
    limit = _LIMIT.fullmatch(first_header(response, "ratelimit-limit"))
    remaining = _LIMIT.fullmatch(first_header(response, "ratelimit-remaining"))
    if not limit or not remaining:
        return None
    return Quota(int(limit[1]), int(remaining[1]), int(limit[2] or 0))


def is_quota_spent(response: httpx.Response) -> bool:
    """Tell a spent quota, where waiting seconds is useless, from a limit on haste, where it helps."""
    return response.status_code == HTTPStatus.TOO_MANY_REQUESTS and b"pull rate limit" in response.content.lower()


def is_worth_repeating(response: httpx.Response, *, method: str) -> bool:
    """Whether the same request may soon get another response.

    A ``HEAD`` on which a server fails is not: the ``GET`` that follows it is repeated for both.
    """
    if method == "HEAD" and response.is_server_error:
        return False
    return response.status_code in _RETRIED_STATUSES and not is_quota_spent(response)


def concerns_all_requests(response: httpx.Response) -> bool:
    """Whether all requests to that host should wait, not this one alone."""
    return response.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def backoff_seconds(attempt: int, *, jitter: float) -> float:
    """Return the pause after the ``attempt``-th failure (from 1) where no server named one; ``jitter`` is 0 to 1."""
    return float(jitter * min(_MAX_GUESSED_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)))


def read_retry_after(response: httpx.Response, *, now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, in either of its forms; ``None`` if it can't be read.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    retry_after = _retry_after(response)
    return max(0.0, (retry_after - now).total_seconds()) if isinstance(retry_after, datetime) else retry_after


def describe_retry_after(response: httpx.Response) -> str | None:
    """Return in words what ``Retry-After`` asks for."""
    match _retry_after(response):
        case None:
            return None
        case datetime() as moment:
            return f"retry after {moment:%Y-%m-%d %H:%M} UTC"
        case seconds:
            return f"retry after {seconds:.0f} seconds"


def _retry_after(response: httpx.Response) -> float | datetime | None:
    value = first_header(response, "retry-after")
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

"""Retries: attempts, pauses, ``Retry-After``, quotas, and the back-off state that all threads share."""

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
"""A longer ``Retry-After`` is an error: the user or the CI job decides whether to wait for minutes."""
_RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 522})
_FIRST_PAUSE_SECONDS = 0.5
_MAX_GUESSED_PAUSE_SECONDS = 30.0
_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)
_LIMIT = re.compile(r"([0-9]{1,10})(?:;w=([0-9]{1,10}))?", re.ASCII)
_SECONDS_PER_HOUR = 3600


class Clock(Protocol):
    """The clock of pauses and expiry; tests replace it."""

    def monotonic(self) -> float:
        """Return the seconds of a monotonic clock."""
        ...

    def now(self) -> datetime:
        """Return the current date, for a ``Retry-After`` with a date."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that long; return early at the end of the run."""
        ...


class SystemClock:
    """The system's clock; closing the client ends its sleeps, so that Ctrl-C ends a run at once."""

    def __init__(self) -> None:
        self._is_closing = Event()

    def monotonic(self) -> float:
        """Return the seconds of a monotonic clock."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the current date."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait that long, or until the client closes."""
        self._is_closing.wait(seconds)

    def wake_sleepers(self) -> None:
        """End every sleep, present and future."""
        self._is_closing.set()


class Backoff:
    """Back-off state per host, shared by all threads, so that 16 threads do not each retry a busy host four times."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._not_before: dict[Origin, float] = {}
        self._responses: dict[Origin, int] = {}
        self._unreachable: dict[Origin, RegistryError] = {}

    def not_before(self, origin: Origin) -> float:
        """Return the time, in monotonic seconds, before which no request may be sent to the host."""
        with self._lock:
            return self._not_before.get(origin, 0.0)

    def pause_until(self, origin: Origin, moment: float) -> None:
        """Pause all threads until a time in monotonic seconds; a pause is only ever extended."""
        with self._lock:
            self._not_before[origin] = max(moment, self._not_before.get(origin, 0.0))

    def note_response(self, origin: Origin) -> None:
        """Count a response of the host, of any status: it is reachable."""
        with self._lock:
            self._responses[origin] = self._responses.get(origin, 0) + 1
            self._unreachable.pop(origin, None)

    def count_responses(self, origin: Origin) -> int:
        """Return the number of responses of the host in this run."""
        with self._lock:
            return self._responses.get(origin, 0)

    def mark_unreachable(self, origin: Origin, error: RegistryError, *, responses_before: int) -> None:
        """Stop all requests to a host that sent no response since ``responses_before`` were counted."""
        with self._lock:
            if self._responses.get(origin, 0) == responses_before:
                self._unreachable[origin] = error

    def unreachable_error(self, origin: Origin) -> RegistryError | None:
        """Return the error of the first thread that could not reach the host, if any."""
        with self._lock:
            return self._unreachable.get(origin)


@frozen
class Quota:
    """The pull quota of a registry within a time window."""

    limit: int
    remaining: int
    window_seconds: int

    def __str__(self) -> str:
        hours = self.window_seconds / _SECONDS_PER_HOUR
        return f"{self.remaining} of {self.limit} pulls are left, counted over {hours:g} hours"


def read_quota(response: httpx.Response) -> Quota | None:
    """Return the quota in Docker Hub's headers, which 2xx responses also have; ``None`` if there is none."""
    limit = _LIMIT.fullmatch(first_header(response, "ratelimit-limit"))
    remaining = _LIMIT.fullmatch(first_header(response, "ratelimit-remaining"))
    if not limit or not remaining:
        return None
    return Quota(int(limit[1]), int(remaining[1]), int(limit[2] or 0))


def is_quota_spent(response: httpx.Response) -> bool:
    """Return whether a 429 reports a used-up quota: unlike a rate limit, it does not end within seconds."""
    return response.status_code == HTTPStatus.TOO_MANY_REQUESTS and b"pull rate limit" in response.content.lower()


def is_worth_repeating(response: httpx.Response, *, method: str) -> bool:
    """Return whether a retry may get another response.

    A ``HEAD`` that fails with 5xx is not retried: the ``GET`` that follows it is.
    """
    if method == "HEAD" and response.is_server_error:
        return False
    return response.status_code in _RETRIED_STATUSES and not is_quota_spent(response)


def concerns_all_requests(response: httpx.Response) -> bool:
    """Return whether all requests to the host must wait, and not only this one."""
    return response.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def backoff_seconds(attempt: int, *, jitter: float) -> float:
    """Return the pause after the ``attempt``-th failure (from 1) without ``Retry-After``; ``jitter`` is 0 to 1."""
    return float(jitter * min(_MAX_GUESSED_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)))


def read_retry_after(response: httpx.Response, *, now: datetime) -> float | None:
    """Return the seconds in ``Retry-After``, in either of its forms; ``None`` if it is missing or unreadable.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    retry_after = _retry_after(response)
    return max(0.0, (retry_after - now).total_seconds()) if isinstance(retry_after, datetime) else retry_after


def describe_retry_after(response: httpx.Response) -> str | None:
    """Return ``Retry-After`` in words; ``None`` if it is missing or unreadable."""
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
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  4 ms that only a busy server's response needs

    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None

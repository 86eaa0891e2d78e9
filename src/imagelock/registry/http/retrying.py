"""When to ask again, and when not to: pure functions of the attempt, the answer and the clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from imagelock.registry.http.messages import Request, Response
from imagelock.registry.http.quota import TOO_MANY_REQUESTS, is_quota_spent

ATTEMPTS = 4
MAX_PAUSE_SECONDS = 60.0
"""Whoever wants us to wait longer gets no second question: a person or a CI job decides about minutes."""
_RETRIED_STATUSES = frozenset({408, TOO_MANY_REQUESTS, 500, 502, 503, 504, 522})
_SERVER_ERRORS = range(500, 600)
_UNAVAILABLE = 503
_FIRST_PAUSE_SECONDS = 0.5
_MAX_GUESSED_PAUSE_SECONDS = 30.0
_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)


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

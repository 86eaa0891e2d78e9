"""Rate limits: what a registry says about them, and which of them are worth waiting for."""

from __future__ import annotations

import re

from imagelock.model.frozen import frozen
from imagelock.registry.http.messages import Response

TOO_MANY_REQUESTS = 429
_LIMIT = re.compile(r"([0-9]{1,10})(?:;w=([0-9]{1,10}))?", re.ASCII)
_SECONDS_PER_HOUR = 3600


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

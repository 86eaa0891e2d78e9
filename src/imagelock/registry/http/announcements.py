"""What registries want people to know: sunsets, deprecated repositories, quotas to come.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#warnings
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from threading import Lock

from imagelock.registry.http.messages import Headers, Response
from imagelock.registry.http.urls import Origin
from imagelock.registry.http.wording import printable

_WARNING = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_MAX_LENGTH = 4096
"""Of all warnings of an answer together, as the specification has it."""


class Announcements:
    """Passes each warning on once, however many answers carry it. Thread-safe."""

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        self._tell = tell
        self._lock = Lock()
        self._told: set[tuple[Origin, str]] = set()

    def pass_on(self, response: Response) -> None:
        """Tell what the answer's headers announce, and nobody has told yet."""
        for warning in read_warnings(response.headers):
            with self._lock:
                is_new = (response.url.origin, warning) not in self._told
                self._told.add((response.url.origin, warning))
            if is_new and self._tell is not None:
                self._tell(f"{response.url.origin.host_and_port} says: {warning}")


def read_warnings(headers: Headers) -> Iterator[str]:
    """List the texts of ``Warning: 299 - "…"``; every other code is about caches."""
    remaining = _MAX_LENGTH
    for line in headers.all("warning"):
        remaining -= len(line)
        if remaining < 0:
            return
        warning = _WARNING.fullmatch(line)
        if warning is not None and warning[1]:
            yield printable(_ESCAPED.sub(r"\1", warning[1]), max_length=_MAX_LENGTH)

"""What a registry was asked, read from its own log."""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.support.plain_client import get

_LINE = re.compile(r'"([A-Z]+) (\S+) HTTP/[0-9.]+" ([0-9]+) [0-9]+ "[^"]*" "([^"]*)"')
"""The end of Apache's "combined" format, which distribution writes to its standard output.

Its JSON log isn't used: it has a line for successful requests only, a 401 is missing there.
"""
_FLUSH_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request as the registry saw it."""

    method: str
    path: str
    status: int
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLog:
    """The access log of one running registry."""

    file: Path
    url: str
    trust: ssl.SSLContext | None

    def mark(self) -> int:
        """Where the log ends now: hand it to ``since`` later."""
        self._flush()
        return self.file.stat().st_size

    def since(self, mark: int) -> tuple[LoggedRequest, ...]:
        """All requests after ``mark``, in the order in which they were answered."""
        self._flush()
        lines = self.file.read_bytes()[mark:].decode().splitlines()
        requests = [_parse(line) for line in lines]
        return tuple(request for request in requests if not request.path.startswith("/flush/"))

    def _flush(self) -> None:
        # The log's line comes after the answer, so a client may be done before the line is there. When
        # the line of a later request is there, those of the earlier ones are, too.
        probe = f"/flush/{uuid4().hex}"
        get(f"{self.url}{probe}", trust=self.trust)
        deadline = time.monotonic() + _FLUSH_SECONDS
        while probe.encode() not in self.file.read_bytes():
            assert time.monotonic() < deadline, "the registry doesn't write its access log"
            time.sleep(0.005)


def _parse(line: str) -> LoggedRequest:
    match = _LINE.search(line)
    assert match is not None, f"not a line of an access log: {line}"
    method, path, status, user_agent = match.groups()
    return LoggedRequest(method=method, path=path, status=int(status), user_agent=user_agent)

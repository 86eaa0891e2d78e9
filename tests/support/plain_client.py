"""One GET with Python's standard library: a client that knows nothing of registries."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from types import MappingProxyType

_TIMEOUT_SECONDS = 10
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever the status."""

    status: int
    headers: Message
    body: bytes


def get(url: str, *, trust: ssl.SSLContext | None, headers: Mapping[str, str] = _NO_HEADERS) -> Answer:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310  the tests ask their own servers only
    try:
        with urllib.request.urlopen(request, context=trust, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  same
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.headers, refusal.read())

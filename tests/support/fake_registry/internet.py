"""All the hosts of a test, by name; any other does not exist."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

import httpx

from imagelock.model.reference import RegistryName
from imagelock.registry.http import FailureKind, TransportFailure
from imagelock.registry.http.addresses import Origin
from tests.support.fake_registry.answers import Answer, Fault, Handler
from tests.support.fake_registry.messages import Request, record

_FAILURES = {
    Fault.RESET: TransportFailure(FailureKind.BROKEN, "the connection broke"),
    Fault.STALL: TransportFailure(FailureKind.TIMED_OUT, "the time limit is over"),
    Fault.TRUNCATED: TransportFailure(FailureKind.BROKEN, "the body is not complete"),
}


@dataclass(slots=True)
class Internet(httpx.BaseTransport):
    """A transport and dialer whose other end are handlers by ``host[:port]``; it remembers what they were asked."""

    hosts: dict[str, Handler]
    requests: list[Request] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @abstractmethod
    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None: ...

    @abstractmethod
    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool: ...

    def answer(self, request: Request) -> Answer | None:
        """What the host says, ``None`` if there is no such host. One question at a time: handlers keep state."""
        with self._lock:
            self.requests.append(request)
            handler = self.hosts.get(request.origin.host_and_port)
            return None if handler is None else handler(request)

    def log(self) -> Sequence[str]:
        """Every request as ``METHOD host/path?query``."""
        return [f"{request.method} {request.origin.host_and_port}{request.url.target}" for request in self.requests]

    def asked(self, host: str) -> list[Request]:
        return [request for request in self.requests if request.origin.host_and_port == host]


@dataclass(slots=True)
class FakeInternet(Internet):
    """Behind the client's transport seam: no bytes are sent, and no time passes."""

    early: list[tuple[str, int]] = field(default_factory=list)
    plain: frozenset[str] = frozenset()
    """Hosts that speak no TLS."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.answer(record(request))
        if answer is None:
            raise TransportFailure(FailureKind.NO_SUCH_HOST, "the name has no address")
        if answer.fault is not None:
            raise _FAILURES[answer.fault]
        headers = [(name.encode(), value.strip().encode()) for name, value in answer.header_lines()]
        body = _Body(() if request.method == "HEAD" else answer.chunks)
        return httpx.Response(answer.status, headers=headers, stream=body)

    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None:
        assert registry
        self.early.append((str(origin), connections))

    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool:
        assert registry
        return origin.host_and_port not in self.plain


class _Body(httpx.SyncByteStream):
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

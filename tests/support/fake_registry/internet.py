"""All the hosts of a test, by name; whoever isn't there doesn't exist."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from imagelock.model.reference import RegistryName
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.connections import FailureKind, TransportFailure
from imagelock.registry.http.messages import Headers, Request, Response, read_body
from tests.support.fake_registry.answers import Answer, Fault, Handler

_FAILURES = {
    Fault.RESET: TransportFailure(FailureKind.BROKEN, "the connection broke"),
    Fault.STALL: TransportFailure(FailureKind.TIMED_OUT, "the time limit is over"),
    Fault.TRUNCATED: TransportFailure(FailureKind.BROKEN, "the body is not complete"),
}


@dataclass(slots=True)
class Internet:
    """A ``Transport`` whose other end are handlers by ``host[:port]``; it remembers what they were asked."""

    hosts: dict[str, Handler]
    requests: list[Request] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @abstractmethod
    def send(self, request: Request) -> Response: ...

    @abstractmethod
    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None: ...

    @abstractmethod
    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool: ...

    @abstractmethod
    def close(self) -> None: ...

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

    def send(self, request: Request) -> Response:
        answer = self.answer(request)
        if answer is None:
            raise TransportFailure(FailureKind.NO_SUCH_HOST, "the name has no address")
        if answer.fault is not None:
            raise _FAILURES[answer.fault]
        headers = Headers.of(answer.header_lines())
        chunks = () if request.method == "HEAD" else answer.chunks
        limit = request.max_body_bytes
        body = read_body(chunks, status=answer.status, headers=headers, max_bytes=limit)
        return Response(status=answer.status, headers=headers, body=body, url=request.url)

    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None:
        assert registry
        self.early.append((str(origin), connections))

    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool:
        assert registry
        return origin.host_and_port not in self.plain

    def close(self) -> None:
        """There is nothing to close."""

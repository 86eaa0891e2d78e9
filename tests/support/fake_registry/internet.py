"""All the hosts of a test behind the client's transport seam; whoever isn't there doesn't exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from imagelock.reference import RegistryName
from imagelock.registry.http.bodies import read_body
from imagelock.registry.http.failures import FailureKind, TransportFailure
from imagelock.registry.http.messages import Headers, Request, Response
from imagelock.registry.http.urls import Origin
from tests.support.fake_registry.answers import Fault, Handler

_FAILURES = {
    Fault.RESET: TransportFailure(FailureKind.BROKEN, "the connection broke"),
    Fault.STALL: TransportFailure(FailureKind.TIMED_OUT, "the time limit is over"),
    Fault.TRUNCATED: TransportFailure(FailureKind.BROKEN, "the body is not complete"),
}


@dataclass(slots=True)
class FakeInternet:
    """A ``Transport`` that hands requests to handlers by ``host[:port]``, and remembers them."""

    hosts: dict[str, Handler]
    requests: list[Request] = field(default_factory=list)
    early: list[tuple[str, int]] = field(default_factory=list)
    plain: frozenset[str] = frozenset()
    """Hosts that speak no TLS."""
    _lock: Lock = field(default_factory=Lock)

    def send(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            handler = self.hosts.get(request.origin.host_and_port)
            if handler is None:
                raise TransportFailure(FailureKind.NO_SUCH_HOST, "the name has no address")
            answer = handler(request)
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

    def log(self) -> Sequence[str]:
        """Every request as ``METHOD host/path?query``."""
        return [f"{request.method} {request.origin.host_and_port}{request.url.target}" for request in self.requests]

    def asked(self, host: str) -> list[Request]:
        return [request for request in self.requests if request.origin.host_and_port == host]

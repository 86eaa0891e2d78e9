"""Send bytes: the only module that knows an HTTP library.

The library is httpcore, the engine inside httpx. httpx's own layer follows redirects, answers challenges, keeps
cookies, merges parameters and reads the environment: each of these we do ourselves or must not do at all, and its
import takes twice as long.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, local

import httpcore

from imagelock import __version__
from imagelock.locking.parallel import DEFAULT_MAX_WORKERS
from imagelock.registry.auth.credentials import basic_authorization
from imagelock.registry.http.connections import FailureKind, TransportFailure, failure_of
from imagelock.registry.http.messages import Headers, Request, Response, read_body
from imagelock.registry.http.proxies import Route
from imagelock.registry.http.wording import printable

_IDLE_SECONDS = 60.0
_EVERY_REQUEST = (
    (b"User-Agent", f"imagelock/{__version__}".encode()),
    # Digests are those of the plain bytes.
    (b"Accept-Encoding", b"identity"),
)


class HttpTransport:
    """Sends requests over routes, and keeps the connections for the next ones. Thread-safe."""

    def __init__(self, dial: Callable[[Route], socket.socket], *, time_limit_seconds: float) -> None:
        self._dial = dial
        self._time_limit_seconds = time_limit_seconds
        self._lock = Lock()
        self._pools: dict[Route, httpcore.ConnectionPool] = {}
        self._deadline = _Deadline()

    def send(self, request: Request, route: Route) -> Response:
        """Ask and read the whole answer within the time limit; ``TransportFailure`` if there is none."""
        self._deadline.begin(self._time_limit_seconds, max_silence_seconds=request.max_silence_seconds)
        exchange = self._pool(route).stream(
            request.method,
            _target(request, route),
            headers=_header_lines(request, route),
            content=request.form or None,
            extensions={"timeout": {"pool": self._time_limit_seconds}},
        )
        with _our_failures(), exchange as answer:
            headers = Headers.of((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
            return Response(
                status=answer.status,
                headers=headers,
                body=_read(answer, request, headers),
                url=request.url,
            )

    def _pool(self, route: Route) -> httpcore.ConnectionPool:
        with self._lock:
            if route not in self._pools:
                self._pools[route] = httpcore.ConnectionPool(
                    max_connections=DEFAULT_MAX_WORKERS,
                    max_keepalive_connections=DEFAULT_MAX_WORKERS,
                    keepalive_expiry=_IDLE_SECONDS,
                    network_backend=_Backend(route, self._dial, self._deadline),
                )
            return self._pools[route]


class _Deadline(local):
    """When the exchange must be over that the current thread waits for: a byte a minute is a server's trick, too."""

    _moment = 0.0
    _max_silence_seconds = 0.0

    def begin(self, seconds: float, *, max_silence_seconds: float) -> None:
        self._moment = time.monotonic() + seconds
        self._max_silence_seconds = max_silence_seconds

    def remaining_seconds(self) -> float:
        remaining = self._moment - time.monotonic()
        if remaining <= 0:
            raise TransportFailure(FailureKind.TIMED_OUT, "the time limit is over")
        return min(remaining, self._max_silence_seconds)


class _Backend(httpcore.NetworkBackend):
    """Hands out our own sockets, which are connected and private when httpcore sees them first."""

    def __init__(self, route: Route, dial: Callable[[Route], socket.socket], deadline: _Deadline) -> None:
        self._route = route
        self._dial = dial
        self._deadline = deadline

    def connect_tcp(self, *_: object, **__: object) -> httpcore.NetworkStream:
        return _Stream(self._dial(self._route), self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, connection: socket.socket, deadline: _Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  httpcore's signature
        self._connection.settimeout(self._deadline.remaining_seconds())
        try:
            return self._connection.recv(max_bytes)
        except OSError as error:
            raise failure_of(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  httpcore's signature
        self._connection.settimeout(self._deadline.remaining_seconds())
        try:
            self._connection.sendall(buffer)
        except OSError as error:
            raise failure_of(error) from error

    def close(self) -> None:
        self._connection.close()

    def get_extra_info(self, info: str) -> bool | None:
        """Tell httpcore of idle connections with something to read: the server has closed them."""
        if info != "is_readable":
            return None
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(0))


def _target(request: Request, route: Route) -> httpcore.URL:
    """Return the address as httpcore wants it: always ``http``, since the sockets have their privacy already."""
    return httpcore.URL(
        scheme=b"http",
        host=request.origin.host.encode(),
        port=request.origin.port,
        target=(str(request.url) if route.is_forwarded else request.url.target).encode(),
    )


def _header_lines(request: Request, route: Route) -> list[tuple[bytes, bytes]]:
    lines = [(b"Host", request.origin.host_and_port.encode()), *_EVERY_REQUEST]
    lines += [(name.encode(), value.encode()) for name, value in request.headers]
    if request.authorization:
        lines.append((b"Authorization", request.authorization.encode()))
    if route.is_forwarded and route.proxy is not None and route.proxy.login is not None:
        lines.append((b"Proxy-Authorization", basic_authorization(route.proxy.login).encode()))
    return lines


def _read(answer: httpcore.Response, request: Request, headers: Headers) -> bytes:
    if request.method == "HEAD":
        # There is no body, and it has to be read all the same: httpcore closes a connection before the answer's end.
        return b"".join(answer.iter_stream())
    return read_body(answer.iter_stream(), status=answer.status, headers=headers, max_bytes=request.max_body_bytes)


@contextmanager
def _our_failures() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise TransportFailure(FailureKind.TIMED_OUT, "the time limit is over") from error
    except (httpcore.ProtocolError, httpcore.NetworkError) as error:
        # h11 quotes what it could not read.
        raise TransportFailure(FailureKind.BROKEN, printable(str(error) or "the connection broke")) from error

"""The transport under ``httpx.Client``: HTTP/1.1 by h11, which only this module imports.

httpx's own transport has no time limit for a whole exchange, cannot be interrupted at the end of a run, and cannot use
connections that were opened before httpx was imported.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus
from threading import Lock

import h11
import httpx

from imagelock.errors import printable
from imagelock.model.secrets import mask_secrets
from imagelock.registry.http import FailureKind, TransportFailure, failure_of
from imagelock.registry.http.addresses import Route, basic_authorization
from imagelock.registry.http.connections import Connections
from imagelock.registry.http.messages import clean_head, rules_of
from imagelock.registry.http.pool import Deadline, Pool
from imagelock.registry.http.urls import origin_of

_IDLE_SECONDS = 60.0
_MAX_HEAD_BYTES = 100 * 1024
_RECEIVED_BYTES = 64 * 1024
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LONGEST_END_OF_HEAD = 4
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_QUOTED_BY_H11 = re.compile(r"""bytearray\(b(['"])(.*)\1\)""", re.DOTALL)
_REPEATABLE = frozenset({"GET", "HEAD"})
QUEUE_SECONDS = 4.0
"""The longest wait for the first response on a new connection while another connection is idle."""
_POLL_SECONDS = 0.2
_MAX_REFUSED = 2
"""How many new connections of one request may close without a byte while others to the host are open."""


class Transport(httpx.BaseTransport):
    """Sends requests, and keeps connections for later ones. Thread-safe.

    ``TransportFailure`` if there is no response. The time limit of an exchange includes the response's stream. A
    ``GET`` or ``HEAD`` is sent again at once if a reused connection closes without a byte of a response, or if the
    server seems to keep only the other open connections.
    """

    def __init__(self, connections: Connections, *, time_limit_seconds: float) -> None:
        self._connections = connections
        self._time_limit_seconds = time_limit_seconds
        self._lock = Lock()
        self._pools: dict[Route, Pool[_Connection]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to a request, with its body unread."""
        rules = rules_of(request)
        seconds = self._time_limit_seconds + rules.more_seconds
        deadline = Deadline(seconds, max_silence_seconds=rules.max_silence_seconds)
        pool = self._pool(self._connections.find_route(origin_of(request.url), rules.registry))
        refused = 0
        while True:
            connection = pool.take(deadline)
            is_first = connection.never_answered
            try:
                head = connection.send(request, pool, deadline)
            except BaseException as error:
                is_silent = connection.broke_silently(error)
                has_others = self._drop(connection, pool, deadline, is_silent=is_silent)
                refused += not connection.was_open
                may_repeat = connection.was_open or (has_others and refused < _MAX_REFUSED)
                if not (is_silent and may_repeat and request.method in _REPEATABLE):
                    raise
                continue
            if _is_idle_timeout(head, connection) and request.method in _REPEATABLE:
                pool.drop(connection)
                continue
            may_repeat = is_first and refused < _MAX_REFUSED and request.method in _REPEATABLE
            if may_repeat and _turns_away(head) and pool.drop_turned_away(connection, was_early=connection.was_open):
                refused += not connection.was_open
                continue
            body = _Body(connection, pool, deadline)
            return httpx.Response(head.status_code, headers=list(head.headers), stream=body)

    def _drop(self, connection: _Connection, pool: Pool[_Connection], deadline: Deadline, *, is_silent: bool) -> bool:
        if is_silent and connection.never_answered:
            return pool.drop_refused(connection, deadline)
        pool.drop(connection)
        return False

    def close(self) -> None:
        """End every wait for a connection; ``Connections.close`` ends the waits for bytes."""
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()

    def _pool(self, route: Route) -> Pool[_Connection]:
        with self._lock:
            pool = self._pools.get(route)
            if pool is None:
                pool = self._pools[route] = Pool(self._connections, route, _Connection)
            return pool


class _Connection:
    """A socket with its h11 state."""

    def __init__(self, connection: socket.socket, was_open: bool) -> None:  # noqa: FBT001  a pool calls it so
        self._socket = connection
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        self._is_silent = True
        self._idle_until = 0.0
        self.was_open = was_open
        """Whether it was opened before the current request."""
        self.never_answered = True

    def send(self, request: httpx.Request, pool: Pool[_Connection], deadline: Deadline) -> h11.Response:
        """Send a request, and return the head of the response."""
        self._is_silent = True
        data = b"".join(self._http.send(event) or b"" for event in _events(request, pool.route))
        seconds = deadline.silence_seconds()
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(data)
        except OSError as error:
            raise failure_of(error) from error
        if self.never_answered and request.method in _REPEATABLE:
            self._wait_in_queue(pool, deadline)
        try:
            return self._read_head(deadline)
        except h11.RemoteProtocolError as error:
            raise _protocol_failure(error) from error

    def broke_silently(self, error: BaseException) -> bool:
        """Return whether a failed exchange ended before the first byte of a response."""
        return self._is_silent and isinstance(error, TransportFailure) and error.kind is FailureKind.BROKEN

    def read_body(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield the body of the response."""
        try:
            while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif event is h11.NEED_DATA:
                    self._refuse_bare_line_feed()
                    self._http.receive_data(self._receive(deadline))
                else:
                    raise TransportFailure(FailureKind.BROKEN, "the connection was closed")
        except h11.RemoteProtocolError as error:
            raise _protocol_failure(error) from error

    def make_idle(self) -> bool:
        """Prepare for the next request; ``False`` if the connection can't be used again."""
        is_done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        # Bytes after a complete response belong to no request.
        if not is_done or self._http.trailing_data[0]:
            return False
        self._http.start_next_cycle()
        self.was_open = True
        self._idle_until = time.monotonic() + _IDLE_SECONDS
        return True

    def is_usable(self) -> bool:
        """Return whether an idle connection is open: one that is readable has been closed by the server."""
        if time.monotonic() > self._idle_until:
            return False
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
        except ValueError:  # closed at the end of the run
            return False
        return not poll.poll(0)

    def close(self) -> None:
        self._socket.close()

    def _wait_in_queue(self, pool: Pool[_Connection], deadline: Deadline) -> None:
        """Wait for a connection's first byte; after ``QUEUE_SECONDS`` fail if another connection is idle.

        A server that serves one or a few connections at a time comes to the next only when those are closed.
        """
        started, limit_seconds = time.monotonic(), deadline.silence_seconds()
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
        except ValueError as error:
            raise TransportFailure(FailureKind.CLOSED, "the run is over") from error
        while not poll.poll(min(_POLL_SECONDS, deadline.silence_seconds()) * 1000):
            waited = time.monotonic() - started
            if waited > limit_seconds:
                raise TransportFailure(FailureKind.TIMED_OUT, "the time limit is over")
            if waited > QUEUE_SECONDS and pool.has_idle():
                raise TransportFailure(FailureKind.BROKEN, "the server serves other connections first")

    def _read_head(self, deadline: Deadline) -> h11.Response:
        """Return the head of the final response."""
        received = bytearray()
        while True:
            end = self._receive_head(received, deadline)
            self._http.receive_data(clean_head(bytes(received[:end])))
            del received[:end]
            event = self._http.next_event()
            if isinstance(event, h11.Response):
                if received:
                    self._http.receive_data(bytes(received))
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise TransportFailure(FailureKind.UNREADABLE, "the answer was no HTTP")

    def _receive_head(self, received: bytearray, deadline: Deadline) -> int:
        """Receive until a whole head is there, and return its length in bytes."""
        searched = 0
        while (end := _END_OF_HEAD.search(received, max(0, searched - _LONGEST_END_OF_HEAD))) is None:
            searched = len(received)
            if not b"HTTP/".startswith(received[:5]):
                raise TransportFailure(FailureKind.UNREADABLE, "the answer was no HTTP")
            if searched > _MAX_HEAD_BYTES:
                raise TransportFailure(FailureKind.UNREADABLE, f"its headers have more than {_MAX_HEAD_BYTES:,} bytes")
            piece = self._receive(deadline)
            if not piece:
                raise TransportFailure(FailureKind.BROKEN, "the connection was closed before the end of an answer")
            received += piece if received else piece.lstrip(b"\r\n")
        return end.end()

    def _refuse_bare_line_feed(self) -> None:
        """Raise ``TransportFailure`` if h11 waits for the end of a line that has ended without a carriage return."""
        if _BARE_LINE_FEED.search(self._http.trailing_data[0]):
            raise TransportFailure(FailureKind.UNREADABLE, "a line of its chunked body has no carriage return")

    def _receive(self, deadline: Deadline) -> bytes:
        seconds = deadline.silence_seconds()
        try:
            # The socket may have been closed meanwhile, at the end of the run.
            self._socket.settimeout(seconds)
            piece = self._socket.recv(_RECEIVED_BYTES)
        except OSError as error:
            raise failure_of(error) from error
        if piece:
            self._is_silent = False
            self.never_answered = False
        return piece


class _Body(httpx.SyncByteStream):
    """The body of a response; closing it returns the connection to the pool."""

    def __init__(self, connection: _Connection, pool: Pool[_Connection], deadline: Deadline) -> None:
        self._connection = connection
        self._pool = pool
        self._deadline = deadline
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self._connection.read_body(self._deadline)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._pool.put_back(self._connection)


def _events(request: httpx.Request, route: Route) -> Iterator[h11.Event]:
    """Yield the events of a request; a forwarding proxy gets the whole URL and its own login."""
    target, headers = request.url.raw_path, request.headers.raw
    if route.is_forwarded:
        target = str(request.url).encode("ascii")
    if route.is_forwarded and route.proxy is not None and route.proxy.login is not None:
        headers = [*headers, (b"Proxy-Authorization", basic_authorization(route.proxy.login).encode("ascii"))]
    yield h11.Request(method=request.method, target=target, headers=headers)
    if request.content:
        yield h11.Data(data=request.content)
    yield h11.EndOfMessage()


def _is_idle_timeout(head: h11.Response, connection: _Connection) -> bool:
    """Return whether a response is the 408 that servers send before they close an idle connection."""
    return head.status_code == HTTPStatus.REQUEST_TIMEOUT and connection.was_open


def _turns_away(head: h11.Response) -> bool:
    """Return whether a response ends a connection that is one too many for the server."""
    is_busy = head.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    return is_busy and any(name == b"connection" and value.lower() == b"close" for name, value in head.headers)


def _protocol_failure(error: h11.RemoteProtocolError) -> TransportFailure:
    # h11 quotes the bytes that it could not parse.
    reason = _QUOTED_BY_H11.sub(r"`\2`", str(error))
    kind = FailureKind.BROKEN if reason.startswith("peer ") else FailureKind.UNREADABLE
    return TransportFailure(kind, printable(mask_secrets(reason)))

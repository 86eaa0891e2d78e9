"""Open connections, some of them before the first request needs them, and end them all at once.

A handshake costs two or three round trips: while Python imports and the first response is on its way, threads of our
own open the connections for the other requests, and the one to the token server.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from enum import Enum, auto
from threading import Lock, Thread
from weakref import WeakSet

CONNECT_SECONDS = 10.0
_NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"})


class FailureKind(Enum):
    """Named for what may be done about it."""

    NO_SUCH_HOST = auto()
    NOT_REACHED = auto()
    """The connection was refused, or there is no way there."""
    TIMED_OUT = auto()
    BROKEN = auto()
    """The connection broke, or what came was no HTTP, or not all of it."""
    CERTIFICATE = auto()
    NO_TLS = auto()
    """It doesn't speak TLS, or none that we speak."""
    TOO_LARGE = auto()
    CLOSED = auto()
    """We are leaving: the user pressed Ctrl-C, or another failure ended the run."""


_REPEATED = frozenset({FailureKind.NOT_REACHED, FailureKind.TIMED_OUT, FailureKind.BROKEN})


class TransportFailure(Exception):  # noqa: N818  it becomes an error of ours only where it ends a run
    """No answer; ``str`` says why, in words without secrets."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind

    @property
    def is_worth_repeating(self) -> bool:
        """Whether the next attempt may end otherwise."""
        return self.kind in _REPEATED


Dial = Callable[[], socket.socket]


class Sockets:
    """Every socket of a run, and those that wait for their first use. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: WeakSet[socket.socket] = WeakSet()
        self._early: defaultdict[Hashable, deque[Future[socket.socket]]] = defaultdict(deque)
        self._is_closed = False

    def connect(self, host: str, port: int) -> socket.socket:
        """Open a connection; ``TransportFailure`` says what went wrong."""
        try:
            return self._track(_connect(host, port))
        except (OSError, UnicodeError) as error:
            raise failure_of(error, while_connecting=True) from error

    def encrypt(self, connection: socket.socket, context: ssl.SSLContext, *, host: str) -> socket.socket:
        """Shake hands over a connection that exists, perhaps through a proxy."""
        try:
            # The handshake comes after the tracking: whoever ends the run must be able to end it, too.
            private = context.wrap_socket(connection, server_hostname=host.strip("[]"), do_handshake_on_connect=False)
        except (OSError, UnicodeError) as error:
            connection.close()
            raise failure_of(error) from error
        try:
            self._track(private)
            private.do_handshake()
        except OSError as error:
            private.close()
            raise failure_of(error) from error
        return private

    def dial_early(self, key: Hashable, dial: Dial, *, connections: int) -> None:
        """Begin to connect; whoever needs a connection of that key takes the first that was begun."""
        with self._lock:
            missing = max(0, connections - len(self._early[key]))
            futures: list[Future[socket.socket]] = [Future() for _ in range(missing)]
            self._early[key].extend(futures)
        for future in futures:
            Thread(target=_fulfil, args=(future, dial), daemon=True).start()

    def keep_early(self, key: Hashable, connection: socket.socket) -> None:
        """Put a connection that is ready where the next one who needs it finds it first."""
        future: Future[socket.socket] = Future()
        future.set_result(connection)
        with self._lock:
            self._early[key].appendleft(future)

    def take_early(self, key: Hashable) -> socket.socket | None:
        """Return a connection that was begun early, once it is ready; ``None`` if there is none or it failed."""
        with self._lock:
            future = self._early[key].popleft() if self._early[key] else None
        if future is None or future.exception() is not None:
            return None
        return future.result()

    def close(self) -> None:
        """Wake everybody who waits for a byte, in whatever thread."""
        with self._lock:
            self._is_closed = True
            connections = list(self._open)
        for connection in connections:
            _end(connection)

    def _track(self, connection: socket.socket) -> socket.socket:
        with self._lock:
            self._open.add(connection)
            is_closed = self._is_closed
        if is_closed:
            _end(connection)
            raise TransportFailure(FailureKind.CLOSED, "the run is over")
        return connection


def failure_of(error: OSError | UnicodeError, *, while_connecting: bool = False) -> TransportFailure:
    """Name what a socket reported; the texts of the system hold no secrets."""
    match error:
        case ssl.SSLCertVerificationError():
            return TransportFailure(FailureKind.CERTIFICATE, error.verify_message)
        case ssl.SSLError() if error.reason in _NO_TLS_REASONS:
            return TransportFailure(FailureKind.NO_TLS, "the answer to the greeting was something else")
        case TimeoutError():
            return TransportFailure(FailureKind.TIMED_OUT, "the time limit is over")
        case socket.gaierror() | UnicodeError():
            return TransportFailure(FailureKind.NO_SUCH_HOST, "the name has no address")
        case ConnectionRefusedError():
            return TransportFailure(FailureKind.NOT_REACHED, "the connection was refused")
        case _ if while_connecting:
            return TransportFailure(FailureKind.NOT_REACHED, error.strerror or "there is no way there")
        case _:
            return TransportFailure(FailureKind.BROKEN, error.strerror or "the connection broke")


def _connect(host: str, port: int) -> socket.socket:
    """Try the addresses of a host in turn. They share the time: the first may lead nowhere, as broken IPv6 does."""
    deadline = time.monotonic() + CONNECT_SECONDS
    addresses = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    for index, (*_, address) in enumerate(addresses):
        share = max(0.1, deadline - time.monotonic()) / (len(addresses) - index)
        try:
            connection = socket.create_connection((str(address[0]), port), share)
        except OSError:
            if index == len(addresses) - 1:
                raise
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise OSError(errno.EADDRNOTAVAIL, "the name has no address")


def _fulfil(future: Future[socket.socket], dial: Dial) -> None:
    try:
        future.set_result(dial())
    except BaseException as failure:  # noqa: BLE001  whoever waits must not wait for ever; its own attempt will tell
        future.set_exception(failure)


def _end(connection: socket.socket) -> None:
    """Close at once. Only ``shutdown`` wakes a thread that waits for a byte; ``close`` alone would leave it there."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()

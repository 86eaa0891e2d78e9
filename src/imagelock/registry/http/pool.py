"""A pool of the connections to one host, and the number of them that the server keeps open.

Servers and proxies in front of them may keep only a few connections of a client, and close the others without a
response. A request on a closed one does not fail: it waits for one of the open connections.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from threading import Condition
from typing import Generic, Protocol, TypeVar

from imagelock.registry.http import FailureKind, TransportFailure
from imagelock.registry.http.addresses import Route
from imagelock.registry.http.connections import Connections

_REFUSALS = frozenset(
    {FailureKind.BROKEN, FailureKind.NOT_REACHED, FailureKind.HANDSHAKE_CLOSED, FailureKind.TIMED_OUT}
)


class Reusable(Protocol):
    """A connection as a pool needs it."""

    def make_idle(self) -> bool:
        """Prepare for the next request; return ``False`` if the connection cannot be used again."""
        ...

    def is_usable(self) -> bool:
        """Return whether an idle connection is still open."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


Connection = TypeVar("Connection", bound=Reusable)


class Deadline:
    """The end of an exchange: a limit on silence alone would allow a server to send a byte a minute."""

    def __init__(self, seconds: float, *, max_silence_seconds: float) -> None:
        self._moment = time.monotonic() + seconds
        self._max_silence_seconds = max_silence_seconds

    def remaining_seconds(self) -> float:
        """Return the seconds that are left; ``TransportFailure`` if there are none."""
        remaining = self._moment - time.monotonic()
        if remaining <= 0:
            raise TransportFailure(FailureKind.TIMED_OUT, "the time limit is over")
        return remaining

    def silence_seconds(self) -> float:
        """Return the seconds to wait for the next byte; ``TransportFailure`` if none are left."""
        return min(self.remaining_seconds(), self._max_silence_seconds)


class Pool(Generic[Connection]):
    """The idle connections of one route, and the number that the server keeps open, once it is known. Thread-safe."""

    def __init__(
        self, connections: Connections, route: Route, wrap: Callable[[socket.socket, bool], Connection]
    ) -> None:
        self.route = route
        self._connections = connections
        self._wrap = wrap
        self._changed = Condition()
        self._idle: list[Connection] = []
        self._opening = 0
        self._in_use = 0
        self._capacity: int | None = None
        self._is_closed = False

    def take(self, deadline: Deadline) -> Connection:
        """Return an idle connection or a new one; wait for one if the server does not keep more open."""
        while True:
            with self._changed:
                idle = self._wait_for_turn(deadline)
                if idle is not None:
                    self._in_use += 1
                    return idle
                self._opening += 1
            try:
                return self._open()
            except TransportFailure as failure:
                if not self._shows_capacity(failure, deadline):
                    raise

    def put_back(self, connection: Connection) -> None:
        """Keep a connection for the next request, or close it."""
        is_idle = connection.make_idle()
        with self._changed:
            self._in_use -= 1
            if is_idle and not self._is_closed:
                self._idle.append(connection)
            else:
                connection.close()
            self._changed.notify_all()

    def drop(self, connection: Connection) -> None:
        """Close a connection."""
        connection.close()
        with self._changed:
            self._in_use -= 1
            self._changed.notify_all()

    def drop_refused(self, connection: Connection, deadline: Deadline) -> bool:
        """Close a connection without any response; return whether others are open, which then are all that it keeps."""
        self.drop(connection)
        with self._changed:
            open_count = self._count_open(deadline)
            self._capacity = open_count or None
            self._changed.notify_all()
        return open_count > 0

    def drop_turned_away(self, connection: Connection, *, was_early: bool) -> bool:
        """Close a connection that the server ends with a 503, unless it is the only one; return whether it was closed.

        The others are all that the server keeps. One that was opened early may have others that are not used yet.
        """
        with self._changed:
            others = self._in_use - 1 + len(self._idle)
            if not (others or self._opening or was_early):
                return False
            self._capacity = others or self._capacity
            self._in_use -= 1
            connection.close()
            self._changed.notify_all()
        return True

    def has_idle(self) -> bool:
        """Return whether an idle connection with a response exists; unused early connections are closed."""
        self._connections.discard_early(self.route)
        with self._changed:
            return bool(self._idle)

    def close(self) -> None:
        """End every wait for a connection."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wait_for_turn(self, deadline: Deadline) -> Connection | None:
        """Return an idle connection; ``None`` if another one may be opened."""
        while not self._is_closed:
            while self._idle:
                connection = self._idle.pop()
                if connection.is_usable():
                    return connection
                connection.close()
            if self._capacity is None or self._in_use + self._opening < self._capacity:
                return None
            self._changed.wait(deadline.remaining_seconds())
        raise TransportFailure(FailureKind.CLOSED, "the run is over")

    def _open(self) -> Connection:
        connection = None
        try:
            early = self._connections.take_early(self.route)
            connection = self._wrap(early or self._connections.dial(self.route), early is not None)
        finally:
            with self._changed:
                self._opening -= 1
                self._in_use += connection is not None
                self._changed.notify_all()
        return connection

    def _shows_capacity(self, failure: TransportFailure, deadline: Deadline) -> bool:
        """Return whether a failure to connect shows that the server keeps only the open connections."""
        if failure.kind not in _REFUSALS:
            return False
        with self._changed:
            open_count = self._count_open(deadline)
            if open_count:
                self._capacity = open_count
        return open_count > 0

    def _count_open(self, deadline: Deadline) -> int:
        """Return the number of open connections; if it is 0, wait for those that are being opened."""
        while not (open_count := self._in_use + len(self._idle)) and self._opening and not self._is_closed:
            self._changed.wait(deadline.remaining_seconds())
        return open_count

"""The connections to one host that are kept between requests, and how many of them the server allows.

Servers and the proxies before them may keep only a few connections of a client and close the rest without an answer.
That is no failure of a request: it waits for one of those that live.
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
    """What a pool keeps."""

    def make_idle(self) -> bool:
        """Prepare for the next request; ``False`` if the connection can't be used again."""
        ...

    def is_usable(self) -> bool:
        """Whether an idle connection is still open."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


Connection = TypeVar("Connection", bound=Reusable)


class Deadline:
    """When an exchange must be over: a byte a minute is a server's trick, too."""

    def __init__(self, seconds: float, *, max_silence_seconds: float) -> None:
        self._moment = time.monotonic() + seconds
        self._max_silence_seconds = max_silence_seconds

    def remaining_seconds(self) -> float:
        """Return the time that is left; ``TransportFailure`` if there is none."""
        remaining = self._moment - time.monotonic()
        if remaining <= 0:
            raise TransportFailure(FailureKind.TIMED_OUT, "the time limit is over")
        return remaining

    def silence_seconds(self) -> float:
        """Return how long the next byte may take."""
        return min(self.remaining_seconds(), self._max_silence_seconds)


class Pool(Generic[Connection]):
    """Idle connections of one route, and how many the server keeps at a time, once that shows. Thread-safe."""

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
        """Return an idle connection or a new one; wait for one where the server keeps no more than there are."""
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
        """Close a connection on which the server never answered, and return whether others live: it keeps no more."""
        self.drop(connection)
        with self._changed:
            living = self._count_living(deadline)
            self._capacity = living or None
            self._changed.notify_all()
        return living > 0

    def has_idle(self) -> bool:
        """Return whether a connection that has answered is free; those that were never used are closed."""
        self._connections.discard_early(self.route)
        with self._changed:
            return bool(self._idle)

    def close(self) -> None:
        """End every wait."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wait_for_turn(self, deadline: Deadline) -> Connection | None:
        """Return an idle connection, or ``None`` where another one may be opened."""
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
        """Whether a failure to connect means that the server keeps no more connections than those that live."""
        if failure.kind not in _REFUSALS:
            return False
        with self._changed:
            living = self._count_living(deadline)
            if living:
                self._capacity = living
        return living > 0

    def _count_living(self, deadline: Deadline) -> int:
        """Return how many connections live; where none does, once it is clear what becomes of those being opened."""
        while not (living := self._in_use + len(self._idle)) and self._opening and not self._is_closed:
            self._changed.wait(deadline.remaining_seconds())
        return living

"""Open connections, some of them before the first request needs them, and close all of them at the end of a run.

A handshake costs two or three round trips. So threads open the connections for the first requests while Python imports
httpx (which this module must not import), and those to the token server while the first response is on its way.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from weakref import WeakSet

from imagelock.errors import FileError
from imagelock.model.reference import RegistryName
from imagelock.registry.http import FailureKind, TransportFailure, failure_of
from imagelock.registry.http.addresses import Origin, Route, find_proxy, open_tunnel
from imagelock.registry.http.certificates import (
    CertificateFiles,
    certificate_folders,
    find_certificate_files,
    make_tls_context,
)

CONNECT_SECONDS = 10.0
Address = tuple[int, Any]
"""An address family, and the argument of ``connect`` for it."""


class Connections:
    """All connections of a run, including those opened early. Thread-safe."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        home: Path,
        ca_file_of: Callable[[RegistryName], Path | None] = lambda _: None,
    ) -> None:
        self._environment = environment
        self._home = home
        self._ca_file_of = ca_file_of
        self._lock = Lock()
        self._open: WeakSet[socket.socket] = WeakSet()
        self._early: defaultdict[Route, deque[Future[socket.socket]]] = defaultdict(deque)
        self._is_closed = False
        self._routes: dict[tuple[Origin, RegistryName], Route] = {}
        self._addresses: dict[tuple[str, int], Future[Sequence[Address]]] = {}
        self._probe_lock = Lock()
        self._speaks_tls: dict[Route, bool] = {}
        self._contexts_lock = Lock()
        self._contexts: dict[tuple[CertificateFiles, Path | None], ssl.SSLContext] = {}

    def find_route(self, origin: Origin, registry: RegistryName) -> Route:
        """Return the route to a host on behalf of a registry; it is computed once."""
        route = self._routes.get((origin, registry))
        if route is None:
            route = Route(origin, registry, find_proxy(origin, self._environment))
            self._routes[origin, registry] = route
        return route

    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None:
        """Start to open connections to a host until that many are unused, and return at once."""
        route = self.find_route(origin, registry)
        with self._lock:
            missing = max(0, connections - len(self._early[route]))
            futures: list[Future[socket.socket]] = [Future() for _ in range(missing)]
            self._early[route].extend(futures)
        for future in futures:
            Thread(target=self._open_into, args=(future, route), daemon=True).start()
        if futures and origin.is_encrypted:
            # Reading the system's authorities takes 20 ms, while the first packets are on their way.
            Thread(target=self._prepare_tls, args=(route,), daemon=True).start()

    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool:
        """Return whether a server speaks TLS; the connection is kept for a request. Other failures count as TLS.

        The handshake is repeated if the server closes the connection during it: it might have been busy.
        """
        route = self.find_route(origin, registry)
        with self._probe_lock:
            if route not in self._speaks_tls:
                self._speaks_tls[route] = self._probe(route)
            return self._speaks_tls[route]

    def _probe(self, route: Route) -> bool:
        future: Future[socket.socket] = Future()
        try:
            future.set_result(self._shake_hands(route))
        except TransportFailure as failure:
            return failure.kind not in (FailureKind.NO_TLS, FailureKind.HANDSHAKE_CLOSED)
        with self._lock:
            self._early[route].appendleft(future)
        return True

    def _shake_hands(self, route: Route) -> socket.socket:
        try:
            return self.dial(route)
        except TransportFailure as failure:
            if failure.kind is not FailureKind.HANDSHAKE_CLOSED:
                raise
        return self.dial(route)

    def take_early(self, route: Route) -> socket.socket | None:
        """Return a connection that was started early, once it is open; ``None`` if there is none left."""
        while True:
            with self._lock:
                future = self._early[route].popleft() if self._early[route] else None
            if future is None:
                return None
            if future.exception() is None:
                return future.result()

    def discard_early(self, route: Route) -> None:
        """Close the early connections that were not used: a server may be waiting for a request on one of them."""
        with self._lock:
            futures = list(self._early.pop(route, ()))
        for future in futures:
            future.add_done_callback(_shut_down_unused)

    def dial(self, route: Route) -> socket.socket:
        """Return a new connection, through the proxy of the route if it has one, with TLS if the origin is https.

        ``TransportFailure`` after at most about ``CONNECT_SECONDS`` for the connection, and again for the handshake.
        """
        next_stop = route.proxy.origin if route.proxy else route.origin
        connection = self._connect(next_stop.host, next_stop.port)
        if not route.origin.is_encrypted:
            return connection
        try:
            context = self._tls_context(route)
        except BaseException:
            connection.close()
            raise
        if route.proxy is not None:
            open_tunnel(connection, route.proxy, route.origin)
        try:
            return self._encrypt(connection, context, host=route.origin.host)
        except TransportFailure as failure:
            if failure.kind is FailureKind.UNKNOWN_AUTHORITY:
                raise self._untrusted_authority(failure, route) from failure
            raise

    def close(self) -> None:
        """Close every connection, which ends every wait of any thread for a name, a handshake or a byte."""
        with self._lock:
            self._is_closed = True
            connections = list(self._open)
            futures: list[Future[Any]] = list(self._addresses.values())
            futures += (future for waiting in self._early.values() for future in waiting)
        for connection in connections:
            _shut_down(connection)
        for future in futures:
            _set_failure(future, TransportFailure(FailureKind.CLOSED, "the run is over"))

    def _prepare_tls(self, route: Route) -> None:
        with suppress(FileError, OSError):  # the threads that connect raise it again
            self._tls_context(route)

    def _open_into(self, future: Future[socket.socket], route: Route) -> None:
        try:
            connection = self.dial(route)
        except BaseException as failure:  # noqa: BLE001  the thread that takes it dials again, and raises that failure
            _set_failure(future, failure)
        else:
            try:
                future.set_result(connection)
            except InvalidStateError:
                _shut_down(connection)

    def _connect(self, host: str, port: int) -> socket.socket:
        """Try the addresses of a host in turn. They share the time limit: with broken IPv6 the first never connects."""
        deadline = time.monotonic() + CONNECT_SECONDS
        failure: OSError | UnicodeError = OSError(errno.EADDRNOTAVAIL, "the name has no address")
        try:
            addresses = self._resolve(host.strip("[]"), port)
            for index, address in enumerate(addresses):
                share = max(0.1, deadline - time.monotonic()) / (len(addresses) - index)
                try:
                    return self._connect_to(address, timeout_seconds=share)
                except OSError as error:
                    failure = error
        except (OSError, UnicodeError) as error:
            failure = error
        raise failure_of(failure, while_connecting=True) from failure

    def _connect_to(self, address: Address, *, timeout_seconds: float) -> socket.socket:
        connection = socket.socket(address[0], socket.SOCK_STREAM)
        try:
            # Tracked before it connects, so that ``close`` ends the wait for an unreachable host.
            self._track(connection)
            connection.settimeout(timeout_seconds)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.connect(address[1])
        except BaseException:
            connection.close()
            raise
        return connection

    def _resolve(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of a name, resolved once, in its own thread: the system's call cannot be cancelled."""
        with self._lock:
            if self._is_closed:
                raise TransportFailure(FailureKind.CLOSED, "the run is over")
            lookup = self._addresses.get((host, port))
            if lookup is None:
                lookup = self._addresses[host, port] = Future()
                Thread(target=_look_up, args=(lookup, host, port), daemon=True).start()
        try:
            return lookup.result()
        except BaseException:
            with self._lock:
                self._addresses.pop((host, port), None)
            raise

    def _encrypt(self, connection: socket.socket, context: ssl.SSLContext, *, host: str) -> socket.socket:
        """Return the TLS socket over an open connection, after the handshake."""
        try:
            # The handshake comes after the tracking, so that ``close`` ends it.
            private = context.wrap_socket(connection, server_hostname=host.strip("[]"), do_handshake_on_connect=False)
        except (OSError, UnicodeError) as error:
            connection.close()
            raise failure_of(error) from error
        try:
            self._track(private)
            private.do_handshake()
        except OSError as error:
            private.close()
            raise failure_of(error, in_handshake=True) from error
        except (AttributeError, ValueError) as error:
            # Python raises these for a handshake on a socket that ``close`` has closed meanwhile.
            raise TransportFailure(FailureKind.CLOSED, "the run is over") from error
        return private

    def _track(self, connection: socket.socket) -> socket.socket:
        with self._lock:
            self._open.add(connection)
            is_closed = self._is_closed
        if is_closed:
            _shut_down(connection)
            raise TransportFailure(FailureKind.CLOSED, "the run is over")
        return connection

    def _untrusted_authority(self, failure: TransportFailure, route: Route) -> TransportFailure:
        """Return the failure, with whether authorities are declared for the host and which cannot be read."""
        files = find_certificate_files(certificate_folders(self._home), route.origin.host_and_port)
        is_declared = bool(files.authorities) or self._ca_file_of(route.registry) is not None
        kind = FailureKind.OTHER_AUTHORITY if is_declared else FailureKind.UNKNOWN_AUTHORITY
        return TransportFailure(kind, "; ".join([str(failure), *files.passed_over]))

    def _tls_context(self, route: Route) -> ssl.SSLContext:
        files = find_certificate_files(certificate_folders(self._home), route.origin.host_and_port)
        ca_file = self._ca_file_of(route.registry)
        with self._contexts_lock:
            if (files, ca_file) not in self._contexts:
                self._contexts[files, ca_file] = make_tls_context(files, ca_file=ca_file)
            return self._contexts[files, ca_file]


def _look_up(lookup: Future[Sequence[Address]], host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except BaseException as error:  # noqa: BLE001  the threads that wait raise it
        _set_failure(lookup, error)
    else:
        with suppress(InvalidStateError):
            lookup.set_result([(family, address) for family, _, _, _, address in found])


def _set_failure(future: Future[Any], failure: BaseException) -> None:
    """Set the exception of a future, unless the end of the run has set one."""
    with suppress(InvalidStateError):
        future.set_exception(failure)


def _shut_down_unused(future: Future[socket.socket]) -> None:
    if future.exception() is None:
        _shut_down(future.result())


def _shut_down(connection: socket.socket) -> None:
    """Close at once. Only ``shutdown`` wakes a thread that waits for a byte; ``close`` alone does not."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()

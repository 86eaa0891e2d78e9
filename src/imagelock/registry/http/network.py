"""The network as a run sees it: one way to each host, opened early where that helps."""

from __future__ import annotations

import socket
import ssl
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import Protocol

from imagelock.model.reference import RegistryName
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.certificates import (
    CertificateFiles,
    certificate_folders,
    find_certificate_files,
    make_tls_context,
)
from imagelock.registry.http.connections import FailureKind, Sockets, TransportFailure
from imagelock.registry.http.messages import Request, Response
from imagelock.registry.http.proxies import Route, find_proxy, open_tunnel
from imagelock.registry.settings import RegistrySettings


class _Sender(Protocol):
    def send(self, request: Request, route: Route) -> Response: ...


class Network:
    """A ``Transport`` over real sockets. Thread-safe."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._sockets = Sockets()
        self._import_lock = Lock()
        self._contexts_lock = Lock()
        self._contexts: dict[tuple[CertificateFiles, Path | None], ssl.SSLContext] = {}
        self._sender: _Sender | None = None

    def send(self, request: Request) -> Response:
        """Ask and read the whole answer; ``TransportFailure`` if there is none."""
        return self._find_sender().send(request, self._route(request.origin, request.registry))

    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None:
        """Begin to connect to a host that will be asked; failures show when it is asked."""
        self._import_early()
        route = self._route(origin, registry)
        self._sockets.dial_early(route, partial(self._dial, route), connections=connections)

    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool:
        """Shake hands with the server there and keep the connection; a server that only fails later may speak it."""
        self._import_early()
        route = self._route(origin, registry)
        try:
            self._sockets.keep_early(route, self._dial(route))
        except TransportFailure as failure:
            return failure.kind is not FailureKind.NO_TLS
        return True

    def close(self) -> None:
        """End every exchange, also those that other threads wait for."""
        self._sockets.close()

    def _import_early(self) -> None:
        """Let the HTTP library be imported while handshakes wait for their answers."""
        if self._sender is None:
            Thread(target=self._find_sender, daemon=True).start()

    def _find_sender(self) -> _Sender:
        with self._import_lock:
            if self._sender is None:
                from imagelock.registry.http.httpcore_transport import HttpTransport  # noqa: PLC0415  20 ms beside the handshakes

                self._sender = HttpTransport(self._take_or_dial, time_limit_seconds=self._settings.time_limit_seconds)
            return self._sender

    def _route(self, origin: Origin, registry: RegistryName) -> Route:
        return Route(origin, registry, find_proxy(origin, self._settings.environment))

    def _take_or_dial(self, route: Route) -> socket.socket:
        return self._sockets.take_early(route) or self._dial(route)

    def _dial(self, route: Route) -> socket.socket:
        """Connect, through the proxy if there is one, and make the connection private if it is to be."""
        context = self._tls_context(route) if route.origin.is_encrypted else None
        next_stop = route.proxy.origin if route.proxy else route.origin
        connection = self._sockets.connect(next_stop.host, next_stop.port)
        if context is None:
            return connection
        if route.proxy is not None:
            open_tunnel(connection, route.proxy, route.origin)
        return self._sockets.encrypt(connection, context, host=route.origin.host)

    def _tls_context(self, route: Route) -> ssl.SSLContext:
        folders = certificate_folders(self._settings.home)
        files = find_certificate_files(folders, route.origin.host_and_port)
        ca_file = self._settings.options_of(route.registry).ca_file
        with self._contexts_lock:
            if (files, ca_file) not in self._contexts:
                self._contexts[files, ca_file] = make_tls_context(files, ca_file=ca_file)
            return self._contexts[files, ca_file]

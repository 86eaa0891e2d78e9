"""The same hosts at the other end of real sockets: under their own names, with TLS, behind an HTTP proxy.

The proxy is what makes the names possible: it connects its clients to whom it likes. So it is under test as well,
in both of its ways: https://www.rfc-editor.org/rfc/rfc9110#CONNECT and the forwarding of plain http.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from imagelock.model.reference import RegistryName
from imagelock.registry.http.addresses import Login, Origin, basic_authorization
from imagelock.registry.http.connections import Connections
from imagelock.registry.http.transport import Transport
from imagelock.registry.http.urls import parse_url
from tests.support.certificates import CertificateOffice
from tests.support.fake_registry.answers import Answer, Handler
from tests.support.fake_registry.clients import NOWHERE
from tests.support.fake_registry.internet import Internet
from tests.support.fake_registry.messages import Request, Target, target_of
from tests.support.fake_registry.sockets import SocketHandler, SocketServer, in_background

_NOT_THERE = Answer(status=502, headers={"Content-Length": "0"})
_LOGIN_WANTED = Answer(status=407, headers={"Content-Length": "0", "Proxy-Authenticate": 'Basic realm="proxy"'})


@dataclass(slots=True)
class ProxiedInternet(Internet):
    """imagelock's own transport and dialer, whose proxy leads to the handlers."""

    home: Path = NOWHERE
    """Where certificates for hosts may lie."""
    proxy_url: str = ""
    connections: Connections | None = None
    transport: Transport | None = None
    tunnels: list[str] = field(default_factory=list)
    """``host:port`` of every tunnel that was asked for."""
    seen_certificates: set[str] = field(default_factory=set)
    """Hosts that were shown a client's certificate."""

    def _own(self) -> Connections:
        if self.connections is None:
            environment = {"https_proxy": self.proxy_url, "http_proxy": self.proxy_url}
            self.connections = Connections(environment, home=self.home)
        return self.connections

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.transport is None:
            self.transport = Transport(self._own(), time_limit_seconds=10)
        return self.transport.handle_request(request)

    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None:
        self._own().open_early(origin, registry=registry, connections=connections)

    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool:
        return self._own().speaks_tls(origin, registry=registry)

    def close(self) -> None:
        self._own().close()


@contextmanager
def proxied_internet(
    hosts: dict[str, Handler], office: CertificateOffice, *, login: str = "", home: Path = NOWHERE
) -> Iterator[ProxiedInternet]:
    """Serve hosts behind a proxy until the end of the block; who uses it must trust the office."""
    internet = ProxiedInternet(hosts, home=home)
    server = _Proxy(internet, office, login)
    with in_background(server):
        internet.proxy_url = f"http://{login}{'@' if login else ''}{server.name}"
        try:
            yield internet
        finally:
            internet.close()


class _Proxy(SocketServer):
    def __init__(self, internet: ProxiedInternet, office: CertificateOffice, login: str) -> None:
        super().__init__(lambda request: internet.answer(request) or _NOT_THERE, handler_class=_ProxyHandler)
        self.internet = internet
        self.office = office
        self.login = login


class _ProxyHandler(SocketHandler):
    server: _Proxy
    _tunnel: Origin | None = None

    def do_CONNECT(self) -> None:  # noqa: N802  http.server calls it so
        if not self._knows_client():
            self.send(_LOGIN_WANTED)
            return
        origin = Origin.of("https", self.path)
        self.server.internet.tunnels.append(self.path)
        if origin.host_and_port not in self.server.internet.hosts:
            self.send(_NOT_THERE)
            return
        self.send_response_only(200)
        self.end_headers()
        self._begin_tunnel(origin)

    def _begin_tunnel(self, origin: Origin) -> None:
        """Be the host itself from now on."""
        self._tunnel = origin
        # Another proxy may have asked in HTTP 1.0, which has no second request.
        self.close_connection = False
        self.connection = self._tls(origin.host).wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        if self.connection.getpeercert():
            self.server.internet.seen_certificates.add(origin.host_and_port)

    def _tls(self, host: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.server.office.authority)
        context.verify_mode = ssl.CERT_OPTIONAL
        files = self.server.office.certify(host)
        context.load_cert_chain(files.certificate, files.key)
        return context

    def url(self) -> Target:
        if self._tunnel is None:
            return target_of(parse_url(self.path))
        path, _, query = self.path.partition("?")
        return Target(self._tunnel, path, query)

    def answer(self, request: Request) -> Answer:
        is_forwarded = self._tunnel is None
        return _LOGIN_WANTED if is_forwarded and not self._knows_client() else super().answer(request)

    def _knows_client(self) -> bool:
        name, _, password = self.server.login.partition(":")
        wanted = basic_authorization(Login(name, password)) if self.server.login else None
        return self.headers.get("Proxy-Authorization") == wanted

    def finish(self) -> None:
        super().finish()
        self.connection.close()

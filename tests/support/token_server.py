"""A token server that remembers what it was asked.

https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

from tests.support.certificates import KeyPairFiles
from tests.support.processes import LOOPBACK
from tests.support.registry_tokens import LIFETIME_SECONDS, TokenPolicy

_IDLE_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """One question to a token server, and whether it was answered with a token."""

    scopes: tuple[str, ...]
    authorization: str
    """The scheme of the credentials, in lower case; empty for an anonymous client."""
    status: int


@dataclass(slots=True)
class TokenServer:
    """The answers of a token server, and the questions so far."""

    policy: TokenPolicy
    port: int
    _requests: list[TokenRequest] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @property
    def requests(self) -> tuple[TokenRequest, ...]:
        with self._lock:
            return tuple(self._requests)

    def answer(self, query: str, *, authorization: str) -> tuple[int, dict[str, object]]:
        """The status and the JSON body for one question."""
        scopes = tuple(scope for value in parse_qs(query).get("scope", ()) for scope in value.split(" "))
        status = 200 if self.policy.allows(authorization) else 401
        scheme = authorization.partition(" ")[0].lower()
        with self._lock:
            self._requests.append(TokenRequest(scopes=scopes, authorization=scheme, status=status))
        if status == 401:
            return status, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong login"}]}
        token = self.policy.token(scopes, authorization=authorization)
        return status, {
            "token": token,
            "access_token": token,
            "expires_in": LIFETIME_SECONDS,
            "issued_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }


@contextmanager
def running_token_server(policy: TokenPolicy, *, tls: KeyPairFiles) -> Iterator[TokenServer]:
    """Answer questions over TLS on a free loopback port until the end of the block."""
    server = _HttpServer(policy, tls)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.tokens
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _HttpServer(ThreadingHTTPServer):
    request_queue_size = 128
    """With the default of 5 a client that connects more often at once waits a second for its next attempt."""

    def __init__(self, policy: TokenPolicy, tls: KeyPairFiles) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.tokens = TokenServer(policy, self.server_port)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
        # The handshake is the handler thread's work: in `accept` one slow client would stop all others.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        assert isinstance(self.server, _HttpServer)
        authorization = self.headers.get("Authorization", "")
        status, fields = self.server.tokens.answer(urlsplit(self.path).query, authorization=authorization)
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server calls it so
        """Say nothing: ``TokenServer.requests`` is the log."""

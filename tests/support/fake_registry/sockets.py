"""The same fake over a real loopback socket, where faults are real, too."""

from __future__ import annotations

import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET
from threading import Event, Thread

from imagelock.registry.http.addresses import Origin
from tests.support.fake_registry.answers import Answer, Fault, Handler
from tests.support.fake_registry.messages import Headers, Request, Target

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@contextmanager
def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Answer on a free port until the end of the block; yields ``127.0.0.1:PORT``."""
    server = SocketServer(handler, tls=tls)
    with in_background(server):
        yield server.name


@contextmanager
def in_background(server: SocketServer) -> Iterator[None]:
    """Run a server in a thread, and end it with the block."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class SocketServer(ThreadingHTTPServer):
    """Hands requests to a handler."""

    daemon_threads = True

    def __init__(
        self,
        handler: Handler,
        *,
        tls: ssl.SSLContext | None = None,
        handler_class: type[SocketHandler] | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), handler_class or SocketHandler)
        self.answers = handler
        self.is_over = Event()
        self.name = f"127.0.0.1:{self.server_port}"
        self.scheme = "http" if tls is None else "https"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are what the tests are about."""


class SocketHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: SocketServer

    def do_GET(self) -> None:
        answer = self.answer(self._request())
        match answer.fault:
            case Fault.RESET:
                self.connection.setsockopt(SOL_SOCKET, SO_LINGER, _RESET_ON_CLOSE)
                self.close_connection = True
            case Fault.STALL:
                self.server.is_over.wait(30)
                self.close_connection = True
            case _:
                self.send(answer)

    do_HEAD = do_POST = do_GET  # noqa: N815  http.server's names

    def answer(self, request: Request) -> Answer:
        return self.server.answers(request)

    def url(self) -> Target:
        """What the client asks for."""
        path, _, query = self.path.partition("?")
        return Target(Origin.of(self.server.scheme, self.server.name), path, query)

    def _request(self) -> Request:
        length = int(self.headers.get("Content-Length", "0"))
        return Request(
            method=self.command,
            url=self.url(),
            headers=Headers.of(self.headers.items()),
            authorization=self.headers.get("Authorization", ""),
            form=self.rfile.read(length),
        )

    def send(self, answer: Answer) -> None:
        lines = dict.fromkeys(name.lower() for name, _ in answer.header_lines())
        self.send_response_only(answer.status)
        for name, value in answer.header_lines():
            self.send_header(name, value)
        if "content-length" not in lines:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command != "HEAD":
            with suppress(OSError):
                self._send_body(answer, is_chunked="content-length" not in lines)
        if answer.fault is Fault.TRUNCATED:
            self.close_connection = True

    def _send_body(self, answer: Answer, *, is_chunked: bool) -> None:
        for chunk in answer.chunks:
            piece = chunk[: len(chunk) // 2] if answer.fault is Fault.TRUNCATED else chunk
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked and piece else piece)
        if is_chunked and answer.fault is not Fault.TRUNCATED:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server calls it so
        """Say nothing."""

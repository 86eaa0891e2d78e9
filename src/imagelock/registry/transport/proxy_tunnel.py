"""Have a proxy connect us to a host without reading along: https://www.rfc-editor.org/rfc/rfc9110#CONNECT."""

from __future__ import annotations

import re
import socket

from imagelock.registry.auth.tokens import basic_authorization
from imagelock.registry.http.failures import FailureKind, TransportFailure
from imagelock.registry.http.urls import Origin
from imagelock.registry.transport.routes import Proxy
from imagelock.registry.transport.sockets import failure_of

_MAX_HEAD_BYTES = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


def open_tunnel(connection: socket.socket, proxy: Proxy, origin: Origin) -> None:
    """Ask the proxy at the other end to connect us; ``TransportFailure`` if it won't."""
    target = f"{origin.host}:{origin.port}"
    login = f"Proxy-Authorization: {basic_authorization(proxy.login)}\r\n" if proxy.login else ""
    try:
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode())
        head = _read_head(connection)
    except OSError as error:
        connection.close()
        raise failure_of(error) from error
    status = _STATUS.match(head)
    if status is None or status[1] != b"200":
        connection.close()
        said = f"it answered {status[1].decode()}" if status else "it speaks no HTTP"
        raise TransportFailure(
            FailureKind.NOT_REACHED, f"the proxy {proxy.origin.host_and_port} doesn't connect us: {said}"
        )


def _read_head(connection: socket.socket) -> bytes:
    """Byte by byte: what follows the head belongs to the host behind the proxy."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n") and len(head) < _MAX_HEAD_BYTES:
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return bytes(head)

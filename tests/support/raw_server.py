"""A server whose every connection is handled by hand: for what no HTTP library would send."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

OnConnection = Callable[[int, socket.socket], None]
"""Gets the number of a connection, from 0, and the connection, which is closed afterwards."""


@contextmanager
def raw_server(on_connection: OnConnection) -> Iterator[str]:
    """Serve on a free port until the end of the block; yields ``127.0.0.1:PORT``."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        over, connections, lock = Event(), list[socket.socket](), Lock()

        def handle(number: int, connection: socket.socket) -> None:
            with suppress(OSError), connection:
                on_connection(number, connection)

        def accept_all() -> None:
            number = 0
            with suppress(OSError):
                while not over.is_set():
                    connection, _ = server.accept()
                    with lock:
                        connections.append(connection)
                    Thread(target=handle, args=(number, connection), daemon=True).start()
                    number += 1

        Thread(target=accept_all, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            for connection in connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def read_head(connection: socket.socket) -> bytes:
    """Return the head of the next request, or nothing at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            return b""
        head += piece
    return head


def answering(answer: bytes) -> OnConnection:
    """Answer every request of every connection with the same bytes."""

    def on_connection(_: int, connection: socket.socket) -> None:
        while read_head(connection):
            connection.sendall(answer)

    return on_connection


def http(body: bytes, *, head: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """Return a response with a length."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), head, body)

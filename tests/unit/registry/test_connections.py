"""What happens to connections: early ones, stale ones, few ones, and all of them at the end of a run."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagelock.errors import RegistryError, TemporaryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.reference import ImageReference, RegistryName, parse_reference
from imagelock.registry.auth.schemes import SchemeMemory
from imagelock.registry.client import RegistryClient, make_registry_client
from imagelock.registry.http.transport import Transport
from imagelock.registry.locations import RegistrySettings, make_connections
from tests.support.certificates import make_loopback_tls
from tests.support.fake_registry.clients import NOWHERE
from tests.support.fake_registry.clock import FakeClock
from tests.support.oci_images import multi_platform_image
from tests.support.raw_server import OnConnection, answering, http, raw_server, read_head

IMAGE = multi_platform_image("linux/amd64")
MEDIA_TYPE = f"Content-Type: {IMAGE.media_type}\r\n".encode()
ANSWER = http(IMAGE.body, head=MEDIA_TYPE)


@contextmanager
def client_of(
    name: str, *, images: int, trace: Callable[[str], None] | None = None, authority: Path | None = None
) -> Iterator[RegistryClient]:
    """Speak http, or TLS with servers whose authority is named."""
    settings = RegistrySettings(
        registries=(RegistryDeclaration(registry=RegistryName(name), plain_http=authority is None, ca_file=authority),),
        environment={"CONTAINERS_REGISTRIES_CONF": "/dev/null"},
        home=NOWHERE,
        trace=trace,
    )
    connections, clock = make_connections(settings), FakeClock()
    transport = Transport(connections, time_limit_seconds=settings.time_limit_seconds)
    memory = SchemeMemory(None, clock=clock)
    client = make_registry_client(settings, transport=transport, dialer=connections, clock=clock, memory=memory)
    try:
        client.prepare(reference.repository for reference in references(name, images))
        yield client
    finally:
        transport.close()
        connections.close()


def references(name: str, images: int) -> list[ImageReference]:
    return [parse_reference(f"{name}/team/image{number}:1") for number in range(images)]


def fetch_all(on_connection: OnConnection, *, images: int = 20, authority: Path | None = None) -> list[str]:
    """Fetch in parallel; return the lines of the trace that tell of anything but a 200."""
    lines: list[str] = []
    with (
        raw_server(on_connection) as name,
        client_of(name, images=images, trace=lines.append, authority=authority) as client,
        ThreadPoolExecutor(16) as pool,
    ):
        bodies = [found.body for found in pool.map(client.fetch_manifest, references(name, images))]
    assert bodies == [IMAGE.body] * images
    assert len(lines) >= images
    return [line for line in lines if ": 200, " not in line]


@pytest.mark.parametrize("kept", [1, 2, 4, 8])
@pytest.mark.parametrize("delay_seconds", [0.0, 0.05])
def test_a_server_that_keeps_few_connections_costs_no_failed_attempt(kept: int, delay_seconds: float) -> None:
    """It closes the others, at once or later, while those that it keeps may not have answered yet."""
    living = threading.Semaphore(kept)

    def on_connection(number: int, connection: socket.socket) -> None:
        if not living.acquire(blocking=False):
            time.sleep(delay_seconds)
            return
        try:
            answering(ANSWER)(number, connection)
        finally:
            living.release()

    assert fetch_all(on_connection) == []


@pytest.mark.parametrize("kept", [1, 2, 8])
@pytest.mark.parametrize("reads_first", [True, False])
def test_a_server_that_answers_503_to_too_many_connections_costs_no_failed_attempt(
    kept: int, *, reads_first: bool
) -> None:
    living = threading.Semaphore(kept)
    busy = http(b"", head=b"Connection: close\r\n", status=b"503 Service Unavailable")

    def on_connection(number: int, connection: socket.socket) -> None:
        if living.acquire(blocking=False):
            try:
                answering(ANSWER)(number, connection)
            finally:
                living.release()
        elif not reads_first or read_head(connection):
            connection.sendall(busy)

    assert fetch_all(on_connection) == []


def test_a_server_that_answers_503_to_every_connection_is_busy() -> None:
    busy = http(b"", head=b"Connection: close\r\n", status=b"503 Service Unavailable")

    def on_connection(_: int, connection: socket.socket) -> None:
        if read_head(connection):
            connection.sendall(busy)

    with raw_server(on_connection) as name, client_of(name, images=4) as client, ThreadPoolExecutor(4) as pool:
        found = [pool.submit(client.fetch_manifest, reference) for reference in references(name, 4)]
        failures = [future.exception(timeout=60) for future in found]
    assert {type(failure) for failure in failures} == {TemporaryError}


@pytest.mark.parametrize("kept", [1, 2, 8])
@pytest.mark.parametrize("delay_seconds", [0.0, 0.05])
def test_a_server_that_shakes_hands_with_few_costs_no_failed_attempt(
    kept: int, delay_seconds: float, tmp_path: Path
) -> None:
    """Which ones live shows only after their handshakes, and others may have been closed before."""
    tls = make_loopback_tls(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.server.certificate, tls.server.key)
    living = threading.Semaphore(kept)

    def on_connection(number: int, connection: socket.socket) -> None:
        if not living.acquire(blocking=False):
            return
        try:
            time.sleep(delay_seconds)
            with context.wrap_socket(connection, server_side=True) as private:
                answering(ANSWER)(number, private)
        finally:
            living.release()

    assert fetch_all(on_connection, authority=tls.authority) == []


@pytest.mark.parametrize("served", [1, 2])
@pytest.mark.parametrize("images", [2, 20])
def test_a_server_that_serves_one_connection_after_the_other_is_asked_over_those_that_it_serves(
    monkeypatch: pytest.MonkeyPatch, served: int, images: int
) -> None:
    """The others wait until it comes to them, also those that were opened early and are not used yet."""
    monkeypatch.setattr("imagelock.registry.http.transport.QUEUE_SECONDS", 0.3)
    turn = threading.Semaphore(served)

    def on_connection(number: int, connection: socket.socket) -> None:
        with turn:
            answering(ANSWER)(number, connection)

    assert [line for line in fetch_all(on_connection, images=images) if ": 200, " not in line] == []


@pytest.mark.parametrize("closed", [1, 4, 16])
def test_connections_that_die_before_their_first_request_cost_no_failed_attempt(closed: int) -> None:
    def on_connection(number: int, connection: socket.socket) -> None:
        if number >= closed:
            answering(ANSWER)(number, connection)

    assert fetch_all(on_connection) == []


def test_a_server_that_closes_after_each_answer_is_asked_over_new_connections() -> None:
    def on_connection(_: int, connection: socket.socket) -> None:
        if read_head(connection):
            connection.sendall(ANSWER)

    assert fetch_all(on_connection) == []


def test_what_a_server_says_to_an_idle_connection_is_no_answer() -> None:
    """``408 Request Timeout``, which some send before they close it."""
    timeout = http(b"", head=b"Connection: close\r\n", status=b"408 Request Timeout")

    def on_connection(number: int, connection: socket.socket) -> None:
        if number == 0:
            connection.sendall(timeout)
            read_head(connection)
        else:
            answering(ANSWER)(number, connection)

    assert fetch_all(on_connection, images=1) == []


def test_a_server_that_answers_no_connection_is_given_up() -> None:
    accepted: list[int] = []

    def on_connection(number: int, connection: socket.socket) -> None:
        accepted.append(number)
        read_head(connection)

    with raw_server(on_connection) as name, client_of(name, images=4) as client, ThreadPoolExecutor(4) as pool:
        found = [pool.submit(client.fetch_manifest, reference) for reference in references(name, 4)]
        failures = [future.exception(timeout=30) for future in found]
    assert all(isinstance(failure, RegistryError) for failure in failures)
    assert len(accepted) <= 4 + 4 * 4 * 2


def test_what_follows_a_whole_answer_is_no_answer_to_the_next_request() -> None:
    forged = http(b"{}", head=b"Content-Type: application/json\r\n")

    def on_connection(_: int, connection: socket.socket) -> None:
        while read_head(connection):
            connection.sendall(ANSWER + forged)

    with raw_server(on_connection) as name, client_of(name, images=1) as client:
        [reference] = references(name, 1)
        assert [client.fetch_manifest(reference).body for _ in range(5)] == [IMAGE.body] * 5


ANSWER_OF_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
UNCLEAN = {
    "no reason": ANSWER.replace(b"200 OK", b"200"),
    "latin-1": http(IMAGE.body, head=MEDIA_TYPE + b"Server: caf\xe9\r\n"),
    "an empty value": http(IMAGE.body, head=MEDIA_TYPE + b"X-A:\r\n"),
    "bare line feeds": http(IMAGE.body, head=MEDIA_TYPE).replace(b"\r\n", b"\n"),
    "a length twice": http(IMAGE.body, head=MEDIA_TYPE + b"Content-Length: %d\r\n" % len(IMAGE.body)),
    "a blank before the colon": http(IMAGE.body, head=b"X-Cache : HIT\r\n" + MEDIA_TYPE + b"X-B\t : 1\r\n"),
    "a blank before the colon of what matters": ANSWER.replace(b"Content-Length:", b"Content-Length :"),
    "a blank in a name": http(IMAGE.body, head=b"X Cache: HIT\r\n" + MEDIA_TYPE),
    "a name that is no token, with a folded value": http(IMAGE.body, head=b"X(a): b\r\n c: d\r\n" + MEDIA_TYPE),
    "a name that is not ASCII": http(IMAGE.body, head=b"X-\xc3\xa4: b\r\n" + MEDIA_TYPE),
    "two blanks before the status": ANSWER.replace(b" 200", b"  200"),
    "a folded line": http(IMAGE.body, head=b"X-A: one\r\n two : three\r\n" + MEDIA_TYPE),
    "a long line": http(IMAGE.body, head=b"X-A: " + b"a" * 60_000 + b"\r\n" + MEDIA_TYPE),
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink : </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ANSWER,
    "an empty line in front": b"\r\n" + ANSWER,
    "chunks with extensions and a trailer": b"HTTP/1.1 200 OK\r\n"
    + MEDIA_TYPE
    + b"Transfer-Encoding: chunked\r\n\r\n%x;a=b\r\n%b\r\n0\r\nX-T: 1\r\n\r\n" % (len(IMAGE.body), IMAGE.body),
}


@pytest.mark.parametrize("what", UNCLEAN)
def test_heads_that_other_clients_read_are_read(what: str) -> None:
    assert fetch_all(answering(UNCLEAN[what]), images=3) == []


def test_a_body_may_end_with_its_connection() -> None:
    def on_connection(_: int, connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + MEDIA_TYPE + b"\r\n" + IMAGE.body)

    assert fetch_all(on_connection, images=2) == []


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A\x0b: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n X-A: 1\r\n\r\n",
        ANSWER_OF_CHUNKS.replace(b"5\r\n", b"5\n"),
        ANSWER_OF_CHUNKS.replace(b"0\r\n\r\n", b"0\n\n"),
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
def test_heads_that_can_be_read_in_two_ways_are_refused_at_once(answer: bytes) -> None:
    with (
        raw_server(answering(answer)) as name,
        client_of(name, images=1) as client,
        pytest.raises(RegistryError, match="is not valid HTTP") as raised,
    ):
        client.fetch_manifest(references(name, 1)[0])
    assert "bytearray" not in "".join(raised.value.details)

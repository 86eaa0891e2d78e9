"""The same fake registry over real sockets: what only a socket can get wrong."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagelock.errors import InvalidContentError, RegistryError, TemporaryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.reference import ImageReference, RegistryName, parse_reference
from imagelock.registry.auth.schemes import SchemeMemory
from imagelock.registry.client import RegistryClient, make_registry_client
from imagelock.registry.http.transport import Transport
from imagelock.registry.locations import RegistrySettings, make_connections
from tests.support.certificates import make_loopback_tls
from tests.support.fake_registry.answers import Answer, Fault, in_turn
from tests.support.fake_registry.clients import NOWHERE
from tests.support.fake_registry.clock import FakeClock
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.sockets import serving
from tests.support.oci_images import multi_platform_image

IMAGE = multi_platform_image("linux/amd64")


def registry() -> FakeRegistry:
    fake = FakeRegistry()
    fake.push("team/a", IMAGE)
    return fake


@contextmanager
def client_of(
    name: str,
    *,
    time_limit_seconds: float = 10,
    plain_http: bool | None = None,
    ca_file: Path | None = None,
    **environment: str,
) -> Iterator[RegistryClient]:
    settings = RegistrySettings(
        registries=(RegistryDeclaration(registry=RegistryName(name), plain_http=plain_http, ca_file=ca_file),),
        time_limit_seconds=time_limit_seconds,
        environment=environment,
        home=NOWHERE,
    )
    connections, clock = make_connections(settings), FakeClock()
    transport = Transport(connections, time_limit_seconds=settings.time_limit_seconds)
    memory = SchemeMemory(None, clock=clock)
    try:
        yield make_registry_client(settings, transport=transport, dialer=connections, clock=clock, memory=memory)
    finally:
        transport.close()
        connections.close()


def test_a_registry_of_this_machine_may_speak_http() -> None:
    with serving(registry()) as name, client_of(name) as client:
        reference = parse_reference(f"{name}/team/a:1")
        client.prepare([reference.repository])
        assert str(client.fetch_manifest(reference).digest) == IMAGE.digest


@pytest.mark.parametrize("ask", [RegistryClient.fetch_manifest, RegistryClient.fetch_digest], ids=["GET", "HEAD"])
def test_a_connection_is_used_again(ask: Callable[[RegistryClient, ImageReference], object]) -> None:
    fake = registry()
    threads: list[threading.Thread] = []

    def answer(request: Request) -> Answer:
        threads.append(threading.current_thread())
        return fake(request)

    with serving(answer) as name, client_of(name) as client:
        for _ in range(5):
            ask(client, parse_reference(f"{name}/team/a:1"))
    # The server has a thread for each connection.
    assert (len(threads), len(set(threads))) == (5, 1)


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED])
def test_a_broken_exchange_is_asked_again(fault: Fault) -> None:
    broken = Answer(fault=fault, headers={"Content-Length": str(len(IMAGE.body))}, chunks=[IMAGE.body])
    with serving(in_turn(broken, registry())) as name, client_of(name) as client:
        assert client.fetch_manifest(parse_reference(f"{name}/team/a:1")).body == IMAGE.body


def test_a_truncated_stream_of_chunks_is_not_taken_for_the_end() -> None:
    broken = Answer(fault=Fault.TRUNCATED, chunks=[IMAGE.body])
    with serving(in_turn(broken, registry())) as name, client_of(name) as client:
        assert client.fetch_manifest(parse_reference(f"{name}/team/a:1")).body == IMAGE.body


def test_a_silent_server_ends_with_the_time_limit() -> None:
    with (
        serving(in_turn(Answer(fault=Fault.STALL), registry())) as name,
        client_of(name, time_limit_seconds=0.3) as client,
    ):
        started = time.monotonic()
        assert client.fetch_manifest(parse_reference(f"{name}/team/a:1")).body == IMAGE.body
        assert 0.3 <= time.monotonic() - started < 3


def drip() -> Iterator[bytes]:
    while True:
        time.sleep(0.05)
        yield b" "


def test_a_byte_now_and_then_is_no_way_around_the_time_limit() -> None:
    dripping = Answer(chunks=drip())
    with serving(in_turn(dripping, registry())) as name, client_of(name, time_limit_seconds=0.4) as client:
        assert client.fetch_manifest(parse_reference(f"{name}/team/a:1")).body == IMAGE.body


def test_a_compressed_bomb_is_not_unpacked() -> None:
    bomb = Answer(headers={"Content-Encoding": "gzip"}, chunks=[gzip.compress(b" " * 2**27)])
    with serving(lambda _: bomb) as name, client_of(name) as client, pytest.raises(InvalidContentError):
        client.fetch_manifest(parse_reference(f"{name}/team/a:1"))


def test_nobody_there_is_a_temporary_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"127.0.0.1:{server.getsockname()[1]}"
    with client_of(name, plain_http=True) as client, pytest.raises(TemporaryError) as raised:
        client.fetch_manifest(parse_reference(f"{name}/team/a:1"))
    assert (raised.value.message, raised.value.details) == (f"no answer from {name}", ("the connection was refused",))


def test_an_address_that_leads_nowhere_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def two_addresses(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        addresses = [host] if host.startswith("127.0.0.9") else ["127.0.0.9", "127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    with serving(registry()) as name, client_of(name) as client:
        monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
        assert client.fetch_manifest(parse_reference(f"{name}/team/a:1")).body == IMAGE.body


def test_leaving_ends_what_other_threads_wait_for() -> None:
    with serving(lambda _: Answer(fault=Fault.STALL)) as name, ThreadPoolExecutor(4) as pool:
        with client_of(name) as client:
            references = [parse_reference(f"{name}/team/{letter}:1") for letter in "abcd"]
            waiting = [pool.submit(client.fetch_manifest, reference) for reference in references]
            time.sleep(0.3)
        started = time.monotonic()
        failures = [future.exception(timeout=5) for future in waiting]
    assert time.monotonic() - started < 1
    assert all(isinstance(failure, TemporaryError) for failure in failures)


def test_an_authority_that_nobody_declared_is_not_trusted(tmp_path: Path) -> None:
    tls = make_loopback_tls(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.server.certificate, tls.server.key)
    with serving(registry(), tls=context) as name:
        reference = parse_reference(f"{name}/team/a:1")
        with client_of(name) as client, pytest.raises(RegistryError) as raised:
            client.fetch_manifest(reference)
        assert raised.value.message == f"the certificate of {name} is not trusted"
        assert raised.value.hint == f'name its authority in images.toml: [registries."{name}"] ca-file = "FILE.pem"'
        with client_of(name, ca_file=tls.authority) as client:
            assert client.fetch_manifest(reference).body == IMAGE.body


def test_a_server_without_tls_is_never_spoken_to_without_it_unless_declared() -> None:
    with (
        serving(registry()) as name,
        client_of(name, plain_http=False) as client,
        pytest.raises(RegistryError) as raised,
    ):
        client.fetch_manifest(parse_reference(f"{name}/team/a:1"))
    assert raised.value.message == f"{name} does not speak TLS"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "no answer from {}"),
        (b"HTTP/9.9 nonsense\r\n\r\n", "the response of {} is not valid HTTP"),
        (b"\x00" * 200, "the response of {} is not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nX\r\n\r\n", "the response of {} is not valid HTTP"),
    ],
)
def test_what_is_no_http_is_no_answer(answer: bytes, message: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"127.0.0.1:{server.getsockname()[1]}"

        def answer_each() -> None:
            for _ in range(4):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(answer_each)
            with client_of(name, plain_http=True) as client, pytest.raises(TemporaryError) as raised:
                client.fetch_manifest(parse_reference(f"{name}/team/a:1"))
            done.result(timeout=5)
    assert raised.value.message == message.format(name)

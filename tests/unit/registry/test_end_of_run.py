"""Leaving the client ends every wait at once, whatever a thread waits for."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from imagelock.errors import RegistryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.oci import FetchedManifest
from imagelock.model.reference import RegistryName, parse_reference
from imagelock.registry.locations import RegistrySettings
from imagelock.registry.sources import open_registries
from tests.support.fake_registry.clients import NOWHERE
from tests.support.oci_images import multi_platform_image
from tests.support.raw_server import answering, http, raw_server, read_head

IMAGE = multi_platform_image("linux/amd64")
ANSWER = http(IMAGE.body, head=f"Content-Type: {IMAGE.media_type}\r\n".encode())
_AT_ONCE_SECONDS = 5
"""Far below the limits of every wait (10 seconds to connect, 30 of silence), far above what a busy machine needs."""


@contextmanager
def waiting_threads(
    name: str, *, plain_http: bool = True, images: int = 4, are_waiting: Callable[[], object] = lambda: None
) -> Iterator[list[Future[FetchedManifest]]]:
    """Fetch in threads; leave the client once ``are_waiting`` returned; yields the threads' futures."""
    settings = RegistrySettings(
        registries=(RegistryDeclaration(registry=RegistryName(name), plain_http=plain_http),),
        environment={"CONTAINERS_REGISTRIES_CONF": "/dev/null"},
        home=NOWHERE,
    )
    references = [parse_reference(f"{name}/team/image{number}:1") for number in range(images)]
    with ThreadPoolExecutor(images) as pool:
        with open_registries(settings, ()) as client:
            found = [pool.submit(client.fetch_manifest, reference) for reference in references]
            are_waiting()
        yield found


def ended(found: list[Future[FetchedManifest]]) -> bool:
    return all(isinstance(future.exception(timeout=_AT_ONCE_SECONDS), RegistryError) for future in found)


def after(reached: Event) -> Callable[[], object]:
    return lambda: reached.wait(20)


def test_a_wait_for_an_answer_and_for_the_scheme_of_a_host_ends() -> None:
    """The first request goes alone; the others wait for what it learns."""
    reached = Event()

    def on_connection(_: int, connection: socket.socket) -> None:
        read_head(connection)
        reached.set()
        connection.recv(1)

    with raw_server(on_connection) as name, waiting_threads(name, are_waiting=after(reached)) as found:
        assert ended(found)


def test_a_wait_for_a_handshake_ends() -> None:
    reached = Event()

    def on_connection(_: int, connection: socket.socket) -> None:
        connection.recv(1)
        reached.set()
        connection.recv(100_000)
        connection.recv(1)

    with (
        raw_server(on_connection) as name,
        waiting_threads(name, plain_http=False, are_waiting=after(reached)) as found,
    ):
        assert ended(found)


def test_a_wait_for_a_token_ends() -> None:
    reached = Event()
    challenge = b'WWW-Authenticate: Bearer realm="/token",service="s"\r\n'
    refusal = http(b"{}", head=challenge, status=b"401 Unauthorized")

    def on_connection(_: int, connection: socket.socket) -> None:
        while head := read_head(connection):
            if head.startswith(b"GET /token"):
                reached.set()
                connection.recv(1)
            connection.sendall(refusal)

    with raw_server(on_connection) as name, waiting_threads(name, are_waiting=after(reached)) as found:
        assert ended(found)


def test_a_wait_for_a_server_that_wants_a_pause_ends() -> None:
    reached = Event()

    def on_connection(_: int, connection: socket.socket) -> None:
        while read_head(connection):
            connection.sendall(http(b"", head=b"Retry-After: 50\r\n", status=b"429 Too Many Requests"))
            reached.set()

    with raw_server(on_connection) as name, waiting_threads(name, are_waiting=after(reached)) as found:
        assert ended(found)


def test_a_wait_for_one_of_few_connections_ends() -> None:
    reached = Event()

    def on_connection(number: int, connection: socket.socket) -> None:
        if number == 0:
            read_head(connection)
            connection.sendall(ANSWER)
            read_head(connection)
            connection.recv(1)
        elif read_head(connection):
            reached.set()

    with raw_server(on_connection) as name, waiting_threads(name, are_waiting=after(reached)) as found:
        failures = [future.exception(timeout=_AT_ONCE_SECONDS) for future in found]
    assert failures.count(None) == 1


def test_a_wait_for_a_connection_ends() -> None:
    """A full queue of the system's never answers a greeting."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)  # noqa: FBT003  the socket's own
            filler.connect_ex(address)
        name = f"127.0.0.1:{address[1]}"
        with waiting_threads(name, are_waiting=lambda: Event().wait(0.2)) as found:
            assert ended(found)
        for filler in fillers:
            filler.close()


def test_a_wait_for_the_address_of_a_name_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    reached, over = Event(), Event()

    def look_up(*_: object, **__: object) -> list[object]:
        reached.set()
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with waiting_threads("reg.example", are_waiting=after(reached)) as found:
        assert ended(found)
    over.set()


def test_a_wait_for_a_credential_helper_ends(tmp_path: Path) -> None:
    program = tmp_path / "docker-credential-slow"
    program.write_text(f"#!/bin/sh\necho > {tmp_path}/started\nexec sleep 60\n")
    program.chmod(0o755)
    login = http(b"{}", head=b'WWW-Authenticate: Basic realm="x"\r\n', status=b"401 Unauthorized")
    with raw_server(answering(login)) as name:
        settings = RegistrySettings(
            registries=(RegistryDeclaration(registry=RegistryName(name), plain_http=True),),
            environment={
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "DOCKER_AUTH_CONFIG": json.dumps({"credsStore": "slow"}),
                "CONTAINERS_REGISTRIES_CONF": "/dev/null",
            },
            home=NOWHERE,
        )
        with ThreadPoolExecutor(1) as pool:
            with open_registries(settings, ()) as client:
                found = pool.submit(client.fetch_manifest, parse_reference(f"{name}/a:1"))
                while not (tmp_path / "started").exists():
                    assert not found.done()
                    Event().wait(0.01)
            assert ended([found])


def test_a_signal_ends_a_run_while_its_threads_wait(tmp_path: Path) -> None:
    reached = Event()

    def on_connection(_: int, connection: socket.socket) -> None:
        read_head(connection)
        reached.set()
        connection.recv(1)

    with raw_server(on_connection) as name:
        (tmp_path / "images.toml").write_text(
            f'[images]\na = "{name}/a:1"\nb = "{name}/b:1"\n[registries."{name}"]\nplain-http = true\n'
        )
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        command = [sys.executable, "-m", "imagelock", "lock"]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
            assert reached.wait(20)
            process.send_signal(signal.SIGTERM)  # what runs tests in the background ignores SIGINT
            assert process.wait(_AT_ONCE_SECONDS) == 128 + signal.SIGTERM


_OPENS_EARLY = """
import sys
from imagelock.model.reference import parse_repository
from imagelock.registry.sources import open_registries
from imagelock.registry.http.connections import Connections
from imagelock.registry.locations import RegistrySettings

def open_early(connections, origin, *, registry, connections_):
    print(origin, connections_, "httpx" in sys.modules)

Connections.open_early = lambda self, origin, *, registry, connections: open_early(
    self, origin, registry=registry, connections_=connections
)
repositories = [parse_repository(f"reg.example/{letter}") for letter in "abc"]
with open_registries(RegistrySettings(), repositories):
    print("rich" in sys.modules)
"""


def test_the_first_host_is_dialled_before_httpx_is_imported_and_rich_is_not_imported_with_it() -> None:
    done = subprocess.run([sys.executable, "-c", _OPENS_EARLY], capture_output=True, text=True, check=True)
    assert done.stdout == "https://reg.example 3 False\nFalse\n"


def test_what_dials_early_needs_no_http_library() -> None:
    modules = ["locations", "registries_conf", "http.connections", "http.addresses", "http.certificates"]
    imports = "; ".join(f"import imagelock.registry.{module}" for module in modules)
    code = f"import sys; {imports}; print('httpx' in sys.modules, 'h11' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"

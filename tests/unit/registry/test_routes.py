"""Proxies from the environment, and certificates from the folders of Docker and podman."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import create_server
from typing import NoReturn

import pytest

from imagelock.errors import FileError, RegistryError
from imagelock.model.reference import RegistryName
from imagelock.registry.http import TransportFailure
from imagelock.registry.http.addresses import Login, Origin, Proxy, find_proxy, open_tunnel
from imagelock.registry.http.certificates import CertificateFiles, find_certificate_files, make_tls_context
from imagelock.registry.http.connections import Connections
from tests.support.certificates import make_loopback_tls

REGISTRY = Origin("https", "reg.example", 443)
PROXY = Proxy(Origin("http", "proxy.corp", 3128))


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.corp:3128"}, PROXY),
        ({"https_proxy": "proxy.corp:3128"}, PROXY),
        ({"ALL_PROXY": "http://proxy.corp:3128/"}, PROXY),
        ({"HTTP_PROXY": "http://proxy.corp:3128"}, None),
        (
            {"HTTPS_PROXY": "http://me:p%40ss@proxy.corp:3128"},
            Proxy(Origin("http", "proxy.corp", 3128), Login("me", "p@ss")),
        ),
        ({"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": "example"}, None),
        ({"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": ".example"}, None),
        ({"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": "other, reg.example"}, None),
        ({"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": "reg.example:443"}, None),
        ({"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": "reg.example:8443"}, PROXY),
        ({"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": "eg.example"}, PROXY),
        ({"HTTPS_PROXY": "http://proxy.corp:3128", "no_proxy": "*"}, None),
    ],
)
def test_the_environment_names_the_proxy(environment: dict[str, str], proxy: Proxy | None) -> None:
    assert find_proxy(REGISTRY, environment) == proxy


def test_networks_may_be_excepted() -> None:
    environment = {"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": "10.0.0.0/8,nonsense/99"}
    assert find_proxy(Origin("https", "10.1.2.3", 443), environment) is None
    assert find_proxy(Origin("https", "11.1.2.3", 443), environment) == PROXY


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_never_asked_through_a_proxy(host: str) -> None:
    assert find_proxy(Origin("https", host, 443), {"ALL_PROXY": "http://proxy.corp:3128"}) is None


@pytest.mark.parametrize(
    ("origin", "entry", "is_excepted"),
    [
        (Origin("https", "a.reg.example", 8443), "reg.example:8443", True),
        (Origin("https", "a.reg.example", 8443), ".reg.example:8443", True),
        (Origin("https", "a.reg.example", 8443), "*.reg.example:8443", True),
        (Origin("https", "a.reg.example", 443), "reg.example:8443", False),
        (Origin("https", "reg.example", 443), ".reg.example", False),
        (Origin("https", "reg.example", 443), "*:443", True),
        (Origin("https", "10.1.2.3", 5000), "10.1.2.3:5000", True),
        (Origin("https", "10.1.2.3", 5000), "10.1.2.3:443", False),
        (Origin("https", "[fd00::1]", 5000), "fd00::1", True),
        (Origin("https", "[fd00::1]", 5000), "[fd00::1]", True),
        (Origin("https", "[fd00::1]", 5000), "[fd00::1]:5000", True),
        (Origin("https", "[fd00::1]", 5000), "fd00::/8", True),
        (Origin("https", "[fd00::1]", 5000), "fd00::2", False),
    ],
)
def test_an_exception_may_have_a_port(origin: Origin, entry: str, *, is_excepted: bool) -> None:
    """As Go reads it: a name with a port stands for everything below it at that port."""
    environment = {"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": entry}
    assert find_proxy(origin, environment) == (None if is_excepted else PROXY)


def test_the_hint_names_the_variable_that_counts() -> None:
    with pytest.raises(RegistryError) as raised:
        find_proxy(REGISTRY, {"all_proxy": "socks5://proxy.corp:1080"})
    assert raised.value.details == ("socks5:// is not supported, only http://",)
    assert raised.value.hint == "correct ALL_PROXY"


@pytest.mark.parametrize(
    "text",
    [
        "socks5://proxy.corp:1080",
        "https://proxy.corp",
        "http://me:secret@:1",
        "http://[x",
        "http://me:secret/1@proxy.corp",
        "me:secret#1@proxy.corp",
        "http://me:secret?@proxy.corp",
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error_without_its_password(text: str) -> None:
    with pytest.raises(RegistryError) as raised:
        find_proxy(REGISTRY, {"HTTPS_PROXY": text})
    assert raised.value.message == "cannot use the proxy from the environment"
    assert "secret" not in "".join(raised.value.details)


def converse(answer: bytes) -> bytes:
    """Open a tunnel through a proxy that gives this answer, and return what it heard."""
    with create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        port = server.getsockname()[1]
        proxy = Proxy(Origin("http", "127.0.0.1", port), Login("me", "secret"))

        def answer_once() -> bytes:
            connection, _ = server.accept()
            with connection:
                heard = connection.recv(65536)
                connection.sendall(answer)
            return heard

        heard = pool.submit(answer_once)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            open_tunnel(connection, proxy, REGISTRY)
        return heard.result(timeout=5)


def test_a_tunnel_is_asked_for_with_the_proxys_login() -> None:
    assert converse(b"HTTP/1.1 200 Connection established\r\n\r\n") == (
        b"CONNECT reg.example:443 HTTP/1.1\r\nHost: reg.example:443\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "status 407"),
        (b"SSH-2.0\r\n\r\n", "its response is not HTTP"),
        (b"", "its response is not HTTP"),
        (b"x" * 20_000, "its response is not HTTP"),
    ],
)
def test_a_proxy_that_refuses_is_named(answer: bytes, said: str) -> None:
    with pytest.raises(TransportFailure, match=said):
        converse(answer)


def test_a_folder_counts_for_exactly_its_host_and_port(tmp_path: Path) -> None:
    folder = tmp_path / "two" / "reg.example:5000"
    folder.mkdir(parents=True)
    for name in ("ca.crt", "client.cert", "client.key", "notes.txt"):
        (folder / name).touch()
    folders = (tmp_path / "one", tmp_path / "two")
    assert find_certificate_files(folders, "reg.example:5000") == CertificateFiles(
        (folder / "ca.crt",), ((folder / "client.cert", folder / "client.key"),)
    )
    assert find_certificate_files(folders, "reg.example") == CertificateFiles()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("client.cert", r"client\.cert is a client certificate without a key"),
        ("client.key", r"client\.key is a key without a client certificate"),
    ],
)
def test_half_a_client_certificate_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "reg.example").mkdir()
    (tmp_path / "reg.example" / name).touch()
    with pytest.raises(FileError, match=message):
        find_certificate_files((tmp_path,), "reg.example")


def test_declared_authorities_are_trusted_besides_the_systems(tmp_path: Path) -> None:
    tls = make_loopback_tls(tmp_path)
    files = CertificateFiles((tls.authority,), ((tls.server.certificate, tls.server.key),))
    context = make_tls_context(files, ca_file=tls.authority)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(FileError, match=r"ca\.pem has no readable certificate"):
        make_tls_context(CertificateFiles(), ca_file=tmp_path / "ca.pem")
    with pytest.raises(FileError, match=r"missing\.pem has no readable certificate") as raised:
        make_tls_context(CertificateFiles(), ca_file=tmp_path / "missing.pem")
    assert raised.value.details == ("No such file or directory",)
    (tmp_path / "ca.crt").write_bytes(b"\x30\x82\x01\x00")
    with pytest.raises(FileError, match=r"ca\.crt has no readable certificate") as raised:
        make_tls_context(CertificateFiles(), ca_file=tmp_path / "ca.crt")
    assert raised.value.details == ("it is not in PEM, or incomplete",)
    assert raised.value.hint == f"convert it: `openssl x509 -inform DER -in {tmp_path}/ca.crt -out ca.pem`"
    broken = CertificateFiles(client_pairs=((tmp_path / "ca.pem", tmp_path / "ca.pem"),))
    with pytest.raises(FileError, match=r"ca\.pem cannot be used with its key"):
        make_tls_context(broken, ca_file=None)


def test_nobody_waits_for_a_connection_that_failed_in_an_unforeseen_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dial(_: Connections, __: object) -> NoReturn:
        raise ssl.SSLError("OpenSSL's configuration is broken")

    monkeypatch.setattr(Connections, "dial", dial)
    connections = Connections({}, home=tmp_path)
    registry = RegistryName("reg.example")
    connections.open_early(REGISTRY, registry=registry, connections=1)
    route = connections.find_route(REGISTRY, registry)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(connections.take_early, route).result(timeout=5) is None

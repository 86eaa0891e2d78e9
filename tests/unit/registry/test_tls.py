"""TLS as users' other tools have it: whom it trusts, and what is said where it does not."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagelock.errors import ExitCode, RegistryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.reference import RegistryName, parse_reference
from imagelock.registry.client import open_registry_client
from imagelock.registry.http.certificates import CertificateFiles, make_tls_context
from imagelock.registry.locations import RegistrySettings, make_connections
from tests.support.certificates import CertificateOffice, KeyPairFiles
from tests.support.fake_registry.clients import NOWHERE
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.sockets import serving
from tests.support.oci_images import multi_platform_image

IMAGE = multi_platform_image("linux/amd64")
NAME = "127.0.0.1"


@pytest.fixture(params=["this Python", "Python 3.13"])
def _default(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the default context was that of Python 3.13."""
    make = ssl.create_default_context

    def make_strictly() -> ssl.SSLContext:
        context = make()
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    if request.param == "Python 3.13":
        monkeypatch.setattr("imagelock.registry.http.certificates.ssl.create_default_context", make_strictly)


@contextmanager
def registry_with(server: KeyPairFiles, *, client_authority: Path | None = None) -> Iterator[str]:
    registry = FakeRegistry()
    registry.push("team/a", IMAGE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_authority)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(registry, tls=context) as name:
        yield name


def fetch(name: str, *, ca_file: Path | None = None, plain_http: bool | None = None) -> bytes:
    declared = RegistryDeclaration(registry=RegistryName(name), ca_file=ca_file, plain_http=plain_http)
    settings = RegistrySettings(registries=(declared,), environment={}, home=NOWHERE)
    with open_registry_client(settings, make_connections(settings)) as client:
        return client.fetch_manifest(parse_reference(f"{name}/team/a:1")).body


def refusal_of(name: str, *, ca_file: Path | None) -> RegistryError:
    with pytest.raises(RegistryError) as raised:
        fetch(name, ca_file=ca_file, plain_http=False)
    return raised.value


@pytest.mark.usefixtures("_default")
@pytest.mark.parametrize("is_strict", [True, False])
def test_an_authority_that_docker_and_curl_accept_is_accepted(tmp_path: Path, *, is_strict: bool) -> None:
    office = CertificateOffice(tmp_path, is_strict=is_strict)
    with registry_with(office.certify(NAME)) as name:
        assert fetch(name, ca_file=office.authority) == IMAGE.body


@pytest.mark.usefixtures("_default")
def test_the_verdict_does_not_depend_on_the_python() -> None:
    flags = make_tls_context(CertificateFiles(), ca_file=None).verify_flags
    assert not flags & ssl.VERIFY_X509_STRICT
    assert flags & ssl.VERIFY_X509_PARTIAL_CHAIN


@pytest.mark.parametrize(
    ("has_file", "names", "is_loaded"),
    [(True, [], False), (False, ["4a6481c9.0"], False), (False, ["ca-bundle.crt"], True), (False, [], True)],
)
def test_a_python_that_looks_elsewhere_finds_the_systems_authorities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_file: bool, names: list[str], is_loaded: bool
) -> None:
    """A Python that was built for another system finds a folder without hashed names, or nothing."""
    bundle = CertificateOffice(tmp_path).authority
    folder = tmp_path / "certs"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("")
    found = ssl.get_default_verify_paths()
    paths = found._replace(cafile=str(bundle) if has_file else "", capath=str(folder))
    monkeypatch.setattr("imagelock.registry.http.certificates.ssl.get_default_verify_paths", lambda: paths)
    monkeypatch.setattr("imagelock.registry.http.certificates.BUNDLES", (tmp_path / "missing.pem", bundle))
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    context = make_tls_context(CertificateFiles(), ca_file=None)
    assert ("imagelock tests" in str(context.get_ca_certs())) is is_loaded


@pytest.mark.usefixtures("_default")
def test_a_servers_own_certificate_may_be_declared(tmp_path: Path) -> None:
    """What people export from a browser is often the server's certificate, without its authority."""
    server = CertificateOffice(tmp_path).certify(NAME)
    with registry_with(server) as name:
        assert fetch(name, ca_file=server.certificate) == IMAGE.body


@pytest.mark.parametrize("age_days", [30, -30])
def test_a_certificate_out_of_date_is_no_matter_of_authorities(tmp_path: Path, age_days: int) -> None:
    office = CertificateOffice(tmp_path)
    with registry_with(office.certify(NAME, age_days=age_days)) as name:
        error = refusal_of(name, ca_file=office.authority)
    assert error.message == f"the certificate of {name}, or of its authority, has expired or is not valid yet"
    assert error.details == ("certificate has expired" if age_days > 0 else "certificate is not yet valid",)
    assert "clock" in str(error.hint)
    assert "ca-file" not in str(error.hint)


@pytest.mark.parametrize("names", [("registry.corp",), ("192.0.2.7",)])
def test_a_certificate_for_another_host_is_no_matter_of_authorities(tmp_path: Path, names: tuple[str, ...]) -> None:
    office = CertificateOffice(tmp_path)
    with registry_with(office.certify(*names)) as name:
        error = refusal_of(name, ca_file=office.authority)
    assert error.message == f"the certificate of {name} is for another host"
    assert NAME in error.details[0]
    assert "ca-file" not in str(error.hint)


def test_an_unknown_authority_can_be_declared(tmp_path: Path) -> None:
    office = CertificateOffice(tmp_path)
    with registry_with(office.certify(NAME)) as name:
        error = refusal_of(name, ca_file=None)
    assert error.message == f"the certificate of {name} is not trusted"
    assert error.hint == f'name its authority in images.toml: [registries."{name}"] ca-file = "FILE.pem"'


def test_where_another_authority_is_declared_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = CertificateOffice(tmp_path / "other").authority
    with registry_with(CertificateOffice(tmp_path).certify(NAME)) as name:
        error = refusal_of(name, ca_file=other)
    assert error.message.startswith(f"the certificate of {name} is not signed by an authority declared")
    assert "FILE.pem" not in str(error.hint)


def test_a_server_that_wants_a_certificate_of_ours_says_so(tmp_path: Path) -> None:
    office = CertificateOffice(tmp_path)
    with registry_with(office.certify(NAME), client_authority=office.authority) as name:
        error = refusal_of(name, ca_file=office.authority)
    assert name in error.message
    assert "client certificate" in f"{error.message} {error.hint}"


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """A server that reads the greeting, says something, and closes the connection."""
    with socket.create_server((NAME, 0)) as server, ThreadPoolExecutor(1) as pool:

        def answer_each() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    if not connection.recv(65536):
                        return
                    connection.sendall(answer)

        done = pool.submit(answer_each)
        try:
            yield f"{NAME}:{server.getsockname()[1]}"
        finally:
            socket.create_connection(server.getsockname()).close()
            done.result(timeout=5)


def test_a_server_that_closes_when_it_is_greeted_leads_to_plain_http() -> None:
    with listening(b"") as name:
        error = refusal_of(name, ca_file=None)
    assert error.exit_code is ExitCode.TRY_AGAIN
    assert error.details == ("the server closed the connection in the TLS handshake",)
    assert f'set `plain-http = true` under `[registries."{name}"]` in images.toml' in str(error.hint)


def test_a_server_of_an_old_tls_is_named() -> None:
    alert = b"\x15\x03\x01\x00\x02\x02\x46"  # fatal, protocol_version
    with listening(alert) as name:
        error = refusal_of(name, ca_file=None)
    assert error.message == f"{name} and imagelock have no TLS version or cipher in common: it must be TLS 1.2 or 1.3"


def test_a_registry_on_this_machine_may_close_when_it_is_greeted() -> None:
    """It is asked in http then, as one that answers the greeting with an error."""
    registry = FakeRegistry()
    registry.push("team/a", IMAGE)
    with serving(registry) as name, _closing_on_tls(name) as front:
        assert fetch(front) == IMAGE.body


@contextmanager
def _closing_on_tls(name: str) -> Iterator[str]:
    """A server that closes the connection on a TLS greeting, and passes everything else to another one."""
    host, _, port = name.partition(":")
    with socket.create_server((NAME, 0)) as server, ThreadPoolExecutor(1) as pool:

        def serve() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    request = connection.recv(65536)
                    if not request:
                        return
                    if request[:1] == b"\x16":
                        continue
                    with socket.create_connection((host, int(port))) as behind:
                        behind.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                        while piece := behind.recv(65536):
                            connection.sendall(piece)

        done = pool.submit(serve)
        try:
            yield f"{NAME}:{server.getsockname()[1]}"
        finally:
            socket.create_connection(server.getsockname()).close()
            done.result(timeout=5)

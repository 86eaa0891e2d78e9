"""Where a registry may send us for a token: 32 answers of a policy that others had to learn by accident."""

from __future__ import annotations

import httpx
import pytest

from imagelock.errors import InvalidContentError
from imagelock.registry.auth.challenges import check_realm

ASKED = httpx.URL("https://reg.example/v2/a/b/manifests/1")
DECLARED_PLAIN = httpx.URL("http://reg.corp:5000/v2/a/b/manifests/1")
LOCAL = httpx.URL("https://127.0.0.1:5000/v2/a/b/manifests/1")
LOCAL_PLAIN = httpx.URL("http://127.0.0.1:5000/v2/a/b/manifests/1")


@pytest.mark.parametrize(
    ("realm", "asked"),
    [
        ("https://auth.docker.io/token", ASKED),
        ("https://reg.example/token", ASKED),
        ("https://10.0.0.5/jwt/auth", ASKED),
        ("https://192.168.1.2:8443/t", ASKED),
        ("https://[fd12::1]/t", ASKED),
        ("https://127.0.0.1:5000/t", LOCAL),
        ("http://127.0.0.1:5000/t", LOCAL_PLAIN),
        ("https://localhost:5001/t", LOCAL),
        ("http://auth.corp:5001/t", DECLARED_PLAIN),
    ],
)
def test_token_servers_that_people_run_are_allowed(realm: str, asked: httpx.URL) -> None:
    assert str(check_realm(realm, asked=asked)) == realm


@pytest.mark.advisory(
    "CVE-2019-10214",
    "CVE-2026-48978",
    "GHSA-xf85-363p-868w",
    "GHSA-28r5-37g7-p6mp",
    "CVE-2026-33540",
    "CVE-2026-33990",
    "CVE-2026-24845",
    "go-containerregistry#2193",
    "go-containerregistry#2243",
    "jib#4523",
)
@pytest.mark.parametrize(
    ("realm", "reason"),
    [
        ("http://auth.x/token", "it is not encrypted, unlike the registry"),
        ("file:///etc/passwd", "it must begin with https://"),
        ("gopher://x/", "it must begin with https://"),
        ("https:///t", "it has no host name"),
        ("https://x.io:99999/t", "99999 is not a port"),
        ("https://u:p@x.io/t", "it has a user name"),
        ("https://x.io/t#f", "it has a fragment"),
        ("https://x.io\\@evil/t", "it has characters that are not allowed in a URL"),
        ("https://x.io/t\n", "it has characters that are not allowed in a URL"),
        ("https://169.254.169.254/latest", "its host is a link-local address"),
        ("https://[::ffff:169.254.169.254]/", "its host is a link-local address"),
        ("https://[64:ff9b::a9fe:a9fe]/", "its host is a link-local address"),
        ("https://[::1]/", "its host is this machine"),
        ("https://0.0.0.0/", "its host is no single host"),
        ("https://127.1/", "its host is this machine"),
        ("https://2130706433/", "its host is this machine"),
        ("https://0x7f.1/", "its host is this machine"),
        ("https://017700000001/", "its host is this machine"),
        ("https://[fe80::1%25eth0]/", "`[fe80::1%25eth0]` is not a host name"),
        ("https://[fe80::1]/", "its host is a link-local address"),
        ("https://100.100.100.200/", "its host is a cloud's metadata service"),
        ("https://[fd00:ec2::254]/", "its host is a cloud's metadata service"),
        ("https://localhost:1/", "its host is this machine"),
        ("https://localhost.:1/", "its host is this machine"),
        ("https://a.localhost/", "its host is this machine"),
        ("https://metadata.google.internal/t", "its host is a cloud's metadata service"),
        ("https://224.0.0.1/", "its host is no single host"),
    ],
)
def test_token_servers_that_nobody_should_name_are_refused(realm: str, reason: str) -> None:
    with pytest.raises(InvalidContentError) as raised:
        check_realm(realm, asked=ASKED)
    assert raised.value.message == f"reg.example names a token server that must not be asked: {reason}"


def test_another_port_of_this_machine_is_refused_without_tls() -> None:
    with pytest.raises(InvalidContentError, match="its host is this machine"):
        check_realm("http://127.0.0.1:5001/t", asked=LOCAL_PLAIN)


def test_a_registry_on_this_machine_names_no_token_server_elsewhere_without_tls() -> None:
    """It speaks http without anybody having said so."""
    with pytest.raises(InvalidContentError, match="it is not encrypted"):
        check_realm("http://auth.corp/t", asked=LOCAL_PLAIN)


def test_a_registry_without_tls_names_no_dangerous_token_server_either() -> None:
    with pytest.raises(InvalidContentError, match="its host is a link-local address"):
        check_realm("http://169.254.169.254/t", asked=DECLARED_PLAIN)


def test_a_relative_realm_belongs_to_the_registry() -> None:
    assert str(check_realm("/token?a=b", asked=ASKED)) == "https://reg.example/token?a=b"


def test_a_realm_without_scheme_keeps_the_registrys() -> None:
    assert str(check_realm("//x.io/t", asked=ASKED)) == "https://x.io/t"

"""Redirects are followed by our own loop, and what they lead to gets no credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelock.errors import InvalidContentError, RegistryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.reference import RegistryName, parse_reference
from tests.support.certificates import CertificateFolder, CertificateOffice
from tests.support.fake_registry.answers import Answer, Handler, refusal
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.proxied import proxied_internet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image

IMAGE = multi_platform_image("linux/amd64")
REFERENCE = parse_reference("reg.example/team/a:1")
LOGIN = {"reg.example": "me:secret", "cdn.example": "other:secret"}


def to(location: str, *, status: int = 307) -> Handler:
    return lambda _: Answer(status=status, headers={"Location": location})


def behind_login(answer: Handler) -> Handler:
    """Wants a password first, so that there are credentials that could be carried on."""
    registry = FakeRegistry(login="me:secret")
    return lambda request: answer(request) if request.authorization else registry(request)


def content() -> FakeRegistry:
    registry = FakeRegistry()
    registry.push("team/a", IMAGE)
    return registry


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_leads_on(status: int) -> None:
    moved = to("https://cdn.example/v2/team/a/manifests/1", status=status)
    internet = FakeInternet({"reg.example": moved, "cdn.example": content()})
    assert str(client_of(internet).fetch_manifest(REFERENCE).digest) == IMAGE.digest


@pytest.mark.advisory("GHSA-vh4v-2xq2-g5cg", "go-containerregistry#2332")
@pytest.mark.parametrize(
    "location",
    [
        "https://cdn.example/v2/team/a/manifests/1",
        "https://reg.example:8443/v2/team/a/manifests/1",
        "//cdn.example/v2/team/a/manifests/1",
    ],
)
def test_no_credentials_cross_an_origin(location: str) -> None:
    moved = behind_login(to(location))
    internet = FakeInternet({"reg.example": moved, "cdn.example": content(), "reg.example:8443": content()})
    client_of(internet, logins=LOGIN).fetch_manifest(REFERENCE)
    assert [bool(request.authorization) for request in internet.requests] == [False, True, False]


def test_credentials_stay_within_an_origin() -> None:
    def answer(request: object) -> Answer:
        return to("/v2/team/a/manifests/1?again=1")(request) if "again" not in str(request) else content()(request)  # type: ignore[arg-type]  # handlers take requests

    internet = FakeInternet({"reg.example": behind_login(answer)})
    client_of(internet, logins=LOGIN).fetch_manifest(REFERENCE)
    assert [bool(request.authorization) for request in internet.requests] == [False, True, True]


@pytest.mark.advisory(
    "CVE-2020-15157", "GHSA-qvqc-4c52-x6qp", "GO-2026-5822", "CVE-2022-23538", "go-containerregistry#2349"
)
@pytest.mark.parametrize("challenge", ['Basic realm="give"', 'Bearer realm="https://evil.example/token",service="s"'])
def test_a_host_that_we_were_sent_to_gets_no_login_for_asking(challenge: str) -> None:
    """Also not through a token server of its choice."""
    asking = refusal(401, "UNAUTHORIZED", "who are you?").adding({"WWW-Authenticate": challenge})
    evil = FakeTokenServer()
    internet = FakeInternet(
        {
            "reg.example": behind_login(to("https://cdn.example/v2/team/a/manifests/1")),
            "cdn.example": lambda _: asking,
            "evil.example": evil,
        }
    )
    with pytest.raises(RegistryError):
        client_of(internet, logins={**LOGIN, "evil.example": "me:secret"}).fetch_manifest(REFERENCE)
    sent = [request.authorization for host in ("cdn.example", "evil.example") for request in internet.asked(host)]
    assert not [authorization for authorization in sent if authorization.startswith("Basic")]


@pytest.mark.advisory("GHSA-vh4v-2xq2-g5cg", "CVE-2023-26054")
@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://reg.example/x", "it is not encrypted, unlike the registry"),
        ("https://169.254.169.254/latest/meta-data", "its host is a link-local address"),
        ("https://localhost/x", "its host is this machine"),
        ("https://me:secret@cdn.example/x", "it has a user name"),
        ("ftp://cdn.example/x", "it must begin with https://"),
        ("https://cdn.example/a b", "it has characters that are not allowed in a URL"),
        ("", "there is none"),
    ],
)
def test_some_places_are_never_gone_to(location: str, reason: str) -> None:
    internet = FakeInternet({"reg.example": to(location)})
    with pytest.raises(InvalidContentError) as raised:
        client_of(internet).fetch_manifest(REFERENCE)
    assert raised.value.message == f"https://reg.example redirects to an address that must not be followed: {reason}"
    assert "secret" not in str(raised.value.details)


def test_a_circle_ends() -> None:
    internet = FakeInternet({"reg.example": to("/v2/team/a/manifests/1")})
    with pytest.raises(InvalidContentError, match="redirects more than 5 times"):
        client_of(internet).fetch_manifest(REFERENCE)
    assert len(internet.requests) == 6


@pytest.mark.advisory("CVE-2026-48978")
def test_a_token_server_sends_nobody_on() -> None:
    registry = FakeRegistry(tokens=FakeTokenServer(), challenge='Bearer realm="https://auth.example/token"')
    internet = FakeInternet({"reg.example": registry, "auth.example": to("https://evil.example/token")})
    with pytest.raises(InvalidContentError, match="a token server must not"):
        client_of(internet, logins=LOGIN).fetch_manifest(REFERENCE)
    assert not internet.asked("evil.example")


@pytest.mark.advisory("CVE-2019-10214")
def test_a_token_server_without_tls_is_not_asked() -> None:
    registry = FakeRegistry(tokens=FakeTokenServer(), challenge='Bearer realm="http://auth.example/token"')
    tokens = FakeTokenServer()
    internet = FakeInternet({"reg.example": registry, "auth.example": tokens})
    with pytest.raises(InvalidContentError, match="it is not encrypted, unlike the registry"):
        client_of(internet, logins=LOGIN).fetch_manifest(REFERENCE)
    assert tokens.questions == []


@pytest.mark.advisory("GHSA-h3wm-jjqf-8jm2", "GHSA-whvf-jp7m-59f3")
def test_a_client_certificate_is_shown_to_its_host_and_to_nobody_it_sends_us_to(
    trusts_office: CertificateOffice, tmp_path: Path
) -> None:
    folder = CertificateFolder(authority=trusts_office.authority, client=trusts_office.certify("client"))
    folder.write(tmp_path / ".config" / "containers" / "certs.d" / "reg.example")
    hosts: dict[str, Handler] = {
        "reg.example": to("https://cdn.example/v2/team/a/manifests/1"),
        "cdn.example": content(),
    }
    with proxied_internet(hosts, trusts_office, home=tmp_path) as internet:
        client_of(internet).fetch_manifest(REFERENCE)
        assert len(internet.asked("cdn.example")) == 1
        assert internet.seen_certificates == {"reg.example"}


def test_a_registry_without_tls_may_lead_to_another_host_without_tls() -> None:
    internet = FakeInternet({"reg.example": to("http://cdn.example/v2/team/a/manifests/1"), "cdn.example": content()})
    options = (RegistryDeclaration(registry=RegistryName("reg.example"), plain_http=True),)
    assert str(client_of(internet, registries=options).fetch_manifest(REFERENCE).digest) == IMAGE.digest

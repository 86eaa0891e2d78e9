"""Who hears what on the way through a proxy."""

from __future__ import annotations

import base64

import pytest

from imagelock.errors import TemporaryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.reference import RegistryName, parse_reference
from tests.support.certificates import CertificateOffice
from tests.support.fake_registry.answers import Answer, Fault, in_turn
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.proxied import proxied_internet
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding
from tests.support.fake_registry.token_server import FakeTokenServer

REFERENCE = parse_reference("reg.example/team/a:1")
PLAIN = (RegistryDeclaration(registry=RegistryName("reg.example"), plain_http=True),)
PROXY_LOGIN = "clerk:open-sesame"


def test_what_is_encrypted_goes_through_a_tunnel_for_each_host(trusts_office: CertificateOffice) -> None:
    tokens = FakeTokenServer()
    registry = holding("team/a", tokens=tokens, challenge=challenge("https://auth.example:8443/token"))
    with proxied_internet({"reg.example": registry, "auth.example:8443": tokens}, trusts_office) as internet:
        assert client_of(internet).fetch_manifest(REFERENCE).body == IMAGE.body
        assert set(internet.tunnels) == {"reg.example:443", "auth.example:8443"}


def test_what_is_not_encrypted_is_forwarded_without_a_tunnel(trusts_office: CertificateOffice) -> None:
    with proxied_internet({"reg.example": holding("team/a")}, trusts_office) as internet:
        assert client_of(internet, registries=PLAIN).fetch_manifest(REFERENCE).body == IMAGE.body
        assert internet.tunnels == []
        assert internet.requests[0].headers.get("host") == "reg.example"


@pytest.mark.parametrize("registries", [(), PLAIN], ids=["tunnel", "forwarded"])
def test_its_login_is_for_the_proxy_alone(
    trusts_office: CertificateOffice, registries: tuple[RegistryDeclaration, ...]
) -> None:
    with proxied_internet({"reg.example": holding("team/a")}, trusts_office, login=PROXY_LOGIN) as internet:
        assert client_of(internet, registries=registries).fetch_manifest(REFERENCE).body == IMAGE.body
        expected = "Basic " + base64.b64encode(PROXY_LOGIN.encode()).decode()
        seen = [request.headers.get("proxy-authorization") for request in internet.requests]
        assert seen == ([expected] if registries else [""])


def test_a_host_that_the_proxy_does_not_know_is_a_temporary_error(trusts_office: CertificateOffice) -> None:
    with proxied_internet({}, trusts_office) as internet, pytest.raises(TemporaryError) as raised:
        client_of(internet).fetch_manifest(REFERENCE)
    assert raised.value.message == "no answer from reg.example"
    proxy = internet.proxy_url.removeprefix("http://")
    assert raised.value.details == (f"the proxy {proxy} refused the tunnel: status 502",)


def test_a_broken_tunnel_is_dug_anew(trusts_office: CertificateOffice) -> None:
    hosts = {"reg.example": in_turn(Answer(fault=Fault.RESET), holding("team/a"))}
    with proxied_internet(hosts, trusts_office) as internet:
        assert client_of(internet).fetch_manifest(REFERENCE).body == IMAGE.body
        assert len(internet.tunnels) == 2

"""No secret in traces, errors or reprs, and no credentials for whoever asks for them cleverly."""

from __future__ import annotations

import base64

import pytest

from imagelock.errors import ImagelockError
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image

IMAGE = multi_platform_image("linux/amd64")
REFERENCE = parse_reference("reg.example/team/a:1")
PASSWORD = "correct-horse"  # noqa: S105  a fake
SIGNED = "https://cdn.example/blob?X-Amz-Signature=battery-staple&n=5"


def bearer_internet() -> FakeInternet:
    tokens = FakeTokenServer(login=f"me:{PASSWORD}")
    registry = FakeRegistry(tokens=tokens, challenge='Bearer realm="https://auth.example/token",service="s"')
    registry.push("team/a", IMAGE)
    return FakeInternet({"reg.example": registry, "auth.example": tokens})


@pytest.mark.advisory("GHSA-5jhf-2qmf-m8c5")
def test_a_trace_tells_each_exchange_and_no_secret() -> None:
    lines: list[str] = []
    internet = bearer_internet()
    client_of(internet, logins={"reg.example": f"me:{PASSWORD}"}, trace=lines.append).fetch_manifest(REFERENCE)
    shown = [line.partition(", ")[0] for line in lines]
    assert shown == [
        "GET https://reg.example/v2/team/a/manifests/1: 401",
        "https://auth.example was named by reg.example and gets the credentials for it",
        "GET https://auth.example/token?service=s&scope=repository:team/a:pull&client_id=…: 200",
        "GET https://reg.example/v2/team/a/manifests/1: 200",
    ]
    token = internet.requests[-1].authorization.removeprefix("Bearer ")
    secrets = (PASSWORD, base64.b64encode(f"me:{PASSWORD}".encode()).decode(), token)
    assert not [line for line in lines for secret in secrets if secret in line]


@pytest.mark.advisory("GHSA-5jhf-2qmf-m8c5")
def test_a_signed_address_is_not_shown() -> None:
    lines: list[str] = []
    moved = Answer(status=307, headers={"Location": SIGNED})
    internet = FakeInternet({"reg.example": lambda _: moved, "cdn.example": lambda _: refusal(403, "EXPIRED", "no")})
    with pytest.raises(ImagelockError) as raised:
        client_of(internet, trace=lines.append).fetch_manifest(REFERENCE)
    assert lines[-1].startswith("GET https://cdn.example/blob?X-Amz-Signature=…&n=5: 403")
    assert "battery" not in "".join([*lines, str(raised.value), *raised.value.details])


def test_credentials_that_were_not_asked_for_are_not_called_refused() -> None:
    internet = FakeInternet({"reg.example": lambda _: refusal(403, "DENIED", "not from this address")})
    with pytest.raises(ImagelockError) as raised:
        client_of(internet, logins={"reg.example": f"me:{PASSWORD}"}).fetch_manifest(REFERENCE)
    assert [request.authorization for request in internet.requests] == [""]
    assert raised.value.details[0].startswith("the credentials from DOCKER_AUTH_CONFIG were not sent: ")


def test_requests_and_settings_show_no_secret() -> None:
    internet = bearer_internet()
    setup = Setup(internet=internet, logins={"reg.example": f"me:{PASSWORD}"})
    setup.client().fetch_manifest(REFERENCE)
    shown = repr(internet.requests) + str(internet.requests) + repr(setup.settings())
    assert PASSWORD not in shown
    assert base64.b64encode(f"me:{PASSWORD}".encode()).decode() not in shown
    assert internet.requests[-1].authorization not in shown


@pytest.mark.advisory("CVE-2026-59891", "GO-2026-6225", "CVE-2024-35192")
@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("reg.example", "reg.example.evil.com"),
        ("reg.example", "evil-reg.example"),
        ("reg.example", "reg.example:8443"),
        ("reg.example", "evil.com/reg.example"),
        ("team.azurecr.io", "team.azurecr.io.evil.com"),
        ("team.azurecr.io", "teamxazurecr.io"),
        ("1.dkr.ecr.eu-central-1.amazonaws.com", "1.dkr.ecr.eu-central-1.amazonaws.com.evil.com"),
        ("ghcr.io", "ghcr.io.evil.com"),
    ],
)
def test_nothing_but_a_host_of_that_very_name_gets_a_login(mine: str, other: str) -> None:
    host = other.partition("/")[0]
    internet = FakeInternet({host: FakeRegistry(login=f"me:{PASSWORD}")})
    with pytest.raises(ImagelockError):
        client_of(internet, logins={mine: f"me:{PASSWORD}"}).fetch_manifest(parse_reference(f"{other}/a:1"))
    assert [request.authorization for request in internet.requests] == [""]


def test_a_message_of_a_server_cannot_paint_the_terminal() -> None:
    evil = refusal(404, "\x1b[31mX", "\x1b]0;title\x07 line\r\nbreak \u202e txt")
    with pytest.raises(ImagelockError) as raised:
        client_of(FakeInternet({"reg.example": lambda _: evil})).fetch_manifest(REFERENCE)
    assert all(line.isprintable() for line in raised.value.details)

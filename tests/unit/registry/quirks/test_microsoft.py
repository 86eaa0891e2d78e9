"""Microsoft: Azure's registries with their identity tokens, and the public one that wants to know nobody."""

from __future__ import annotations

import pytest

from imagelock.errors import AuthenticationError, RegistryError
from imagelock.model.reference import parse_reference, parse_repository
from tests.support.fake_registry.answers import Answer, in_turn, json_answer, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, redirect, with_tokens_at
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

ACR, MCR = "team.azurecr.io", "mcr.microsoft.com"
CHALLENGE = f'{challenge(f"https://{ACR}/oauth2/token", ACR)},error="invalid_token"'
REFERENCE = parse_reference(f"{ACR}/app:1")
NOBODY = "00000000-0000-0000-0000-000000000000"


def test_azures_helper_and_login_leave_an_identity_token_that_is_exchanged_by_post(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(login="no:way", identity_token="refresh")  # noqa: S106  a fake
    internet = internet_of(
        {ACR: with_tokens_at("/oauth2/token", tokens, holding("app", tokens=tokens, challenge=CHALLENGE))}
    )
    entry = {"auth": "MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==", "identitytoken": "refresh"}
    client_of(internet, auths={ACR: entry}).fetch_manifest(REFERENCE)
    exchange = internet.requests[1]
    assert (exchange.method, exchange.url.target, exchange.authorization) == ("POST", "/oauth2/token", "")
    assert b"grant_type=refresh_token&refresh_token=refresh&" in exchange.form


def test_azures_token_server_explains_itself_under_another_key(internet_of: InternetOf) -> None:
    registry = holding("app", tokens=FakeTokenServer(), challenge=CHALLENGE)
    wrong = json_answer({"details": "incorrect username or password"}, status=401)
    internet = internet_of({ACR: lambda request: wrong if request.url.path == "/oauth2/token" else registry(request)})
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet, logins={ACR: f"{NOBODY}:stale"}).fetch_manifest(REFERENCE)
    assert raised.value.details == (
        "asked with the credentials from DOCKER_AUTH_CONFIG",
        f"{ACR} answered 401",
        "it said: incorrect username or password",
    )


@pytest.mark.parametrize(
    "body",
    [{"detail": "the key is expired"}, {"title": "the key is expired"}, {"error": {"reason": "the key is expired"}}],
)
def test_a_reason_in_place_of_a_token_is_told_whatever_its_key(internet_of: InternetOf, body: object) -> None:
    registry = holding("app", tokens=FakeTokenServer(), challenge=CHALLENGE)
    wrong = json_answer(body)
    internet = internet_of({ACR: lambda request: wrong if request.url.path == "/oauth2/token" else registry(request)})
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet, logins={ACR: f"{NOBODY}:stale"}).fetch_manifest(REFERENCE)
    assert raised.value.details[1:] == (f"{ACR} answered 200", "it said: the key is expired")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Answer(status=404, chunks=[b"<html><title>Not\n here</title></html>"]), "Not here"),
        (refusal(404, "MANIFEST_UNKNOWN", "manifest unknown"), "MANIFEST_UNKNOWN: manifest unknown"),
    ],
)
def test_a_missing_token_server_is_no_missing_image(internet_of: InternetOf, page: Answer, words: str) -> None:
    registry = holding("app", tokens=FakeTokenServer(), challenge=CHALLENGE)
    internet = internet_of({ACR: lambda request: page if request.url.path == "/oauth2/token" else registry(request)})
    with pytest.raises(RegistryError) as raised:
        client_of(internet).fetch_manifest(REFERENCE)
    assert raised.value.message == f"{ACR} refused a token for {ACR}/app:1"
    assert raised.value.details == (f"{ACR} answered 404", f"it said: {words}")


def test_azure_wants_to_hear_that_oci_is_understood(internet_of: InternetOf) -> None:
    registry = holding("app")

    def answer(request: Request) -> Answer:
        if IMAGE.media_type in request.headers.get("accept"):
            return registry(request)
        return refusal(404, "MANIFEST_UNKNOWN", "OCI manifest found, but accept header does not support OCI manifests")

    assert client_of(internet_of({ACR: answer})).fetch_manifest(REFERENCE).body == IMAGE.body


def test_azures_pages_have_a_thousand_tags_whatever_is_asked_for(internet_of: InternetOf) -> None:
    registry = holding("app")
    registry.tags["app"] = [f"{number:05}" for number in range(2100)]
    assert len(client_of(internet_of({ACR: registry})).list_tags(parse_repository(f"{ACR}/app"))) == 2100


def test_the_public_registry_wants_no_token(internet_of: InternetOf) -> None:
    internet = internet_of({MCR: holding("dotnet/sdk")})
    client_of(internet, logins={MCR: "me:secret"}).fetch_manifest(parse_reference(f"{MCR}/dotnet/sdk:1"))
    assert [request.authorization for request in internet.requests] == [""]


def test_the_public_registry_lists_thousands_of_tags_on_one_page(internet_of: InternetOf) -> None:
    tags = [f"8.0.{number}-jammy" for number in range(12_000)]
    internet = internet_of({MCR: lambda _: json_answer({"name": "dotnet/sdk", "tags": tags})})
    assert client_of(internet).list_tags(parse_repository(f"{MCR}/dotnet/sdk")) == tuple(tags)
    assert len(internet.requests) == 1


def test_the_public_registry_hands_out_blobs_elsewhere(internet_of: InternetOf) -> None:
    data = "westeurope.data.mcr.microsoft.com"
    moved = redirect(f"https://{data}/abc?sig=secret&regid=1")
    internet = internet_of({MCR: moved, data: lambda _: Answer(chunks=[IMAGE.body])})
    pinned = parse_reference(f"{MCR}/dotnet/sdk@{IMAGE.digest}")
    assert client_of(internet).fetch_manifest(pinned).body == IMAGE.body


def test_the_public_registry_is_given_time_under_load(internet_of: InternetOf) -> None:
    busy = Answer(status=429, headers={"Retry-After": "3"})
    setup = Setup(internet=internet_of({MCR: in_turn(busy, holding("dotnet/sdk"))}))
    assert setup.client().fetch_manifest(parse_reference(f"{MCR}/dotnet/sdk:1")).body == IMAGE.body
    assert setup.clock.sleeps == [3.0]

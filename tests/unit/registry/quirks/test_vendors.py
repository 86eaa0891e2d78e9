"""Registries of vendors: Chainguard, NVIDIA, Red Hat, Elastic."""

from __future__ import annotations

import gzip

import pytest

from imagelock.errors import AuthenticationError, ImageNotFoundError, TemporaryError
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, with_tokens_at, without_headers
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

CHAINGUARD = parse_reference("cgr.dev/chainguard/python:1")
NVIDIA = parse_reference("nvcr.io/nvidia/cuda:1")
UBI = parse_reference("registry.access.redhat.com/ubi9/ubi:1")


def test_chainguard_has_a_tag_for_each_build_and_all_are_read(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = holding("chainguard/python", tokens=tokens)
    registry.tags["chainguard/python"] = [f"3.12.{number}-r{number}" for number in range(3500)]
    internet = internet_of({"cgr.dev": with_tokens_at("/token", tokens, registry)})
    assert len(client_of(internet).list_tags(CHAINGUARD.repository)) == 3500
    assert len(internet.requests) == 1 + 4


@pytest.mark.parametrize(("status", "error"), [(403, AuthenticationError), (404, ImageNotFoundError)])
def test_chainguard_keeps_some_tags_for_its_customers(
    internet_of: InternetOf, status: int, error: type[Exception]
) -> None:
    tokens = FakeTokenServer()
    internet = internet_of({"cgr.dev": with_tokens_at("/token", tokens, lambda _: refusal(status, "X", "not yours"))})
    with pytest.raises(error):
        client_of(internet).fetch_manifest(CHAINGUARD)


def test_chainguard_deletes_what_no_tag_names(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    internet = internet_of({"cgr.dev": with_tokens_at("/token", tokens, holding("chainguard/other", tokens=tokens))})
    with pytest.raises(ImageNotFoundError):
        client_of(internet).fetch_digest(parse_reference(f"cgr.dev/chainguard/python:1@{IMAGE.digest}"))


def test_nvidia_names_a_token_server_without_service_and_serves_everybody(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = holding("nvidia/cuda", tokens=tokens, challenge=challenge("https://nvcr.io/proxy_auth"))
    internet = internet_of({"nvcr.io": with_tokens_at("/proxy_auth", tokens, registry)})
    client_of(internet).fetch_manifest(NVIDIA)
    assert internet.log()[1] == "GET nvcr.io/proxy_auth?scope=repository:nvidia/cuda:pull&client_id=imagelock"


def test_nvidia_names_another_token_server_once_a_token_has_expired(internet_of: InternetOf) -> None:
    """The first one stays: the other one wants another login."""
    tokens, other = FakeTokenServer(lifetime_seconds=600), FakeTokenServer(login="nobody:knows")
    registry = holding("nvidia/cuda", tokens=tokens, challenge=challenge("https://nvcr.io/proxy_auth"))
    internet = internet_of({"nvcr.io": with_tokens_at("/proxy_auth", tokens, registry), "authn.nvidia.com": other})
    setup = Setup(internet=internet)
    client = setup.client()
    client.fetch_manifest(NVIDIA)
    tokens.issued.clear()
    registry.challenge = challenge("https://authn.nvidia.com/token", "ngc")
    setup.clock.seconds += 400
    assert client.fetch_manifest(NVIDIA).body == IMAGE.body
    assert (len(tokens.questions), other.questions) == (2, [])


def test_nvidia_has_a_user_name_of_its_own(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(login="$oauthtoken:nvapi-key")
    registry = holding("nvidia/cuda", tokens=tokens, challenge=challenge("https://nvcr.io/proxy_auth"))
    internet = internet_of({"nvcr.io": with_tokens_at("/proxy_auth", tokens, registry)})
    client_of(internet, logins={"nvcr.io": "$oauthtoken:nvapi-key"}).fetch_manifest(NVIDIA)
    assert len(tokens.issued) == 1


def test_nvidias_failures_are_web_pages_of_which_nothing_is_shown(internet_of: InternetOf) -> None:
    page = Answer(
        status=503, headers={"Content-Type": "text/html"}, chunks=[b"<html><h1>Service Unavailable</h1></html>"]
    )
    setup = Setup(internet=internet_of({"nvcr.io": lambda _: page}))
    with pytest.raises(TemporaryError) as raised:
        setup.client().fetch_manifest(NVIDIA)
    assert raised.value.details == ("nvcr.io answered 503",)


def test_red_hat_serves_schema_1_to_who_does_not_ask_for_better(internet_of: InternetOf) -> None:
    registry = without_headers(holding("ubi9/ubi"), "docker-content-digest", "content-length")

    def answer(request: Request) -> Answer:
        if IMAGE.media_type not in request.headers.get("accept"):
            return Answer(headers={"Content-Type": "text/plain"}, chunks=[b'{"schemaVersion": 1}'])
        answered = registry(request)
        packed = gzip.compress(b"".join(answered.chunks))
        return Answer(headers={"Content-Type": "text/plain", "Content-Encoding": "gzip"}, chunks=[packed])

    fetched = client_of(internet_of({"registry.access.redhat.com": answer})).fetch_manifest(UBI)
    assert (str(fetched.digest), fetched.body) == (IMAGE.digest, IMAGE.body)


def test_red_hat_says_unknown(internet_of: InternetOf) -> None:
    internet = internet_of({"registry.access.redhat.com": lambda _: refusal(404, "UNKNOWN", "Not Found")})
    with pytest.raises(ImageNotFoundError) as raised:
        client_of(internet).fetch_manifest(UBI)
    assert raised.value.details == ("registry.access.redhat.com answered 404", "it said: UNKNOWN: Not Found")


def test_red_hats_other_registry_wants_a_login(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(login="me:secret")
    registry = holding(
        "ubi9/ubi", tokens=tokens, challenge=challenge("https://registry.redhat.io/auth/realms/rhcc", "docker-registry")
    )
    internet = internet_of({"registry.redhat.io": with_tokens_at("/auth/realms/rhcc", tokens, registry)})
    reference = parse_reference("registry.redhat.io/ubi9/ubi:1")
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet).fetch_manifest(reference)
    assert raised.value.hint == "check the spelling, or run `docker login registry.redhat.io`"
    assert client_of(internet, logins={"registry.redhat.io": "me:secret"}).fetch_manifest(reference).body == IMAGE.body


def test_elastics_token_server_has_another_name(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = holding(
        "kibana/kibana", tokens=tokens, challenge=challenge("https://docker-auth.elastic.co/auth", "token-service")
    )
    internet = internet_of({"docker.elastic.co": registry, "docker-auth.elastic.co": tokens})
    client_of(internet).fetch_manifest(parse_reference("docker.elastic.co/kibana/kibana:1"))
    assert len(tokens.issued) == 1

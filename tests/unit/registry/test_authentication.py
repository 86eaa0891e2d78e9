"""The conversation about who we are, request by request."""

from __future__ import annotations

import base64

import pytest

from imagelock.errors import AuthenticationError, InvalidContentError
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, in_turn, refusal
from tests.support.fake_registry.bearer_hosts import IMAGE, A, B, bearer_internet
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer


def test_an_open_registry_is_asked_once() -> None:
    registry = FakeRegistry()
    registry.push("team/a", IMAGE)
    internet = FakeInternet({"reg.example": registry})
    fetched = client_of(internet).fetch_manifest(A)
    assert (str(fetched.digest), fetched.body) == (IMAGE.digest, IMAGE.body)
    assert internet.log() == ["GET reg.example/v2/team/a/manifests/1"]


def test_an_unknown_token_registry_costs_three_requests() -> None:
    internet = bearer_internet(FakeTokenServer())
    client_of(internet).fetch_manifest(A)
    assert internet.log() == [
        "GET reg.example/v2/team/a/manifests/1",
        "GET auth.example/token?service=reg&scope=repository:team/a:pull&client_id=imagelock",
        "GET reg.example/v2/team/a/manifests/1",
    ]


def test_connections_are_begun_before_the_first_question() -> None:
    internet = FakeInternet({})
    client_of(internet).prepare([parse_reference("alpine:3.20").repository, parse_reference("python:3").repository])
    assert internet.early == [("https://registry-1.docker.io", 2), ("https://auth.docker.io", 1)]


def test_what_was_known_wrongly_costs_requests_and_no_failure() -> None:
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens, challenge='Bearer realm="https://new.example/token",service="new"')
    registry.push("team/a", IMAGE)
    gone = refusal(404, "NOT_FOUND", "no such page")
    internet = FakeInternet({"quay.io": in_turn(gone, registry), "new.example": tokens})
    client_of(internet).fetch_manifest(parse_reference("quay.io/team/a:1"))
    assert [request.origin.host for request in internet.requests] == ["quay.io", "quay.io", "new.example", "quay.io"]


def test_a_login_gets_the_token() -> None:
    tokens = FakeTokenServer(login="me:secret")
    internet = bearer_internet(tokens)
    client_of(internet, logins={"reg.example": "me:secret"}).fetch_manifest(A)
    assert [bool(request.authorization) for request in internet.requests] == [False, True, True]


def test_a_refused_login_is_tried_once_in_a_run() -> None:
    tokens = FakeTokenServer(login="me:secret")
    internet = bearer_internet(tokens)
    client = client_of(internet, logins={"reg.example": "me:wrong"})
    for reference in (A, B):
        with pytest.raises(AuthenticationError) as raised:
            client.fetch_manifest(reference)
    assert len(tokens.questions) == 1
    assert raised.value.message == "reg.example/team/b:1 does not exist or needs a login"
    assert raised.value.details == (
        "asked with the credentials from DOCKER_AUTH_CONFIG",
        "auth.example answered 401",
        "it said: UNAUTHORIZED: incorrect username or password",
    )
    assert raised.value.hint == (
        "check the spelling, or run `docker login reg.example` again, or use --anonymous for public images"
    )


def test_a_refused_password_is_sent_once_in_a_run() -> None:
    registry = FakeRegistry(login="me:secret")
    internet = FakeInternet({"reg.example": registry})
    client = client_of(internet, logins={"reg.example": "me:wrong"})
    for reference in (A, B):
        with pytest.raises(AuthenticationError):
            client.fetch_manifest(reference)
    assert len([request for request in internet.requests if request.authorization]) == 1


def test_a_password_is_sent_at_once_to_a_host_that_is_known_to_want_it() -> None:
    registry = FakeRegistry(login="me:secret")
    registry.push("team/a", IMAGE)
    registry.push("team/b", IMAGE)
    internet = FakeInternet({"reg.example": registry})
    client = client_of(internet, logins={"reg.example": "me:secret"})
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert [bool(request.authorization) for request in internet.requests] == [False, True, True]


def test_an_identity_token_is_exchanged_by_post() -> None:
    tokens = FakeTokenServer(login="nobody:knows", identity_token="long-lived")  # noqa: S106  a fake
    internet = bearer_internet(tokens)
    client_of(internet, auths={"reg.example": {"identitytoken": "long-lived"}}).fetch_manifest(A)
    exchange = internet.requests[1]
    assert (exchange.method, exchange.form) == (
        "POST",
        (
            b"grant_type=refresh_token&refresh_token=long-lived&client_id=imagelock&service=reg"
            b"&scope=repository%3Ateam%2Fa%3Apull"
        ),
    )


@pytest.mark.parametrize("status", [400, 401, 404, 405])
def test_a_login_beside_an_identity_token_serves_where_none_is_exchanged(status: int) -> None:
    """Artifactory answers 401 to every exchange."""
    tokens = FakeTokenServer(login="me:secret")
    internet = bearer_internet(tokens)
    internet.hosts["auth.example"] = lambda request: (
        refusal(status, "UNSUPPORTED", "no") if request.method == "POST" else tokens(request)
    )
    auths = {"reg.example": {"identitytoken": "long-lived", "auth": base64.b64encode(b"me:secret").decode()}}
    client_of(internet, auths=auths).fetch_manifest(A)
    assert [request.method for request in internet.asked("auth.example")] == ["POST", "GET"]


def test_a_login_beside_an_identity_token_is_what_a_registry_without_tokens_wants() -> None:
    registry = FakeRegistry(login="me:secret")
    registry.push("team/a", IMAGE)
    auths = {"reg.example": {"identitytoken": "long-lived", "auth": base64.b64encode(b"me:secret").decode()}}
    fetched = client_of(FakeInternet({"reg.example": registry}), auths=auths).fetch_manifest(A)
    assert str(fetched.digest) == IMAGE.digest


def test_a_registry_token_is_used_as_it_is() -> None:
    tokens = FakeTokenServer(issued={"given": frozenset({"repository:team/a:pull"})})
    internet = bearer_internet(tokens)
    client_of(internet, auths={"reg.example": {"registrytoken": "given"}}).fetch_manifest(A)
    assert tokens.questions == []


def test_anonymous_looks_for_no_credentials() -> None:
    tokens = FakeTokenServer()
    internet = bearer_internet(tokens)
    client_of(internet, logins={"reg.example": "me:secret"}, anonymous=True).fetch_manifest(A)
    assert "Basic" not in "".join(request.authorization for request in internet.requests)


def test_a_registry_without_challenge_is_not_asked_again() -> None:
    internet = FakeInternet({"reg.example": lambda _: refusal(401, "UNAUTHORIZED", "go away")})
    with pytest.raises(AuthenticationError):
        client_of(internet, logins={"reg.example": "me:secret"}).fetch_manifest(A)
    assert len(internet.requests) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"details":"incorrect username or password"}', "it said: incorrect username or password"),
        (b'{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}', "it said: UNAUTHORIZED: no"),
        (b'{"error":"invalid_grant","token":""}', "it said: invalid_grant"),
        (b'{"error":{"code":"X","message":"nested"},"access_token":null}', "it said: X: nested"),
    ],
)
def test_a_reason_in_place_of_a_token_is_a_refusal_whatever_its_status(body: bytes, words: str) -> None:
    internet = bearer_internet(FakeTokenServer())
    internet.hosts["auth.example"] = lambda _: Answer(chunks=[body])
    client = client_of(internet, logins={"reg.example": "me:secret"})
    for reference in (A, B):
        with pytest.raises(AuthenticationError) as raised:
            client.fetch_manifest(reference)
        assert words in raised.value.details
        assert "auth.example answered 200" in raised.value.details
    assert len(internet.asked("auth.example")) == 1, "a login that was refused is not sent again"


def test_what_is_no_answer_of_a_token_server_is_repeated() -> None:
    internet = bearer_internet(FakeTokenServer())
    internet.hosts["auth.example"] = lambda _: Answer(chunks=[b"the directory is down for maintenance"])
    with pytest.raises(InvalidContentError) as raised:
        client_of(internet).fetch_manifest(A)
    assert raised.value.details == ("it said: the directory is down for maintenance",)


def test_a_token_server_may_redirect_within_its_origin() -> None:
    """Pulp redirects ``/token`` to ``/token/``."""
    tokens = FakeTokenServer(login="me:secret")
    internet = bearer_internet(tokens)

    def answer(request: Request) -> Answer:
        if request.url.path == "/token":
            return Answer(status=301, headers={"Location": f"/token/?{request.url.query}"})
        return tokens(request)

    internet.hosts["auth.example"] = answer
    client_of(internet, logins={"reg.example": "me:secret"}).fetch_manifest(A)
    assert [bool(request.authorization) for request in internet.asked("auth.example")] == [True, True]
    assert tokens.questions == [("repository:team/a:pull",)]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_an_identity_token_follows_within_the_origin(status: int) -> None:
    tokens = FakeTokenServer(identity_token="long-lived")  # noqa: S106
    internet = bearer_internet(tokens)
    internet.hosts["auth.example"] = lambda request: (
        Answer(status=status, headers={"Location": "/token/"}) if request.url.path == "/token" else tokens(request)
    )
    client_of(internet, auths={"reg.example": {"identitytoken": "long-lived"}}).fetch_manifest(A)
    assert [request.method for request in internet.asked("auth.example")] == ["POST", "POST"]


@pytest.mark.parametrize(
    "location", ["https://auth.example:8443/token", "http://auth.example/token", "//evil.example/"]
)
def test_a_token_server_leads_to_no_other_origin(location: str) -> None:
    internet = bearer_internet(FakeTokenServer())
    internet.hosts["auth.example"] = lambda _: Answer(status=301, headers={"Location": location})
    with pytest.raises(InvalidContentError):
        client_of(internet, logins={"reg.example": "me:secret"}).fetch_manifest(A)
    assert {request.origin.host_and_port for request in internet.requests} == {"reg.example", "auth.example"}


def test_a_token_server_that_redirects_in_a_circle_is_left() -> None:
    internet = bearer_internet(FakeTokenServer())
    internet.hosts["auth.example"] = lambda _: Answer(status=301, headers={"Location": "/token"})
    with pytest.raises(InvalidContentError, match="redirects more than 5 times"):
        client_of(internet).fetch_manifest(A)

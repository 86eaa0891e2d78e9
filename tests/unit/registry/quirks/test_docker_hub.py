"""Docker Hub: pulls are counted, logins are locked, and other hosts look like it."""

from __future__ import annotations

import pytest

from imagelock.errors import AuthenticationError, TemporaryError
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, in_turn, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

ALPINE, PYTHON = parse_reference("alpine:3.20"), parse_reference("python:3")
HUB, AUTH = "registry-1.docker.io", "auth.docker.io"
LOGIN = {"https://index.docker.io/v1/": "me:secret"}
QUOTA = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600", "Docker-RateLimit-Source": "192.0.2.1"}
SPENT = refusal(429, "TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit.").adding(QUOTA)


def hub(tokens: FakeTokenServer) -> FakeRegistry:
    return holding("library/alpine", "library/python", tokens=tokens, challenge=challenge(f"https://{AUTH}/token"))


def test_it_is_known_without_asking_and_one_token_serves_every_repository(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = holding("library/alpine", tag="3.20", tokens=tokens)
    registry.push("library/python", IMAGE, tag="3")
    internet = internet_of({HUB: registry, AUTH: tokens})
    client = client_of(internet)
    client.prepare([ALPINE.repository, PYTHON.repository])
    for reference in (ALPINE, PYTHON):
        client.fetch_manifest(reference)
    assert internet.log() == [
        (
            f"GET {AUTH}/token?service=registry.docker.io&scope=repository:library/alpine:pull"
            "&scope=repository:library/python:pull&client_id=imagelock"
        ),
        f"GET {HUB}/v2/library/alpine/manifests/3.20",
        f"GET {HUB}/v2/library/python/manifests/3",
    ]


def test_a_recheck_is_no_pull(internet_of: InternetOf) -> None:
    internet = internet_of({HUB: hub(tokens := FakeTokenServer()), AUTH: tokens})
    assert str(client_of(internet).fetch_digest(parse_reference("alpine:1"))) == IMAGE.digest
    assert [request.method for request in internet.asked(HUB)] == ["HEAD"]


@pytest.mark.parametrize(
    ("logins", "who", "hint"),
    [
        ({}, "asked without a login", "run `docker login`: an account has a larger quota"),
        (LOGIN, "asked with the credentials from DOCKER_AUTH_CONFIG", "wait until the quota resets"),
    ],
    ids=["nobody", "somebody"],
)
def test_a_spent_quota_is_told_and_not_waited_for(
    internet_of: InternetOf, logins: dict[str, str], who: str, hint: str
) -> None:
    internet = internet_of({HUB: lambda _: SPENT, AUTH: FakeTokenServer()})
    setup = Setup(internet=internet, logins=logins)
    with pytest.raises(TemporaryError) as raised:
        setup.client().fetch_manifest(ALPINE)
    assert setup.clock.sleeps == []
    assert (
        raised.value.message == "the pull quota of docker.io is used up; docker.io/library/alpine:3.20 was not served"
    )
    assert raised.value.details == (
        who,
        "0 of 100 pulls are left, counted over 6 hours",
        f"{HUB} answered 429",
        "it said: TOOMANYREQUESTS: You have reached your unauthenticated pull rate limit.",
    )
    assert raised.value.hint == hint


@pytest.mark.parametrize("text", [b"429 Too Many Requests", b"Too Many Requests (HAP429)"])
def test_a_limit_on_haste_is_waited_for(internet_of: InternetOf, text: bytes) -> None:
    tokens = FakeTokenServer()
    haste = Answer(status=429, chunks=[text], headers={"Content-Type": "text/plain"})
    internet = internet_of({HUB: in_turn(haste, hub(tokens)), AUTH: tokens})
    setup = Setup(internet=internet)
    assert setup.client().fetch_manifest(parse_reference("alpine:1")).body == IMAGE.body
    assert len(setup.clock.sleeps) == 1


def test_a_refused_login_is_never_repeated_since_many_lock_the_account(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(login="me:other")
    internet = internet_of({HUB: hub(tokens), AUTH: tokens})
    client = client_of(internet, logins=LOGIN)
    for reference in (ALPINE, PYTHON):
        with pytest.raises(AuthenticationError) as raised:
            client.fetch_manifest(reference)
        assert raised.value.hint == (
            "check the spelling, or run `docker login` again, or use --anonymous for public images"
        )
    assert [bool(request.authorization) for request in internet.asked(AUTH)] == [True]


def test_a_locked_account_is_too_many_requests_of_the_token_server(internet_of: InternetOf) -> None:
    locked = Answer(status=429, chunks=[b"too many failed login attempts"], headers={"Retry-After": "600"})
    internet = internet_of({HUB: hub(FakeTokenServer()), AUTH: lambda _: locked})
    setup = Setup(internet=internet, logins=LOGIN)
    with pytest.raises(TemporaryError) as raised:
        setup.client().fetch_manifest(ALPINE)
    assert raised.value.details == (
        f"{AUTH} answered 429",
        "it said: too many failed login attempts",
        "retry after 600 seconds",
    )
    assert setup.clock.sleeps == []


def test_hardened_images_do_not_use_the_login_of_docker_hub(internet_of: InternetOf) -> None:
    internet = internet_of({"dhi.io": FakeRegistry(login="me:secret")})
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet, logins=LOGIN).fetch_manifest(parse_reference("dhi.io/node:1"))
    assert raised.value.hint == "check the spelling, or run `docker login dhi.io`"
    assert not [request for request in internet.requests if request.authorization]


def test_its_undocumented_name_has_the_same_token_server_and_no_login_of_its_own(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    internet = internet_of({"registry.docker.com": hub(tokens), AUTH: tokens})
    fetched = client_of(internet, logins=LOGIN).fetch_manifest(parse_reference("registry.docker.com/library/alpine:1"))
    assert str(fetched.digest) == IMAGE.digest
    assert not [request for request in internet.requests if request.authorization.startswith("Basic")]

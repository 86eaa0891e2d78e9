"""Amazon: ECR with its passwords of 12 hours, its pull-through caches, and ECR Public."""

from __future__ import annotations

import base64

import pytest

from imagelock.errors import ImageNotFoundError
from imagelock.model.reference import parse_reference, parse_repository
from tests.support.fake_registry.answers import Answer, in_turn, json_answer, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, with_tokens_at, without_headers
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
PASSWORD = base64.b64encode(b"x" * 3000).decode()
LOGIN = {ECR: f"AWS:{PASSWORD}"}
PUBLIC = "public.ecr.aws"
ALPINE = parse_reference(f"{PUBLIC}/docker/library/alpine:1")


def ecr(*paths: str) -> FakeRegistry:
    return holding(*paths, login=f"AWS:{PASSWORD}", basic_realm=f'https://{ECR}/",service="ecr.amazonaws.com')


def test_its_long_password_is_asked_for_once_and_then_sent_at_once(internet_of: InternetOf) -> None:
    internet = internet_of({ECR: ecr("team/a", "team/b")})
    client = client_of(internet, logins=LOGIN)
    for name in ("a", "b"):
        client.fetch_manifest(parse_reference(f"{ECR}/team/{name}:1"))
    assert [bool(request.authorization) for request in internet.requests] == [False, True, True]


def test_its_pages_of_a_hundred_are_followed_and_no_more_than_it_allows_is_asked_for(internet_of: InternetOf) -> None:
    registry = ecr("team/a")
    registry.tags["team/a"] = [f"{number:04}" for number in range(2500)]

    def answer(request: Request) -> Answer:
        if int(dict(request.url.parameters).get("n", "100")) > 1000:
            return refusal(405, "UNSUPPORTED", "Member must have value less than or equal to 1000")
        return registry(request)

    internet = internet_of({ECR: answer})
    assert len(client_of(internet, logins=LOGIN).list_tags(parse_repository(f"{ECR}/team/a"))) == 2500
    assert len(internet.requests) == 1 + 3


def test_a_missing_repository_comes_without_detail(internet_of: InternetOf) -> None:
    internet = internet_of({ECR: ecr("team/a")})
    with pytest.raises(ImageNotFoundError) as raised:
        client_of(internet, logins=LOGIN).fetch_manifest(parse_reference(f"{ECR}/team/missing:1"))
    assert raised.value.details == (f"{ECR} answered 404", "it said: NAME_UNKNOWN: repository unknown")


def test_it_may_leave_out_the_digest(internet_of: InternetOf) -> None:
    internet = internet_of({ECR: without_headers(holding("team/a"), "docker-content-digest")})
    client = client_of(internet)
    reference = parse_reference(f"{ECR}/team/a:1")
    assert str(client.fetch_manifest(reference).digest) == IMAGE.digest
    assert str(client.fetch_digest(reference)) == IMAGE.digest
    assert [request.method for request in internet.requests] == ["GET", "HEAD", "GET"]


def test_a_pull_through_cache_knows_a_digest_after_its_tag_was_asked_for(internet_of: InternetOf) -> None:
    """Locking asks for the tag, so that what it locked can be pulled by digest afterwards."""
    registry, imported = holding("docker-hub/library/alpine"), set[str]()

    def answer(request: Request) -> Answer:
        name = request.url.path.rpartition("/")[2]
        if name.startswith("sha256:") and name not in imported:
            return refusal(404, "MANIFEST_UNKNOWN", "Requested image not found")
        imported.add(IMAGE.digest)
        return registry(request)

    client = client_of(internet_of({ECR: answer}))
    pinned = parse_reference(f"{ECR}/docker-hub/library/alpine:1@{IMAGE.digest}")
    with pytest.raises(ImageNotFoundError):
        client.fetch_manifest(pinned)
    client.fetch_manifest(parse_reference(f"{ECR}/docker-hub/library/alpine:1"))
    assert str(client.fetch_manifest(pinned).digest) == IMAGE.digest


def test_its_public_registry_is_known_without_asking(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = holding("docker/library/alpine", tokens=tokens)
    internet = internet_of({PUBLIC: with_tokens_at("/token/", tokens, registry)})
    client_of(internet).fetch_manifest(ALPINE)
    assert internet.log() == [
        f"GET {PUBLIC}/token/?service={PUBLIC}&scope=repository:docker/library/alpine:pull&client_id=imagelock",
        f"GET {PUBLIC}/v2/docker/library/alpine/manifests/1",
    ]


def test_its_public_registry_refuses_an_expired_token_with_400_and_no_challenge(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(lifetime_seconds=3600)
    registry = holding("docker/library/alpine", tokens=tokens, challenge=challenge(f"https://{PUBLIC}/token/", PUBLIC))

    def answer(request: Request) -> Answer:
        answered = registry(request)
        expired = json_answer({"errors": [{"code": "DENIED", "message": "Your authorization token has expired."}]})
        return Answer(status=400, chunks=expired.chunks) if answered.status == 401 else answered

    setup = Setup(internet=internet_of({PUBLIC: with_tokens_at("/token/", tokens, answer)}))
    client = setup.client()
    client.fetch_manifest(ALPINE)
    tokens.issued.clear()
    setup.clock.seconds += 3000
    assert client.fetch_manifest(ALPINE).body == IMAGE.body
    assert len(tokens.questions) == 2


def test_its_public_registry_is_given_the_time_that_it_wants(internet_of: InternetOf) -> None:
    haste = refusal(429, "TOOMANYREQUESTS", "Rate exceeded")
    setup = Setup(
        internet=internet_of({PUBLIC: in_turn(json_answer({"token": "x"}), haste, holding("docker/library/alpine"))})
    )
    assert setup.client().fetch_manifest(ALPINE).body == IMAGE.body
    assert len(setup.clock.sleeps) == 1

"""Harbor: batches by its service's name, short-lived tokens, robots, and proxies of other registries."""

from __future__ import annotations

import pytest

from imagelock.errors import AuthenticationError, ImageNotFoundError
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, Handler, in_turn, json_answer, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, with_tokens_at
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

HARBOR = "harbor.example"
A, B = parse_reference(f"{HARBOR}/project/a:1"), parse_reference(f"{HARBOR}/project/b:1")


def harbor(tokens: FakeTokenServer, *paths: str) -> Handler:
    registry = holding(*paths, tokens=tokens, challenge=challenge(f"https://{HARBOR}/service/token", "harbor-registry"))
    return with_tokens_at("/service/token", tokens, registry)


def test_one_token_serves_every_project(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    client = client_of(internet_of({HARBOR: harbor(tokens, "project/a", "project/b")}))
    client.prepare([A.repository, B.repository])
    for reference in (A, B):
        client.fetch_manifest(reference)
    assert tokens.questions == [("repository:project/a:pull", "repository:project/b:pull")]


def test_a_name_without_project_spoils_the_batch_and_nothing_else(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = harbor(tokens, "project/a", "project/b")

    def answer(request: Request) -> Answer:
        if "repository:single:pull" in request.url.query:
            return refusal(400, "BAD_REQUEST", "invalid repository name")
        return registry(request)

    client = client_of(internet_of({HARBOR: answer}))
    client.prepare([A.repository, B.repository, parse_reference(f"{HARBOR}/single:1").repository])
    assert [client.fetch_manifest(reference).body for reference in (A, B)] == [IMAGE.body, IMAGE.body]


def test_a_missing_repository_has_no_tags(internet_of: InternetOf) -> None:
    internet = internet_of({HARBOR: lambda _: json_answer({"name": "project/x", "tags": None})})
    assert client_of(internet).list_tags(A.repository) == ()


def test_a_missing_repository_of_another_version_is_missing(internet_of: InternetOf) -> None:
    internet = internet_of({HARBOR: lambda _: refusal(404, "NOT_FOUND", "repository project/a not found")})
    with pytest.raises(ImageNotFoundError) as raised:
        client_of(internet).list_tags(A.repository)
    assert raised.value.details == (f"{HARBOR} answered 404", "it said: NOT_FOUND: repository project/a not found")


def test_a_registry_that_refuses_its_own_young_tokens_is_not_asked_for_ever(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(lifetime_seconds=60, grants=lambda _: ())
    internet = internet_of({HARBOR: harbor(tokens, "project/a")})
    with pytest.raises(AuthenticationError):
        client_of(internet).fetch_manifest(A)
    assert len(internet.requests) <= 5


def test_a_robots_name_has_a_dollar_and_a_plus(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(login="robot$project+ci:s3cret")
    internet = internet_of({HARBOR: harbor(tokens, "project/a")})
    client_of(internet, logins={HARBOR: "robot$project+ci:s3cret"}).fetch_manifest(A)
    assert len(tokens.issued) == 1


def test_a_private_project_refuses_what_is_missing_in_it(internet_of: InternetOf) -> None:
    denied = refusal(401, "UNAUTHORIZED", "unauthorized to access repository: project/a, action: pull")
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet_of({HARBOR: lambda _: denied})).fetch_manifest(A)
    assert raised.value.message == f"{A} does not exist or needs a login"


def test_the_length_that_head_announces_is_not_compared(internet_of: InternetOf) -> None:
    registry = holding("project/a")

    def answer(request: Request) -> Answer:
        answered = registry(request)
        return answered.adding({"Content-Length": "7"}) if request.method == "HEAD" else answered

    client = client_of(internet_of({HARBOR: answer}))
    assert str(client.fetch_digest(A)) == IMAGE.digest
    assert client.fetch_manifest(A).body == IMAGE.body


def test_a_proxy_project_has_docker_hubs_whole_names(internet_of: InternetOf) -> None:
    internet = internet_of({HARBOR: holding("hub/library/alpine")})
    client_of(internet).fetch_manifest(parse_reference(f"{HARBOR}/hub/library/alpine:1"))
    assert internet.log() == [f"GET {HARBOR}/v2/hub/library/alpine/manifests/1"]


def test_a_proxy_that_fails_to_reach_its_source_may_do_so_soon(internet_of: InternetOf) -> None:
    setup = Setup(internet=internet_of({HARBOR: in_turn(Answer(status=502), holding("project/a"))}))
    assert setup.client().fetch_manifest(A).body == IMAGE.body

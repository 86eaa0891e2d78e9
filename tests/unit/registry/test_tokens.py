"""Tokens: for how many repositories, for whom, and how long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from imagelock.errors import AuthenticationError
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, in_turn, refusal
from tests.support.fake_registry.bearer_hosts import CHALLENGE, IMAGE, A, B, bearer_internet
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer


def test_a_token_is_fetched_for_each_repository_where_batches_are_unknown() -> None:
    tokens = FakeTokenServer()
    client = client_of(bearer_internet(tokens))
    client.prepare([A.repository, B.repository])
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert tokens.questions == [("repository:team/a:pull",), ("repository:team/b:pull",)]


def test_one_token_serves_all_repositories_of_a_distribution_registry() -> None:
    tokens = FakeTokenServer()
    internet = bearer_internet(tokens, names_access=True)
    client = client_of(internet)
    client.prepare([A.repository, B.repository])
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert tokens.questions == [("repository:team/a:pull", "repository:team/b:pull")]
    assert len(internet.requests) == 4


def test_a_token_that_is_for_less_than_it_was_asked_for_is_completed_alone() -> None:
    tokens = FakeTokenServer(grants=lambda scopes: scopes[-1:])
    internet = bearer_internet(tokens, names_access=True)
    client = client_of(internet)
    client.prepare([A.repository, B.repository])
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert tokens.questions == [
        ("repository:team/a:pull", "repository:team/b:pull"),
        ("repository:team/a:pull",),
    ]


def test_an_opaque_token_that_is_for_less_is_found_out_by_the_refusal() -> None:
    tokens = FakeTokenServer(grants=lambda scopes: scopes[:1], writes_claims=False)
    internet = bearer_internet(tokens, names_access=True)
    client = client_of(internet)
    client.prepare([A.repository, B.repository])
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert tokens.questions[1:] == [("repository:team/b:pull",)]


def test_a_refused_batch_falls_back_quietly() -> None:
    tokens = FakeTokenServer()
    internet = bearer_internet(tokens, names_access=True, paths=3)
    internet.hosts["auth.example"] = in_turn(refusal(400, "INVALID", "one scope only"), tokens)
    client = client_of(internet)
    references = [A, B, parse_reference("reg.example/team/c:1")]
    client.prepare(reference.repository for reference in references)
    for reference in references:
        client.fetch_manifest(reference)
    assert [len(question) for question in tokens.questions] == [1, 1, 1]


def test_many_workers_share_the_first_contact_and_the_token() -> None:
    tokens = FakeTokenServer()
    internet = bearer_internet(tokens, names_access=True, paths=20)
    references = [parse_reference(f"reg.example/team/{letter}:1") for letter in "abcdefghijklmnopqrst"]
    client = client_of(internet)
    client.prepare(reference.repository for reference in references)
    with ThreadPoolExecutor(8) as pool:
        digests = {str(fetched.digest) for fetched in pool.map(client.fetch_manifest, references)}
    assert digests == {IMAGE.digest}
    assert len(tokens.questions) == 1
    assert len(internet.requests) == 1 + 1 + 20


def test_logins_of_two_namespaces_share_no_token() -> None:
    """Even where the registry's challenge says that a token is for everything."""
    tokens = FakeTokenServer(grants=lambda _: ("repository:team/a:pull", "repository:other/b:pull"))
    registry = FakeRegistry(tokens=tokens, challenge=f'{CHALLENGE},scope="*"', names_scope=False)
    registry.push("team/a", IMAGE)
    registry.push("other/b", IMAGE)
    internet = FakeInternet({"reg.example": registry, "auth.example": tokens})
    client = client_of(internet, logins={"reg.example/team": "me:one", "reg.example/other": "you:two"})
    references = [A, parse_reference("reg.example/other/b:1")]
    for reference in (*references, *references):
        client.fetch_manifest(reference)
    used = {request.url.path: request.authorization for request in internet.asked("reg.example")}
    assert len(set(used.values())) == 2


def test_an_old_token_is_replaced_before_it_dies() -> None:
    tokens = FakeTokenServer(lifetime_seconds=100)
    setup = Setup(internet=bearer_internet(tokens))
    client = setup.client()
    client.fetch_manifest(A)
    setup.clock.seconds += 89
    client.fetch_manifest(A)
    assert len(tokens.questions) == 1
    setup.clock.seconds += 2
    client.fetch_manifest(A)
    assert len(tokens.questions) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_token_that_died_early_is_replaced_once(status: int) -> None:
    """ECR Public answers 400 without a challenge, Google's registries 403, NVIDIA's another realm."""
    tokens = FakeTokenServer(lifetime_seconds=100)
    setup = Setup(internet=bearer_internet(tokens))
    client = setup.client()
    client.fetch_manifest(A)
    setup.clock.seconds += 60
    registry = setup.internet.hosts["reg.example"]
    died = Answer(status=status, headers={"WWW-Authenticate": 'Bearer realm="https://other.example/t"'})
    setup.internet.hosts["reg.example"] = in_turn(died if status == 401 else Answer(status=status), registry)
    client.fetch_manifest(A)
    assert len(tokens.questions) == 2
    assert "other.example" not in {request.origin.host for request in setup.internet.requests}


def test_a_young_token_that_is_refused_ends_the_matter() -> None:
    tokens = FakeTokenServer(grants=lambda _: ())
    internet = bearer_internet(tokens)
    with pytest.raises(AuthenticationError):
        client_of(internet).fetch_manifest(A)
    assert len(internet.requests) == 3


def test_a_scope_is_made_up_where_the_challenge_has_none() -> None:
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens)
    registry.push("team/a", IMAGE)

    def answer(request: Request) -> Answer:
        answered = registry(request)
        return answered.adding({"WWW-Authenticate": CHALLENGE}) if answered.status == 401 else answered

    client_of(FakeInternet({"reg.example": answer, "auth.example": tokens})).fetch_manifest(A)
    assert tokens.questions == [("repository:team/a:pull",)]


def test_a_realm_keeps_its_own_query() -> None:
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens, challenge='Bearer realm="https://auth.example/t?account=x",service="s"')
    registry.push("team/a", IMAGE)
    internet = FakeInternet({"reg.example": registry, "auth.example": tokens})
    client_of(internet).fetch_manifest(A)
    assert internet.log()[1] == (
        "GET auth.example/t?account=x&service=s&scope=repository:team/a:pull&client_id=imagelock"
    )

"""Tokens for many repositories: divided once, all fetched at the first token, and known about also after a ``HEAD``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagelock.errors import AuthenticationError
from imagelock.model.reference import ImageReference, parse_reference
from imagelock.registry.auth.tokens import divide
from tests.support.fake_registry.answers import Answer, Fault, in_turn
from tests.support.fake_registry.bearer_hosts import CHALLENGE, IMAGE
from tests.support.fake_registry.clients import Setup
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer

IMAGES = 100
LONG_NAME = "x" * 40


def setup_of(tokens: FakeTokenServer, *, cache: Path | None = None) -> Setup:
    registry = FakeRegistry(tokens=tokens, challenge=CHALLENGE, names_access=True)
    for reference in references():
        registry.push(reference.repository.path, IMAGE)  # type: ignore[union-attr]  # none is a layout's
    return Setup(internet=FakeInternet({"reg.example": registry, "auth.example": tokens}), cache_directory=cache)


def references(images: int = IMAGES) -> list[ImageReference]:
    return [parse_reference(f"reg.example/team/{LONG_NAME}{number}:1") for number in range(images)]


def test_all_batches_are_asked_for_at_the_first_token() -> None:
    tokens = FakeTokenServer()
    setup = setup_of(tokens)
    client = setup.client()
    client.prepare(reference.repository for reference in references())
    client.fetch_manifest(references()[0])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client.fetch_manifest, references()))
    scopes = [scope for question in tokens.questions for scope in question]
    assert len(scopes) == len(set(scopes)) == IMAGES
    assert all(len(question) > 1 for question in tokens.questions)
    assert len(tokens.questions) == len(list(divide(scopes)))
    assert len(setup.internet.requests) == 1 + IMAGES + 1 + len(tokens.questions)


def test_a_login_that_is_refused_is_sent_once_however_many_batches_there_are() -> None:
    tokens = FakeTokenServer(login="me:right")
    setup = setup_of(tokens)
    setup.logins = {"reg.example": "me:wrong"}
    client = setup.client()
    client.prepare(reference.repository for reference in references())
    for reference in references():
        with pytest.raises(AuthenticationError):
            client.fetch_manifest(reference)
    assert len(tokens.questions) == 1


def test_a_login_that_is_accepted_fetches_all_batches() -> None:
    tokens = FakeTokenServer(login="me:right")
    setup = setup_of(tokens)
    setup.logins = {"reg.example": "me:right"}
    client = setup.client()
    client.prepare(reference.repository for reference in references())
    client.fetch_manifest(references()[0])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client.fetch_manifest, references()))
    assert min(len(question) for question in tokens.questions) > 1
    assert sum(len(question) for question in tokens.questions) == IMAGES


def test_a_batch_of_one_waits_until_it_is_wanted() -> None:
    tokens = FakeTokenServer()
    few = references(2)
    client = setup_of(tokens).client()
    client.prepare([few[0].repository])
    client.fetch_manifest(few[0])
    client.prepare([few[1].repository])
    assert len(tokens.questions) == 1
    client.fetch_manifest(few[1])
    assert [len(question) for question in tokens.questions] == [1, 1]


def test_a_batch_fetched_ahead_that_fails_for_now_is_asked_for_again_as_a_batch() -> None:
    tokens = FakeTokenServer()
    setup = setup_of(tokens)
    setup.internet.hosts["auth.example"] = in_turn(*[Answer(fault=Fault.RESET)] * 3, tokens)
    client = setup.client()
    client.prepare(reference.repository for reference in references())
    with ThreadPoolExecutor(8) as pool:
        bodies = [found.body for found in pool.map(client.fetch_manifest, references())]
    assert bodies == [IMAGE.body] * IMAGES
    assert all(len(question) > 1 for question in tokens.questions)


def test_a_batch_that_ran_out_of_life_is_fetched_again_as_a_batch() -> None:
    tokens = FakeTokenServer(lifetime_seconds=60)
    setup = setup_of(tokens)
    client = setup.client()
    client.prepare(reference.repository for reference in references(3))
    for _ in range(2):
        for reference in references(3):
            client.fetch_manifest(reference)
        setup.clock.seconds += 100
    assert [len(question) for question in tokens.questions] == [3, 3]


def test_asking_by_head_takes_as_many_tokens_as_fetching() -> None:
    """The refusal of a ``HEAD`` has no body, whose shape tells that one token serves many repositories."""
    fetching, asking = FakeTokenServer(), FakeTokenServer()
    for tokens, method in ((fetching, "fetch_manifest"), (asking, "fetch_digest")):
        setup = setup_of(tokens)
        client = setup.client()
        client.prepare(reference.repository for reference in references())
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(getattr(client, method), references()))
        more = 1 if method == "fetch_digest" else 0
        assert len(setup.internet.requests) == 1 + more + IMAGES + len(tokens.questions)
    assert len(asking.questions) == len(fetching.questions) < 5


def test_what_a_single_head_could_not_tell_is_found_out_when_it_matters(tmp_path: Path) -> None:
    tokens = FakeTokenServer()
    setup = setup_of(tokens, cache=tmp_path)
    setup.client().fetch_digest(references()[0])
    assert len(setup.internet.requests) == 3
    client = setup.next_run()
    client.prepare(reference.repository for reference in references())
    for reference in references():
        client.fetch_digest(reference)
    assert len(tokens.questions) < 6
    setup.internet.requests.clear()
    client = setup.next_run()
    client.prepare(reference.repository for reference in references())
    client.fetch_digest(references()[0])
    assert "HEAD reg.example" in setup.internet.log()[-1]
    assert not [line for line in setup.internet.log() if line.startswith("GET reg.example")]


def test_scopes_are_divided_in_order_each_once_and_never_into_nothing() -> None:
    scopes = [f"repository:{LONG_NAME}{number}:pull" for number in range(200)]
    batches = list(divide([*scopes, *scopes]))
    assert [scope for batch in batches for scope in batch] == scopes
    assert list(divide([])) == []
    assert list(divide(["repository:" + "x" * 9000 + ":pull", "b"])) == [
        ("repository:" + "x" * 9000 + ":pull",),
        ("b",),
    ]

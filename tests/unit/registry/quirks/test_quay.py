"""Quay: picky about batches and page sizes, and given to passing failures."""

from __future__ import annotations

import pytest

from imagelock.errors import ImageNotFoundError
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, Handler, in_turn, json_answer, refusal
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, with_tokens_at
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

REFERENCE = parse_reference("quay.io/team/a:1")


def quay(registry: FakeRegistry, tokens: FakeTokenServer) -> Handler:
    registry.tokens, registry.challenge = tokens, challenge("https://quay.io/v2/auth", "quay.io")
    return with_tokens_at("/v2/auth", tokens, registry)


def test_no_batch_is_asked_for_since_one_nested_name_would_spoil_it(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    client = client_of(internet_of({"quay.io": quay(holding("team/a"), tokens)}))
    client.prepare([REFERENCE.repository, parse_reference("quay.io/team/deep/b:1").repository])
    client.fetch_manifest(REFERENCE)
    assert tokens.questions == [("repository:team/a:pull",)]


@pytest.mark.parametrize("cursor", ["next_page=gAAAAABm", "last=1.0"])
def test_its_links_have_cursors_of_two_kinds(internet_of: InternetOf, cursor: str) -> None:
    first = json_answer({"tags": ["1.0"]}).adding({"Link": f'</v2/team/a/tags/list?n=50&{cursor}>; rel="next"'})
    token, second = json_answer({"token": "x"}), json_answer({"tags": ["0.9"]})
    internet = internet_of({"quay.io": in_turn(token, first, second)})
    assert client_of(internet).list_tags(REFERENCE.repository) == ("1.0", "0.9")
    assert internet.log()[-1] == f"GET quay.io/v2/team/a/tags/list?n=1000&{cursor}"


def test_a_page_size_that_it_refuses_is_left_to_it(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = quay(holding("team/a"), tokens)

    def answer(request: Request) -> Answer:
        size = dict(request.url.parameters).get("n", "0")
        return refusal(400, "INVALID_REQUEST", "n is too large") if int(size) > 100 else registry(request)

    internet = internet_of({"quay.io": answer})
    assert client_of(internet).list_tags(REFERENCE.repository) == ("1",)
    assert internet.log()[-1] == "GET quay.io/v2/team/a/tags/list"


@pytest.mark.parametrize("status", [500, 502])
def test_its_passing_failures_pass(internet_of: InternetOf, status: int) -> None:
    internet = internet_of({"quay.io": in_turn(Answer(status=status), quay(holding("team/a"), FakeTokenServer()))})
    assert client_of(internet).fetch_manifest(REFERENCE).body == IMAGE.body


def test_a_digest_whose_tag_expired_is_missing(internet_of: InternetOf) -> None:
    internet = internet_of({"quay.io": quay(holding("team/b"), FakeTokenServer())})
    with pytest.raises(ImageNotFoundError) as raised:
        client_of(internet).fetch_digest(parse_reference(f"quay.io/team/a:1@{IMAGE.digest}"))
    assert raised.value.message == f"quay.io/team/a:1@{IMAGE.digest} does not exist"

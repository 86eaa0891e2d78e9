"""Registries that people run themselves: Gitea and Forgejo, Pulp, zot, CNCF distribution."""

from __future__ import annotations

import pytest

from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, Handler, json_answer, refusal
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, with_tokens_at
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

HOST = "reg.example"
REFERENCE = parse_reference(f"{HOST}/team/a:1")


def test_gitea_offers_two_ways_in_on_one_line_and_a_token_for_everything(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(grants=lambda _: ("repository:owner/a:pull",))
    realm = "https://codeberg.org/v2/token"
    both = f'{challenge(realm, "registry")},scope="*",Basic realm="{realm}",service="registry",scope="*"'
    registry = holding("owner/a", tokens=tokens, challenge=both, names_scope=False)
    internet = internet_of({"codeberg.org": with_tokens_at("/v2/token", tokens, registry)})
    assert client_of(internet).fetch_manifest(parse_reference("codeberg.org/owner/a:1")).body == IMAGE.body
    assert tokens.questions == [("*",)]


def test_pulp_wants_to_see_the_token_on_every_page(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = holding("team/a", tokens=tokens, challenge=challenge("https://auth.example/token", "pulp"))
    registry.tags["team/a"] = [f"{number:05}" for number in range(2500)]
    internet = internet_of({HOST: registry, "auth.example": tokens})
    assert len(client_of(internet).list_tags(REFERENCE.repository)) == 2500
    assert [bool(request.authorization) for request in internet.asked(HOST)] == [False, True, True, True]


def test_zot_lists_tags_as_they_were_pushed(internet_of: InternetOf) -> None:
    internet = internet_of({HOST: lambda _: json_answer({"name": "team/a", "tags": ["2", "10", "1"]})})
    assert client_of(internet).list_tags(REFERENCE.repository) == ("2", "10", "1")


@pytest.mark.parametrize("most", [100, 1000])
def test_distribution_3_refuses_pages_above_its_limit(internet_of: InternetOf, most: int) -> None:
    registry = holding("team/a")
    registry.tags["team/a"] = [f"{number:05}" for number in range(most + 1)]
    internet = internet_of({HOST: limited(registry, most)})
    assert len(client_of(internet).list_tags(REFERENCE.repository)) == most + 1


def limited(registry: Handler, most: int) -> Handler:
    """Its configuration has ``tags.maxtags``, and pages of that size for who names none."""

    def answer(request: Request) -> Answer:
        parameters = dict(request.url.parameters)
        if int(parameters.get("n", "0")) > most:
            return refusal(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
        return registry(request if "n" in parameters else request.at(request.url.adding("n", str(most))))

    return answer


def test_several_scopes_may_stand_in_one_challenge(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    both = f'{challenge("https://auth.example/t", "s")},scope="repository:team/a:pull repository:team/base:pull"'
    registry = holding("team/a", tokens=tokens, challenge=both, names_scope=False)
    internet = internet_of({HOST: registry, "auth.example": tokens})
    client_of(internet).fetch_manifest(REFERENCE)
    assert tokens.questions == [("repository:team/a:pull", "repository:team/base:pull")]

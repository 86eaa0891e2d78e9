"""Artifactory and Nexus: repositories of everything, with links that lead nowhere and types that say nothing."""

from __future__ import annotations

import gzip

import pytest

from imagelock.errors import InvalidContentError, TemporaryError
from imagelock.model.oci import ImageIndex, parse_manifest
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, in_turn, json_answer, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, with_tokens_at
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image
from tests.unit.registry.conftest import InternetOf

JFROG, NEXUS = "team.jfrog.io", "nexus.example:8083"
A = parse_reference(f"{JFROG}/virtual/team/a:1")
N = parse_reference(f"{NEXUS}/team/a:1")


def test_artifactorys_links_lack_the_name_of_the_virtual_repository(internet_of: InternetOf) -> None:
    first = json_answer({"tags": ["a", "b"]}).adding({"Link": '</v2/team/a/tags/list?last=b&n=2>; rel="next"'})
    internet = internet_of({JFROG: in_turn(first, json_answer({"tags": ["c"]}))})
    assert client_of(internet).list_tags(A.repository) == ("a", "b", "c")
    assert internet.log()[1] == f"GET {JFROG}/v2/virtual/team/a/tags/list?n=1000&last=b"


def test_artifactory_lists_tags_as_json_only(internet_of: InternetOf) -> None:
    registry = holding("virtual/team/a")

    def answer(request: Request) -> Answer:
        is_list, accepted = "/tags/" in request.url.path, request.headers.get("accept")
        return Answer(status=406) if is_list and "manifest" in accepted else registry(request)

    assert client_of(internet_of({JFROG: answer})).list_tags(A.repository) == ("1",)


def test_artifactory_may_think_about_a_list_of_tags() -> None:
    internet = FakeInternet({JFROG: holding("virtual/team/a")})
    client = client_of(internet)
    client.fetch_manifest(A)
    client.list_tags(A.repository)
    assert [request.max_silence_seconds for request in internet.requests] == [30, 60]


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain; charset=utf-8", "application/octet-stream", ""]
)
def test_artifactory_calls_an_index_anything(internet_of: InternetOf, content_type: str) -> None:
    answer = Answer(headers={"Content-Type": content_type}, chunks=[IMAGE.body])
    fetched = client_of(internet_of({JFROG: lambda _: answer})).fetch_manifest(A)
    assert isinstance(parse_manifest(fetched), ImageIndex)


def test_artifactorys_token_server_lies_deep_and_is_asked_by_get(internet_of: InternetOf) -> None:
    tokens, realm = FakeTokenServer(login="me:secret"), "/artifactory/api/docker/virtual/v2/token"
    registry = holding(
        "virtual/team/a", tokens=tokens, challenge=challenge(f"https://{JFROG}{realm}", JFROG), names_scope=False
    )

    def answer(request: Request) -> Answer:
        return (
            refusal(401, "UNAUTHORIZED", "use GET")
            if request.method == "POST"
            else with_tokens_at(realm, tokens, registry)(request)
        )

    client = client_of(internet_of({JFROG: answer}), logins={JFROG: "me:secret"})
    assert client.fetch_manifest(A).body == IMAGE.body
    assert str(client.fetch_digest(A)) == IMAGE.digest
    assert tokens.questions == [("repository:virtual/team/a:pull",)]


def test_nexus_does_not_know_by_head_what_it_serves_by_get(internet_of: InternetOf) -> None:
    registry = holding("team/a")
    internet = internet_of(
        {NEXUS: lambda request: Answer(status=404) if request.method == "HEAD" else registry(request)}
    )
    assert str(client_of(internet).fetch_digest(N)) == IMAGE.digest
    assert [request.method for request in internet.requests] == ["HEAD", "GET"]


def test_nexus_wants_a_password_or_a_token(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(login="me:secret")
    bearer = with_tokens_at(
        "/v2/token",
        tokens,
        holding("team/a", tokens=tokens, challenge=challenge(f"https://{NEXUS}/v2/token", f"https://{NEXUS}/v2/token")),
    )
    for registry in (holding("team/a", login="me:secret", basic_realm="Sonatype Nexus Repository Manager"), bearer):
        client = client_of(internet_of({NEXUS: registry}), logins={NEXUS: "me:secret"})
        assert client.fetch_manifest(N).body == IMAGE.body


@pytest.mark.parametrize(
    "link", ["", '<http://nexus:8081/repository/docker/v2/team/a/tags/list?last=00999&n=1000>; rel="next"']
)
def test_nexus_pages_without_links_or_with_links_to_nowhere(internet_of: InternetOf, link: str) -> None:
    tags: list[str | None] = [f"{number:05}" for number in range(1000)]
    first = json_answer({"name": "team/a", "tags": tags})
    internet = internet_of(
        {NEXUS: in_turn(first.adding({"Link": link}) if link else first, json_answer({"tags": [None, "x"]}))}
    )
    assert client_of(internet).list_tags(N.repository)[-2:] == ("00999", "x")
    assert internet.log()[1] == f"GET {NEXUS}/v2/team/a/tags/list?n=1000&last=00999"


def test_nexus_breaks_on_a_password_with_odd_characters_and_is_called_to_account(internet_of: InternetOf) -> None:
    registry = holding("team/a", login="me:x")
    internet = internet_of({NEXUS: lambda request: Answer(status=500) if request.authorization else registry(request)})
    setup = Setup(internet=internet, logins={NEXUS: "me:p@ß"})
    with pytest.raises(TemporaryError) as raised:
        setup.client().fetch_manifest(N)
    assert raised.value.details == (f"{NEXUS} answered 500",)


def test_a_body_may_come_compressed_though_nobody_asked(internet_of: InternetOf) -> None:
    packed = Answer(
        headers={"Content-Encoding": "gzip", "Docker-Content-Digest": IMAGE.digest}, chunks=[gzip.compress(IMAGE.body)]
    )
    assert client_of(internet_of({NEXUS: lambda _: packed})).fetch_manifest(N).body == IMAGE.body


def test_a_platform_that_a_proxy_left_out_makes_it_other_content_than_was_pinned(internet_of: InternetOf) -> None:
    """The lock records the registry that was asked, and what it served: another registry's digest is another image."""
    filtered = multi_platform_image("linux/amd64")
    client = client_of(internet_of({NEXUS: lambda _: Answer(chunks=[filtered.body])}))
    assert str(client.fetch_manifest(N).digest) == filtered.digest
    with pytest.raises(InvalidContentError, match="the registry sent other content for"):
        client.fetch_manifest(parse_reference(f"{NEXUS}/team/a:1@{IMAGE.digest}"))

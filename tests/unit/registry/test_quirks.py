"""One test for each registry that does something of its own: registry by registry, as people meet them."""

from __future__ import annotations

import pytest

from imagelock.errors import AuthenticationError, ImageNotFoundError, InvalidContentError, RegistryError
from imagelock.oci import ImageIndex, parse_manifest
from imagelock.reference import parse_reference
from imagelock.registry.http.messages import Request
from tests.support.fake_registry.answers import Answer, Handler, json_answer, refusal
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image

IMAGE, MOVED = multi_platform_image("linux/amd64"), multi_platform_image("linux/amd64", note="moved")
REFERENCE = parse_reference("reg.example/team/a:1")


def holding(*, path: str = "team/a") -> FakeRegistry:
    registry = FakeRegistry()
    registry.push(path, IMAGE)
    return registry


def head_only(answer: Answer) -> Handler:
    """Answers ``HEAD`` in its own way, and everything else as it should."""
    registry = holding()
    return lambda request: answer if request.method == "HEAD" else registry(request)


def test_a_recheck_is_one_head() -> None:
    internet = FakeInternet({"reg.example": holding()})
    assert str(client_of(internet).fetch_digest(REFERENCE)) == IMAGE.digest
    assert internet.log() == ["HEAD reg.example/v2/team/a/manifests/1"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404),
        Answer(status=405),
        Answer(status=400),
        Answer(status=403),
        Answer(status=200),
        Answer(status=200, headers={"Docker-Content-Digest": "nonsense"}),
        Answer(status=200, headers={"Docker-Content-Digest": (IMAGE.digest, MOVED.digest)}),
    ],
    ids=["nexus", "405", "400", "403", "no digest", "bad digest", "two digests"],
)
def test_a_head_that_tells_nothing_is_followed_by_a_get(answer: Answer) -> None:
    internet = FakeInternet({"reg.example": head_only(answer)})
    assert str(client_of(internet).fetch_digest(REFERENCE)) == IMAGE.digest
    assert [request.method for request in internet.requests] == ["HEAD", "GET"]


def test_a_head_that_names_another_digest_than_the_pinned_one_is_not_believed() -> None:
    pinned = parse_reference(f"reg.example/team/a@{IMAGE.digest}")
    internet = FakeInternet({"reg.example": head_only(Answer(headers={"Docker-Content-Digest": MOVED.digest}))})
    assert str(client_of(internet).fetch_digest(pinned)) == IMAGE.digest
    assert [request.method for request in internet.requests] == ["HEAD", "GET"]


def test_a_tag_that_moves_between_two_questions_has_the_digest_of_its_bytes() -> None:
    registry = holding()
    client = client_of(FakeInternet({"reg.example": registry}))
    assert str(client.fetch_digest(REFERENCE)) == IMAGE.digest
    registry.push("team/a", MOVED)
    assert str(client.fetch_manifest(REFERENCE).digest) == MOVED.digest


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "application/octet-stream"])
def test_artifactory_and_red_hat_call_an_index_something_else(content_type: str) -> None:
    internet = FakeInternet(
        {"reg.example": lambda _: Answer(headers={"Content-Type": content_type}, chunks=[IMAGE.body])}
    )
    assert isinstance(parse_manifest(client_of(internet).fetch_manifest(REFERENCE)), ImageIndex)


def test_schema_1_is_refused_with_a_way_out() -> None:
    body = b'{"schemaVersion": 1, "name": "a", "tag": "1", "architecture": "amd64", "fsLayers": []}'
    signed = {"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}
    internet = FakeInternet({"reg.example": lambda _: Answer(headers=signed, chunks=[body])})
    with pytest.raises(InvalidContentError) as raised:
        parse_manifest(client_of(internet).fetch_manifest(REFERENCE))
    assert raised.value.hint == "push the image again with a current tool"


def test_every_kind_of_manifest_is_asked_for_on_one_line() -> None:
    """Without index types Docker Hub answers with one platform's manifest, and Azure with an error."""
    internet = FakeInternet({"reg.example": holding()})
    client_of(internet).fetch_manifest(REFERENCE)
    assert internet.requests[0].headers.all("accept") == (
        (
            "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
            "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
        ),
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refusal(404, "MANIFEST_UNKNOWN", "manifest unknown"), ["it said: MANIFEST_UNKNOWN: manifest unknown"]),
        (
            refusal(404, "NAME_UNKNOWN", "repository name not known"),
            ["it said: NAME_UNKNOWN: repository name not known"],
        ),
        (refusal(404, "NOT_FOUND", "artifact not found"), ["it said: NOT_FOUND: artifact not found"]),
        (refusal(404, "UNKNOWN", "Not Found"), ["it said: UNKNOWN: Not Found"]),
        (json_answer({"errors": None}, status=404), []),
        (json_answer({"errors": [None, 7, {"message": 3}]}, status=404), []),
        (json_answer([], status=404), []),
        (Answer(status=404, chunks=[b"<html><body>404</body></html>"]), []),
        (Answer(status=404, chunks=[b"404 page not found\n"]), ["it said: 404 page not found"]),
        (Answer(status=404, chunks=[b"\x1b[2J\x07gone"]), ["it said: \\x1b[2J\\x07gone"]),
        (Answer(status=404, chunks=[b"[" * 60_000]), [f"it said: {'[' * 299}…"]),
        (Answer(status=404), []),
    ],
)
def test_whatever_is_said_with_a_404_the_image_is_missing(answer: Answer, said: list[str]) -> None:
    with pytest.raises(ImageNotFoundError) as raised:
        client_of(FakeInternet({"reg.example": lambda _: answer})).fetch_manifest(REFERENCE)
    assert list(raised.value.details) == ["reg.example answered 404", *said]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"details": "incorrect username or password"}, "incorrect username or password"),
        ({"error": "unauthorized"}, "unauthorized"),
        ({"errors": [{"code": "DENIED", "message": "denied: denied"}]}, "DENIED: denied: denied"),
        (
            {"errors": [{"code": "UNAUTHORIZED", "message": "project access disabled"}]},
            "UNAUTHORIZED: project access disabled",
        ),
    ],
    ids=["azure", "error", "github", "gitlab"],
)
def test_who_is_refused_may_have_mistyped_the_name(document: object, said: str) -> None:
    internet = FakeInternet({"reg.example": lambda _: json_answer(document, status=403)})
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet).fetch_manifest(REFERENCE)
    assert raised.value.message == "reg.example/team/a:1 does not exist or needs a login"
    assert raised.value.details == (
        "no credentials for reg.example were found",
        "reg.example answered 403",
        f"it said: {said}",
    )
    assert raised.value.hint == "check the spelling, or run `docker login reg.example`"


def test_the_rest_of_the_refusals_is_told_as_it_came() -> None:
    internet = FakeInternet({"reg.example": lambda _: refusal(418, "TEAPOT", "short and stout")})
    with pytest.raises(RegistryError) as raised:
        client_of(internet).fetch_manifest(REFERENCE)
    assert raised.value.message == "reg.example refused to answer for reg.example/team/a:1"


def test_microsoft_hands_out_content_without_tokens() -> None:
    internet = FakeInternet({"mcr.microsoft.com": holding(path="dotnet/sdk")})
    client_of(internet).fetch_manifest(parse_reference("mcr.microsoft.com/dotnet/sdk:1"))
    assert len(internet.requests) == 1


def test_quay_refuses_a_whole_batch_for_one_nested_name() -> None:
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens, challenge='Bearer realm="https://quay.io/v2/auth",service="quay.io"')
    registry.push("team/a", IMAGE)

    def answer(request: Request) -> Answer:
        if request.url.path == "/v2/auth":
            return tokens(request)
        return registry(request)

    client = client_of(FakeInternet({"quay.io": answer}))
    client.expect([parse_reference(name).repository for name in ("quay.io/team/a:1", "quay.io/team/deep/b:1")])
    client.fetch_manifest(parse_reference("quay.io/team/a:1"))
    assert tokens.questions == [("repository:team/a:pull",)]


def test_harbor_takes_batches_and_says_so_by_its_service() -> None:
    tokens = FakeTokenServer()
    challenge = 'Bearer realm="https://harbor.example/service/token",service="harbor-registry"'
    registry = FakeRegistry(tokens=tokens, challenge=challenge)
    registry.push("project/a", IMAGE)
    registry.push("project/b", IMAGE)
    internet = FakeInternet(
        {"harbor.example": lambda request: (tokens if "token" in request.url.path else registry)(request)}
    )
    client = client_of(internet)
    references = [parse_reference(f"harbor.example/project/{name}:1") for name in "ab"]
    client.expect(reference.repository for reference in references)
    for reference in references:
        client.fetch_manifest(reference)
    assert tokens.questions == [("repository:project/a:pull", "repository:project/b:pull")]


def test_a_tag_beside_a_digest_is_not_what_is_asked_for() -> None:
    """Registries ignore the tag; a pull-through cache of ECR wants it to have been pulled once before."""
    internet = FakeInternet({"reg.example": holding()})
    client_of(internet).fetch_manifest(parse_reference(f"reg.example/team/a:1@{IMAGE.digest}"))
    assert internet.log() == [f"GET reg.example/v2/team/a/manifests/{IMAGE.digest}"]


def test_google_gets_no_empty_scope() -> None:
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens)
    registry.push("project/a", IMAGE)
    internet = FakeInternet(
        {"gcr.io": lambda request: (tokens if request.url.path == "/v2/token" else registry)(request)}
    )
    client_of(internet).fetch_manifest(parse_reference("gcr.io/project/a:1"))
    assert internet.log()[0] == (
        "GET gcr.io/v2/token?service=gcr.io&scope=repository:project/a:pull&client_id=imagelock"
    )


def test_lscr_leads_to_githubs_token_server_with_the_login_kept_for_lscr() -> None:
    tokens = FakeTokenServer(login="me:secret")
    registry = FakeRegistry(tokens=tokens, challenge='Bearer realm="https://ghcr.io/token",service="ghcr.io"')
    registry.push("linuxserver/a", IMAGE)
    internet = FakeInternet({"lscr.io": registry, "ghcr.io": tokens})
    client_of(internet, logins={"lscr.io": "me:secret"}).fetch_manifest(parse_reference("lscr.io/linuxserver/a:1"))
    assert len(tokens.issued) == 1


def test_hardened_images_do_not_use_the_login_of_docker_hub() -> None:
    internet = FakeInternet({"dhi.io": FakeRegistry(login="me:secret")})
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet, logins={"https://index.docker.io/v1/": "me:secret"}).fetch_manifest(
            parse_reference("dhi.io/node:1")
        )
    assert raised.value.hint == "check the spelling, or run `docker login dhi.io`"
    assert not [request for request in internet.requests if request.authorization]

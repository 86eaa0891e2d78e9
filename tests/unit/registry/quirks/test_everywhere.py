"""Rules that cover most of what registries do: which answers are believed, and what is made of refusals."""

from __future__ import annotations

import pytest

from imagelock.errors import AuthenticationError, ImageNotFoundError, InvalidContentError, RegistryError
from imagelock.model.oci import parse_manifest
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, Handler, json_answer, refusal
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.quirk_hosts import IMAGE, OTHER, holding
from tests.unit.registry.conftest import InternetOf

REFERENCE = parse_reference("reg.example/team/a:1")


def head_only(answer: Answer) -> Handler:
    """Answers ``HEAD`` in its own way, and everything else as it should."""
    registry = holding("team/a")
    return lambda request: answer if request.method == "HEAD" else registry(request)


def test_a_recheck_is_one_head(internet_of: InternetOf) -> None:
    internet = internet_of({"reg.example": holding("team/a")})
    assert str(client_of(internet).fetch_digest(REFERENCE)) == IMAGE.digest
    assert internet.log() == ["HEAD reg.example/v2/team/a/manifests/1"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404),
        Answer(status=405),
        Answer(status=400),
        Answer(status=403),
        Answer(status=500),
        Answer(status=503),
        Answer(status=200),
        Answer(status=200, headers={"Docker-Content-Digest": "nonsense"}),
        Answer(status=200, headers={"Docker-Content-Digest": (IMAGE.digest, OTHER.digest)}),
    ],
    ids=["nexus", "405", "400", "403", "500", "503", "no digest", "bad digest", "two digests"],
)
def test_a_head_that_tells_nothing_is_followed_by_a_get(internet_of: InternetOf, answer: Answer) -> None:
    internet = internet_of({"reg.example": head_only(answer)})
    assert str(client_of(internet).fetch_digest(REFERENCE)) == IMAGE.digest
    assert [request.method for request in internet.requests] == ["HEAD", "GET"]


def test_a_head_that_names_another_digest_than_the_pinned_one_is_not_believed(internet_of: InternetOf) -> None:
    pinned = parse_reference(f"reg.example/team/a@{IMAGE.digest}")
    internet = internet_of({"reg.example": head_only(Answer(headers={"Docker-Content-Digest": OTHER.digest}))})
    assert str(client_of(internet).fetch_digest(pinned)) == IMAGE.digest
    assert [request.method for request in internet.requests] == ["HEAD", "GET"]


def test_a_tag_that_moves_between_two_questions_has_the_digest_of_its_bytes(internet_of: InternetOf) -> None:
    registry = holding("team/a")
    client = client_of(internet_of({"reg.example": registry}))
    assert str(client.fetch_digest(REFERENCE)) == IMAGE.digest
    registry.push("team/a", OTHER)
    assert str(client.fetch_manifest(REFERENCE).digest) == OTHER.digest


def test_schema_1_is_refused_with_a_way_out(internet_of: InternetOf) -> None:
    body = b'{"schemaVersion": 1, "name": "a", "tag": "1", "architecture": "amd64", "fsLayers": []}'
    signed = {"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}
    internet = internet_of({"reg.example": lambda _: Answer(headers=signed, chunks=[body])})
    with pytest.raises(InvalidContentError) as raised:
        parse_manifest(client_of(internet).fetch_manifest(REFERENCE))
    assert raised.value.hint == "push the image again with a current tool"


def test_every_kind_of_manifest_is_asked_for_on_one_line(internet_of: InternetOf) -> None:
    """Without index types Docker Hub answers with one platform's manifest, and Azure with an error."""
    internet = internet_of({"reg.example": holding("team/a")})
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
def test_whatever_is_said_with_a_404_the_image_is_missing(
    internet_of: InternetOf, answer: Answer, said: list[str]
) -> None:
    with pytest.raises(ImageNotFoundError) as raised:
        client_of(internet_of({"reg.example": lambda _: answer})).fetch_manifest(REFERENCE)
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
def test_who_is_refused_may_have_mistyped_the_name(internet_of: InternetOf, document: object, said: str) -> None:
    internet = internet_of({"reg.example": lambda _: json_answer(document, status=403)})
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet).fetch_manifest(REFERENCE)
    assert raised.value.message == "reg.example/team/a:1 does not exist or needs a login"
    assert raised.value.details == (
        "no credentials for reg.example were found",
        "reg.example answered 403",
        f"it said: {said}",
    )
    assert raised.value.hint == "check the spelling, or run `docker login reg.example`"


def test_the_rest_of_the_refusals_is_told_as_it_came(internet_of: InternetOf) -> None:
    internet = internet_of({"reg.example": lambda _: refusal(418, "TEAPOT", "short and stout")})
    with pytest.raises(RegistryError) as raised:
        client_of(internet).fetch_manifest(REFERENCE)
    assert raised.value.message == "reg.example refused the request for reg.example/team/a:1"


def test_a_tag_beside_a_digest_is_not_what_is_asked_for(internet_of: InternetOf) -> None:
    """Registries ignore the tag; a pull-through cache of ECR wants it to have been pulled once before."""
    internet = internet_of({"reg.example": holding("team/a")})
    client_of(internet).fetch_manifest(parse_reference(f"reg.example/team/a:1@{IMAGE.digest}"))
    assert internet.log() == [f"GET reg.example/v2/team/a/manifests/{IMAGE.digest}"]

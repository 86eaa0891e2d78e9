"""What must not be believed: bodies under other digests, bodies without end, pages, confusing headers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest

from imagelock.errors import InvalidContentError, RegistryError
from imagelock.locking.resolve import resolve_image
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer, in_turn, json_answer
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.oci_images import multi_platform_image, sha256

IMAGE, OTHER = multi_platform_image("linux/amd64"), multi_platform_image("linux/arm64")
TAGGED = parse_reference("reg.example/team/a:1")
PINNED = parse_reference(f"reg.example/team/a:1@{IMAGE.digest}")
MIB = 1024 * 1024


def answering(*chunks: bytes, **headers: str) -> FakeInternet:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return FakeInternet({"reg.example": lambda _: Answer(headers=named, chunks=chunks)})


@pytest.mark.advisory("CVE-2025-24882", "GHSA-qv35-3gw6-8q4j")
def test_the_digest_of_the_header_cannot_stand_in_for_the_one_asked_for() -> None:
    internet = answering(OTHER.body, docker_content_digest=OTHER.digest)
    with pytest.raises(InvalidContentError) as raised:
        client_of(internet).fetch_manifest(PINNED)
    assert raised.value.message == f"the registry sent other content for {PINNED}"
    assert raised.value.details == (f"asked for  {IMAGE.digest}", f"the body is {OTHER.digest}")


def test_a_header_that_contradicts_the_body_is_an_error() -> None:
    internet = answering(OTHER.body, docker_content_digest=IMAGE.digest)
    with pytest.raises(InvalidContentError, match="digest header contradicts the body"):
        client_of(internet).fetch_manifest(TAGGED)


@pytest.mark.advisory("CVE-2024-3727")
@pytest.mark.parametrize("claim", [IMAGE.digest.upper(), f'"{IMAGE.digest}"', "sha256:../../../v2/x", "sha512:ab", ""])
def test_a_header_that_is_no_digest_counts_for_nothing(claim: str) -> None:
    internet = answering(IMAGE.body, docker_content_digest=claim)
    assert str(client_of(internet).fetch_manifest(TAGGED).digest) == IMAGE.digest


def test_the_digest_is_computed_where_there_is_no_header() -> None:
    assert str(client_of(answering(IMAGE.body)).fetch_manifest(TAGGED).digest) == IMAGE.digest


def test_schema_1_is_refused_as_such_whatever_its_digest_is_of() -> None:
    """The header's digest is that of the signed part, so that it contradicts the body, and a HEAD would pass it on."""
    internet = answering(
        b'{"schemaVersion": 1, "signatures": []}',
        content_type="application/vnd.docker.distribution.manifest.v1+prettyjws",
        docker_content_digest=IMAGE.digest,
    )
    for ask in (client_of(internet).fetch_manifest, client_of(internet).fetch_digest):
        with pytest.raises(InvalidContentError) as raised:
            ask(TAGGED)
        assert raised.value.message == f"{TAGGED} has Docker's schema 1, which cannot be verified"


def test_a_tag_has_the_digest_that_a_lock_would_have() -> None:
    other_algorithm = Digest.of(IMAGE.body, algorithm="sha512")
    internet = answering(IMAGE.body, docker_content_digest=str(other_algorithm))
    assert str(client_of(internet).fetch_digest(TAGGED)) == IMAGE.digest


@pytest.mark.parametrize("body", [b"", b"{}", b"please log in"])
def test_what_is_no_image_has_no_digest(body: bytes) -> None:
    with pytest.raises(InvalidContentError, match=r"^reg\.example/team/a:1 is "):
        client_of(answering(body)).fetch_digest(TAGGED)


def test_a_compressed_body_is_hashed_decompressed() -> None:
    internet = answering(gzip.compress(IMAGE.body), content_encoding="gzip", docker_content_digest=IMAGE.digest)
    assert client_of(internet).fetch_manifest(TAGGED).body == IMAGE.body


def endless() -> Iterator[bytes]:
    while True:
        yield b" " * 65536


@pytest.mark.advisory("CVE-2020-1702", "GHSA-f36w-mj3v-6jqv")
@pytest.mark.parametrize(
    "answer",
    [
        Answer(chunks=endless()),
        Answer(chunks=[b"{}"], headers={"Content-Length": str(1024**3)}),
        Answer(chunks=[gzip.compress(b" " * 16 * MIB)], headers={"Content-Encoding": "gzip"}),
    ],
    ids=["endless", "announced", "bomb"],
)
def test_a_body_without_end_is_not_read_to_its_end(answer: Answer) -> None:
    with pytest.raises(InvalidContentError, match=r"the response of reg\.example is too large"):
        client_of(FakeInternet({"reg.example": lambda _: answer})).fetch_manifest(TAGGED)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip"])
def test_an_unreadable_encoding_is_no_content(encoding: str) -> None:
    with pytest.raises(RegistryError):
        client_of(answering(b"not gzip", content_encoding=encoding)).fetch_manifest(TAGGED)


def test_a_sign_in_page_is_no_image() -> None:
    internet = answering(b"<html>Welcome</html>", content_type="text/html; charset=utf-8")
    with pytest.raises(InvalidContentError) as raised:
        client_of(internet).fetch_manifest(TAGGED)
    assert raised.value.message == f"a web page was sent instead of {TAGGED}"
    assert raised.value.details == ("from https://reg.example/v2/team/a/manifests/1",)


def test_a_blob_has_the_length_and_the_digest_of_its_descriptor() -> None:
    body = b'{"os":"linux"}'
    descriptor = Descriptor(media_type="x", digest=Digest.parse(sha256(body)), size_bytes=len(body))
    repository = TAGGED.repository
    assert client_of(answering(body)).fetch_blob(repository, descriptor) == body
    with pytest.raises(InvalidContentError, match="the registry sent other content for"):
        client_of(answering(b'{"os":"plan9"')).fetch_blob(repository, descriptor)


@pytest.mark.advisory("CVE-2020-1702", "go-containerregistry#2292")
@pytest.mark.parametrize("size", [2**62, 8 * MIB + 1])
def test_a_blob_that_claims_too_much_is_not_asked_for(size: int) -> None:
    descriptor = Descriptor(media_type="x", digest=Digest.parse(IMAGE.digest), size_bytes=size)
    internet = answering(b"{}")
    with pytest.raises(InvalidContentError, match=f"claims {size} bytes"):
        client_of(internet).fetch_blob(TAGGED.repository, descriptor)
    assert internet.requests == []


@pytest.mark.advisory("CVE-2020-15157", "GO-2026-5822")
def test_a_descriptor_does_not_say_where_its_content_is() -> None:
    config = b'{"os": "linux", "architecture": "amd64"}'
    elsewhere = {"digest": sha256(config), "size": len(config), "urls": ["https://evil.example/config"]}
    manifest = json.dumps({"config": elsewhere, "layers": []}).encode()
    answers = in_turn(Answer(chunks=[manifest]), Answer(chunks=[config]))
    internet = FakeInternet({"reg.example": answers, "evil.example": lambda _: Answer(chunks=[config])})
    resolve_image(TAGGED, client_of(internet, logins={"reg.example": "me:secret", "evil.example": "me:secret"}))
    assert internet.log() == [
        "GET reg.example/v2/team/a/manifests/1",
        f"GET reg.example/v2/team/a/blobs/{sha256(config)}",
    ]


@pytest.mark.advisory("go-containerregistry#2293", "go-containerregistry#2294", "go-containerregistry#2296")
def test_a_huge_token_answer_is_refused() -> None:
    registry = FakeRegistry(login="x:y")
    challenge = {"WWW-Authenticate": 'Bearer realm="https://auth.example/t"'}
    internet = FakeInternet(
        {
            "reg.example": lambda request: registry(request).adding(challenge),
            "auth.example": lambda _: json_answer({"token": "x" * 200_000}),
        }
    )
    with pytest.raises(InvalidContentError, match=r"the response of auth\.example is too large"):
        client_of(internet).fetch_manifest(TAGGED)


@pytest.mark.parametrize("document", [{"token": "a\r\nX: y"}, {"token": "ä"}, {"token": ""}, {"token": 7}, [], {}])
def test_a_token_that_could_end_its_header_is_refused(document: object) -> None:
    registry = FakeRegistry(login="x:y")
    challenge = {"WWW-Authenticate": 'Bearer realm="https://auth.example/t"'}
    internet = FakeInternet(
        {
            "reg.example": lambda request: registry(request).adding(challenge),
            "auth.example": lambda _: json_answer(document),
        }
    )
    with pytest.raises(InvalidContentError, match=r"the answer of the token server https://auth\.example"):
        client_of(internet).fetch_manifest(TAGGED)

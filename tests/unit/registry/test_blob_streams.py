"""Blobs of any size: in pieces, hashed as they pass, with bounded memory, many at a time."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagelock.errors import ImageNotFoundError, InvalidContentError, TemporaryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import RegistryName, parse_repository
from imagelock.registry.client import RegistryClient
from tests.support.fake_registry.answers import Answer, Fault, Handler, refusal
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.messages import Request
from tests.unit.registry.conftest import InternetOf

REPOSITORY = parse_repository("reg.example/team/a")
MEGABYTE = 1024 * 1024
PIECES = 24
CONTENT = bytes(range(256)) * (MEGABYTE // 256)


def content() -> Iterator[bytes]:
    return (CONTENT for _ in range(PIECES))


def descriptor_of(pieces: Iterator[bytes]) -> Descriptor:
    hashing, size = hashlib.sha256(), 0
    for piece in pieces:
        hashing.update(piece)
        size += len(piece)
    return Descriptor(media_type="", digest=Digest("sha256", hashing.hexdigest()), size_bytes=size)


LAYER = descriptor_of(content())
SMALL = descriptor_of(iter([b"layer"]))


def serving_layer(_: Request) -> Answer:
    return Answer(headers={"Content-Length": str(LAYER.size_bytes)}, chunks=content())


def read_all(client: RegistryClient, descriptor: Descriptor) -> int:
    size = 0
    with client.open_blob(REPOSITORY, descriptor) as pieces:
        for piece in pieces:
            size += len(piece)
    return size


def test_a_layer_far_above_every_limit_is_read_with_little_memory(internet_of: InternetOf) -> None:
    client = client_of(internet_of({"reg.example": serving_layer}))
    tracemalloc.start()
    assert read_all(client, LAYER) == LAYER.size_bytes
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 6 * MEGABYTE


def test_many_layers_are_read_at_a_time(internet_of: InternetOf) -> None:
    client = client_of(internet_of({"reg.example": serving_layer}))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: read_all(client, LAYER), range(8))) == [LAYER.size_bytes] * 8


@pytest.mark.parametrize(
    "sent", [[b"other"], [b"laye"], [b"layer", b"more"], []], ids=["other", "short", "long", "nothing"]
)
def test_other_content_ends_in_an_error(sent: list[bytes], internet_of: InternetOf) -> None:
    client = client_of(internet_of({"reg.example": lambda _: Answer(chunks=sent)}))
    with pytest.raises(InvalidContentError) as raised:
        read_all(client, SMALL)
    if b"more" not in sent:
        assert raised.value.details[-1] == f"from https://reg.example/v2/team/a/blobs/{SMALL.digest}"


def test_a_compressed_answer_is_decoded(internet_of: InternetOf) -> None:
    packed = Answer(headers={"Content-Encoding": "gzip"}, chunks=[gzip.compress(b"layer")])
    assert read_all(client_of(internet_of({"reg.example": lambda _: packed})), SMALL) == 5


def test_a_bomb_is_not_unpacked(internet_of: InternetOf) -> None:
    bomb = Answer(headers={"Content-Encoding": "gzip"}, chunks=[gzip.compress(b" " * 2**27)])
    with pytest.raises(InvalidContentError):
        read_all(client_of(internet_of({"reg.example": lambda _: bomb})), SMALL)


def test_what_breaks_off_is_a_temporary_error(internet_of: InternetOf) -> None:
    broken = Answer(fault=Fault.TRUNCATED, headers={"Content-Length": "5"}, chunks=[b"layer"])
    with pytest.raises(TemporaryError, match="no answer from"):
        read_all(client_of(internet_of({"reg.example": lambda _: broken})), SMALL)


def test_a_layer_that_is_gone_is_missing() -> None:
    internet = FakeInternet({"reg.example": lambda _: refusal(404, "BLOB_UNKNOWN", "gone")})
    with pytest.raises(ImageNotFoundError):
        read_all(client_of(internet), SMALL)
    assert len(internet.requests) == 1


def test_a_mirror_comes_first_and_a_redirect_is_followed_without_credentials(internet_of: InternetOf) -> None:
    moved = Answer(status=307, headers={"Location": "https://cdn.example/layer?signature=x"})
    hosts: dict[str, Handler] = {
        "mirror.example": lambda _: refusal(404, "BLOB_UNKNOWN", "gone"),
        "reg.example": lambda _: moved,
        "cdn.example": lambda _: Answer(chunks=[b"layer"]),
    }
    internet = internet_of(hosts)
    options = (RegistryDeclaration(registry=RegistryName("reg.example"), mirrors=("mirror.example",)),)
    assert read_all(client_of(internet, registries=options), SMALL) == 5
    assert [request.origin.host for request in internet.requests] == ["mirror.example", "reg.example", "cdn.example"]


def test_a_blob_that_is_left_half_read_disturbs_no_later_request(internet_of: InternetOf) -> None:
    client = client_of(internet_of({"reg.example": serving_layer}))
    with client.open_blob(REPOSITORY, LAYER) as pieces:
        assert next(pieces)
    assert read_all(client, LAYER) == LAYER.size_bytes

"""References, platforms, manifests, configurations and our own files: a value or our own error, in linear time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelock.errors import ImagelockError
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.lockfile import parse_lockfile
from imagelock.model.digest import Digest
from imagelock.model.image_config import parse_image_config
from imagelock.model.oci import (
    DOCKER_INDEX,
    OCI_INDEX,
    OCI_MANIFEST,
    FetchedManifest,
    parse_config_platform,
    parse_manifest,
)
from imagelock.model.platforms import Platform
from imagelock.model.reference import check_location, parse_reference, parse_repository, split_reference
from tests.support.effort import bounded_effort
from tests.support.oci_images import multi_platform_image

_DIGEST = Digest("sha256", "0a" * 32)
_INDEX = json.loads(multi_platform_image("linux/amd64", "linux/arm64").body)

REFERENCE = st.text(st.sampled_from("aZ0.:/@-_[]%~ \n\té") | st.characters(), max_size=60) | st.from_regex(
    r"[a-z.:0-9]{1,12}/[a-z._-]{1,12}(:[\w.-]{0,9})?(@sha(256|512):[0-9a-f]{60,70})?", fullmatch=True
)
KEYS = st.sampled_from(
    "schemaVersion mediaType manifests layers config digest size platform os architecture variant os.version "
    "os.features annotations artifactType Manifests MEDIATYPE created rootfs history Labels Env".split()
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from([OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, str(_DIGEST), "linux", "amd64", "2024-05-01T12:00:00Z"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)
DOCUMENT = st.dictionaries(KEYS, JSON, max_size=8).map(lambda value: json.dumps(value).encode())
CONTENT_TYPE = st.sampled_from(["", OCI_INDEX, OCI_MANIFEST, "application/json", "text/html"]) | st.text(max_size=20)
TOML = st.text(max_size=200) | st.lists(
    st.sampled_from(
        [
            *(
                "[images]\n",
                "[images.go]\n",
                "[render]\n",
                "[registries.x]\n",
                'image = "go:1"\n',
                "platforms = ",
                "[]\n",
            ),
            *('["linux/amd64"]\n', "version = 3\n", '"a" = "b"\n', "digest = ", '"sha256:00"\n', "lock-version = 1\n"),
        ]
    ),
    max_size=12,
).map("".join)

PARSERS: dict[str, Callable[[str], object]] = {
    "reference": parse_reference,
    "written reference": split_reference,
    "repository": parse_repository,
    "mirror": check_location,
    "platform": Platform.parse,
    "digest": Digest.parse,
    "images.toml": parse_images_file,
    "images.lock": parse_lockfile,
    "manifest": lambda text: parse_manifest(FetchedManifest(_DIGEST, text.encode(errors="replace"))),
    "configuration": lambda text: parse_image_config(text.encode(errors="replace"), what="it"),
}


@pytest.mark.parametrize("name", PARSERS)
@given(text=REFERENCE)
def test_texts(name: str, text: str) -> None:
    with suppress(ImagelockError):
        PARSERS[name](text)


@given(TOML)
def test_files(text: str) -> None:
    with suppress(ImagelockError):
        parse_images_file(text)
    with suppress(ImagelockError):
        parse_lockfile(text)


@given(DOCUMENT | st.binary(max_size=300), CONTENT_TYPE)
def test_documents(body: bytes, content_type: str) -> None:
    with suppress(ImagelockError):
        parse_manifest(FetchedManifest(_DIGEST, body, content_type))
    with suppress(ImagelockError):
        parse_image_config(body, what="it")
    with suppress(ImagelockError):
        parse_config_platform(body, what="it")


@given(st.sampled_from(list(_INDEX)), st.sampled_from(list(_INDEX["manifests"][0])), JSON, JSON)
def test_an_index_with_two_wrong_places(key: str, inner_key: str, outer: object, inner: object) -> None:
    entry = {**_INDEX["manifests"][0], inner_key: inner}
    for document in ({**_INDEX, "manifests": [entry]}, {**_INDEX, key: outer}):
        body = json.dumps(document).encode()
        with suppress(ImagelockError):
            parse_manifest(FetchedManifest(_DIGEST, body))


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("piece", ["a", "a/", "a.", ".", ":", "@", "-", "__", "[", '{"a":', "[[", '"', "sha256:", "\n"])
def test_time_is_in_proportion_to_length(name: str, piece: str) -> None:
    text = piece * (64 * 1024 // len(piece))
    with bounded_effort(), suppress(ImagelockError):
        PARSERS[name](text)

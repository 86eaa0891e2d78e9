from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from imagelock.errors import InvalidContentError
from imagelock.model.digest import Digest
from imagelock.model.oci import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    FetchedManifest,
    ImageIndex,
    ImageManifest,
    parse_config_platform,
    parse_manifest,
)
from imagelock.model.platforms import Platform

_DIGEST = Digest("sha256", "0a" * 32)
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_DESCRIPTOR = {"mediaType": OCI_MANIFEST, "digest": str(_DIGEST), "size": 7}
_CONFIG = {"mediaType": _CONFIG_TYPE, "digest": str(_DIGEST), "size": 7}
_AMD64 = Platform(os="linux", architecture="amd64")


def _parse(document: Mapping[str, Any], content_type: str = "") -> ImageIndex | ImageManifest:
    body = json.dumps(document).encode()
    return parse_manifest(FetchedManifest(_DIGEST, body, content_type))


def _refusal(document: Mapping[str, Any], content_type: str = "") -> str:
    with pytest.raises(InvalidContentError) as caught:
        _parse(document, content_type)
    return caught.value.message.removeprefix(f"the manifest {_DIGEST} ")


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_INDEX])
def test_an_index_lists_descriptors_in_its_own_order(media_type: str) -> None:
    platforms = [{"os": "linux", "architecture": "arm64", "variant": "v8"}, {"os": "linux", "architecture": "amd64"}]
    index = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [{**_DESCRIPTOR, "platform": platform} for platform in platforms],
        "annotations": {"b": "2", "a": "1"},
    }
    assert _parse(index) == ImageIndex(
        tuple(
            Descriptor(
                media_type=OCI_MANIFEST,
                digest=_DIGEST,
                size_bytes=7,
                platform=Platform(os="linux", architecture=architecture),
            )
            for architecture in ("arm64", "amd64")
        ),
        annotations=(("a", "1"), ("b", "2")),
    )


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_a_manifest_has_a_configuration_and_layers(media_type: str) -> None:
    layer = {"mediaType": "application/x", "digest": str(_DIGEST), "size": 0, "annotations": {"x": "y"}}
    assert _parse({"mediaType": media_type, "config": _CONFIG, "layers": [layer]}) == ImageManifest(
        Descriptor(media_type=_CONFIG_TYPE, digest=_DIGEST, size_bytes=7),
        (Descriptor(media_type="application/x", digest=_DIGEST, size_bytes=0, annotations=(("x", "y"),)),),
    )


@pytest.mark.parametrize("content_type", ["", "application/json", OCI_INDEX])
def test_what_says_nothing_of_itself_is_known_by_its_content(content_type: str) -> None:
    assert _parse({"manifests": None, "annotations": None}, content_type) == ImageIndex(())


@pytest.mark.advisory("CVE-2021-41190", "GHSA-mc8v-mgrf-8f4m")
@pytest.mark.parametrize(
    "document",
    [
        {"mediaType": OCI_INDEX, "manifests": [], "config": _CONFIG, "layers": []},
        {"mediaType": OCI_MANIFEST, "manifests": None, "layers": []},
        {"manifests": [], "config": None},
    ],
)
def test_an_index_that_is_a_manifest_as_well_is_refused(document: dict[str, Any]) -> None:
    assert _refusal(document) == "is ambiguous: it could be read as an index and as a manifest"


@pytest.mark.advisory("CVE-2021-41190", "GHSA-qq97-vm5h-rrhg")
@pytest.mark.parametrize(
    ("document", "content_type", "message"),
    [
        (
            {"mediaType": OCI_INDEX, "config": _CONFIG, "layers": []},
            "",
            f"says that it is `{OCI_INDEX}`, but its content is of another type",
        ),
        (
            {"mediaType": OCI_MANIFEST, "manifests": []},
            "",
            f"says that it is `{OCI_MANIFEST}`, but its content is of another type",
        ),
        (
            {"manifests": []},
            DOCKER_MANIFEST,
            f"says that it is `{DOCKER_MANIFEST}`, but its content is of another type",
        ),
        (
            {"mediaType": OCI_INDEX, "manifests": []},
            OCI_MANIFEST,
            f"says that it is `{OCI_INDEX}`, the server says `{OCI_MANIFEST}`",
        ),
    ],
)
def test_a_document_must_be_what_it_and_its_server_call_it(
    document: dict[str, Any], content_type: str, message: str
) -> None:
    assert _refusal(document, content_type) == message


@pytest.mark.advisory("GHSA-5j5w-g665-5m35")
@pytest.mark.parametrize("key", ["Manifests", "mediatype", "LAYERS", "Config", "schemaversion"])
def test_a_key_in_another_case_is_refused(key: str) -> None:
    assert "in case only" in _refusal({"config": _CONFIG, "layers": [], key: []})


@pytest.mark.parametrize(
    "entry",
    [
        {**_DESCRIPTOR, "Digest": str(_DIGEST)},
        {**_DESCRIPTOR, "Platform": None},
        {**_DESCRIPTOR, "platform": {"os": "linux", "architecture": "amd64", "OS": "windows"}},
    ],
)
def test_a_key_in_another_case_is_refused_deeper_down_as_well(entry: dict[str, Any]) -> None:
    assert "in case only" in _refusal({"manifests": [entry]})


def test_annotations_are_free_to_use_any_case() -> None:
    index = _parse({"manifests": [{**_DESCRIPTOR, "annotations": {"Config": "1", "config": "2", "CONFIG": "3"}}]})
    assert isinstance(index, ImageIndex)
    assert index.entries[0].annotations == (("CONFIG", "3"), ("Config", "1"), ("config", "2"))


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        ({"schemaVersion": 1, "fsLayers": []}, ""),
        ({"schemaVersion": 1}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        ({}, "application/vnd.docker.distribution.manifest.v1+json"),
    ],
)
def test_schema_1_is_refused(document: dict[str, Any], content_type: str) -> None:
    assert _refusal(document, content_type) == "has Docker's schema 1, which cannot be verified"


@pytest.mark.parametrize("document", [{}, {"config": _CONFIG}, {"layers": []}, {"mediaType": "application/x"}])
def test_what_is_no_image_is_refused(document: dict[str, Any]) -> None:
    assert _refusal(document) == "is neither an image index nor an image manifest"


@pytest.mark.advisory("CVE-2024-3727", "CVE-2024-29902")
@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, "has no usable list of entries"),
        ([_DESCRIPTOR] * 10_001, "has no usable list of entries"),
        (["sha256:ff"], "has an entry that is not a descriptor"),
        ([{**_DESCRIPTOR, "size": None}], "has an entry without a size"),
        ([{**_DESCRIPTOR, "size": True}], "has an entry without a size"),
        ([{**_DESCRIPTOR, "size": -1}], "has an entry without a size"),
        (
            [{**_DESCRIPTOR, "digest": "sha256:ff"}],
            "has an entry with an unusable digest: a sha256 digest has 64 hexadecimal digits, `sha256:ff` has 2",
        ),
        (
            [{"size": 1}],
            "has an entry with an unusable digest: `` is not a digest: it must be `sha256:` and 64 hexadecimal digits",
        ),
        ([{**_DESCRIPTOR, "annotations": ["a"]}], "has annotations that are not strings"),
        ([{**_DESCRIPTOR, "annotations": {"a": 1}}], "has annotations that are not strings"),
        ([{**_DESCRIPTOR, "platform": "linux/amd64"}], "has an entry with an unreadable platform"),
        ([{**_DESCRIPTOR, "platform": {"os.features": "win32k"}}], "has an entry with an unreadable platform"),
        ([{**_DESCRIPTOR, "platform": {"os.features": 5}}], "has an entry with an unreadable platform"),
        ([{**_DESCRIPTOR, "platform": {"os.features": [5]}}], "has an entry with an unreadable platform"),
    ],
)
def test_an_unusable_entry_makes_the_index_unusable(entries: object, message: str) -> None:
    assert _refusal({"manifests": entries}) == message


@pytest.mark.parametrize("key", ["mediaType", "artifactType"])
def test_a_text_must_be_one(key: str) -> None:
    assert _refusal({"manifests": [{**_DESCRIPTOR, key: 5}]}) == f"the manifest {_DIGEST}: `{key}` is not a string"


def test_a_media_type_must_be_a_text() -> None:
    assert _refusal({"mediaType": [], "manifests": []}) == f"the manifest {_DIGEST}: `mediaType` is not a string"


@pytest.mark.parametrize(
    "platform",
    [
        {"os": 'linux"\n[images.evil', "architecture": "amd64"},
        {"os": "windows", "architecture": "amd64", "os.version": "10\n"},
        {"os": "windows", "architecture": "amd64", "os.features": ["a+b"]},
        {"os": "linux", "architecture": "arm64/v8"},
        {"os": "linux/amd64", "architecture": "v2"},
        {"os": "linux", "architecture": "a" * 300},
    ],
)
def test_a_platform_that_images_lock_would_not_give_back_is_refused(platform: dict[str, Any]) -> None:
    assert _refusal({"manifests": [{**_DESCRIPTOR, "platform": platform}]}).startswith(
        "has an entry with an unusable platform: `"
    )


def _descriptor(**fields: Any) -> Descriptor:  # noqa: ANN401  the fields of a descriptor
    return Descriptor(**{"media_type": OCI_MANIFEST, "digest": _DIGEST, "size_bytes": 1, **fields})


@pytest.mark.parametrize(
    ("descriptor", "is_image"),
    [
        (_descriptor(platform=_AMD64), True),
        (_descriptor(media_type=DOCKER_MANIFEST, platform=_AMD64), True),
        (_descriptor(), True),
        (_descriptor(platform=_AMD64, annotations=(("io.github.containers.compression.zstd", "true"),)), True),
        (_descriptor(platform=_AMD64, annotations=(("vnd.docker.reference.type", "attestation-manifest"),)), False),
        (_descriptor(platform=Platform(os="unknown", architecture="unknown")), False),
        (_descriptor(platform=Platform(os="", architecture="")), False),
        (_descriptor(platform=_AMD64, artifact_type="application/spdx+json"), False),
        (_descriptor(media_type=OCI_INDEX, platform=_AMD64), False),
        (_descriptor(media_type="application/x", platform=_AMD64), False),
    ],
)
def test_attestations_artifacts_and_indexes_are_no_images(descriptor: Descriptor, is_image: bool) -> None:  # noqa: FBT001  the expected value
    assert descriptor.is_image is is_image


def test_an_index_in_an_index_is_known_by_its_media_type() -> None:
    assert _descriptor(media_type=DOCKER_INDEX).is_index
    assert not _descriptor().is_index


def test_a_configuration_names_the_platform_of_a_single_image() -> None:
    body = (
        b'{"os": "windows", "architecture": "x86_64", "os.version": "10.0.1", "os.features": ["win32k"], "config": {}}'
    )
    assert parse_config_platform(body, what="it") == Platform.parse("windows(10.0.1+win32k)/amd64")


@pytest.mark.parametrize(
    "body", [b"{}", b'{"os": "linux"}', b'{"architecture": "amd64"}', b'{"os": "unknown", "architecture": "unknown"}']
)
def test_a_configuration_without_platform_has_an_unknown_one(body: bytes) -> None:
    assert parse_config_platform(body, what="it").is_unknown


def test_a_configuration_must_not_be_ambiguous() -> None:
    with pytest.raises(InvalidContentError, match=r"^it is ambiguous: the key `Os` differs from `os` in case only$"):
        parse_config_platform(b'{"os": "linux", "Os": "windows", "architecture": "amd64"}', what="it")

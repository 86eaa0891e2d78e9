from __future__ import annotations

import json
from dataclasses import replace

import pytest

from imagelock.errors import ImageNotFoundError, InvalidContentError, NoImageError, TemporaryError
from imagelock.locking.resolve import ResolvedImage, resolve_image, select_platforms
from imagelock.model.platforms import Platform
from imagelock.model.reference import parse_reference
from tests.support.memory_source import MemorySource
from tests.support.oci_images import (
    OCI,
    Content,
    IndexEntry,
    attestation_of,
    image_index,
    multi_platform_image,
    platform_image,
)

_TAG = "docker.io/library/go:1"
_REFERENCE = parse_reference("go:1")


def _source(image: Content) -> MemorySource:
    source = MemorySource()
    source.push(_TAG, image)
    return source


def _resolve(image: Content) -> ResolvedImage:
    return resolve_image(_REFERENCE, _source(image))


def _platforms(resolved: ResolvedImage) -> dict[str, str]:
    return {str(entry.platform): str(entry.digest) for entry in resolved.platform_digests}


def test_an_index_gives_its_own_digest_and_each_platforms() -> None:
    amd64, arm64 = platform_image("linux/amd64"), platform_image("linux/arm64/v8")
    source = _source(index := image_index(arm64, amd64))
    resolved = resolve_image(_REFERENCE, source)
    assert str(resolved.digest) == index.digest
    assert list(_platforms(resolved).items()) == [("linux/amd64", amd64.digest), ("linux/arm64", arm64.digest)]
    assert source.requests == [f"GET {_TAG}"]


def test_a_single_image_has_the_platform_of_its_configuration() -> None:
    image = platform_image("linux/arm64").content
    source = _source(image)
    resolved = resolve_image(_REFERENCE, source)
    assert str(resolved.digest) == image.digest
    assert _platforms(resolved) == {"linux/arm64": image.digest}
    assert source.requests == [f"GET {_TAG}", f"BLOB docker.io/library/go@{image.children[0].digest}"]


def test_attestations_are_left_out() -> None:
    amd64 = platform_image("linux/amd64")
    assert _platforms(_resolve(image_index(amd64, attestation_of(amd64)))) == {"linux/amd64": amd64.digest}


def test_of_two_entries_for_one_platform_builders_take_the_first() -> None:
    first = platform_image("linux/amd64", files={"a": b""})
    second = platform_image("linux/amd64", files={"b": b""})
    twin = replace(second, platform={"os": "linux", "architecture": "amd64", "variant": "v1"})
    assert _platforms(_resolve(image_index(first, second, twin))) == {"linux/amd64": first.digest}


def test_an_entry_without_platform_is_asked_for_it() -> None:
    entry = replace(platform_image("linux/s390x"), platform={})
    assert _platforms(_resolve(image_index(entry))) == {"linux/s390x": entry.digest}


def test_an_entry_without_platform_that_tells_none_is_no_image() -> None:
    amd64, artifact = platform_image("linux/amd64"), IndexEntry(content=_without_platform())
    assert _platforms(_resolve(image_index(artifact, amd64))) == {"linux/amd64": amd64.digest}


def _without_platform() -> Content:
    config = Content(media_type=OCI.config, body=b"{}")
    body = {"config": config.descriptor(), "layers": []}
    return Content(media_type=OCI.manifest, body=json.dumps(body).encode(), children=(config,))


def _nested(depth: int) -> Content:
    index = multi_platform_image("linux/amd64")
    for _ in range(depth):
        index = image_index(IndexEntry(content=index))
    return index


def test_an_index_in_an_index_is_followed() -> None:
    arm64, inner = platform_image("linux/arm64"), platform_image("linux/amd64")
    index = image_index(arm64, IndexEntry(content=image_index(inner)))
    resolved = _resolve(index)
    assert str(resolved.digest) == index.digest
    assert _platforms(resolved) == {"linux/amd64": inner.digest, "linux/arm64": arm64.digest}


def test_indexes_are_followed_to_a_small_depth() -> None:
    assert list(_platforms(_resolve(_nested(3)))) == ["linux/amd64"]
    with pytest.raises(InvalidContentError) as caught:
        _resolve(index := _nested(4))
    assert caught.value.message == f"the image index {index.digest} nests other indexes more than 3 deep"


@pytest.mark.advisory("CVE-2024-29903", "GHSA-vfp6-jrw2-99g9")
def test_a_few_bytes_cannot_ask_for_endless_work() -> None:
    index = multi_platform_image("linux/amd64")
    for _ in range(3):
        index = image_index(*[IndexEntry(content=index)] * 50)
    source = _source(index)
    with pytest.raises(InvalidContentError) as caught:
        resolve_image(_REFERENCE, source)
    assert caught.value.message == f"the image index {index.digest} leads to more than 100 others"
    assert len(source.requests) == 101


def test_declared_platforms_are_chosen_and_sorted_by_name() -> None:
    resolved = _resolve(multi_platform_image("linux/arm/v7", "linux/amd64", "linux/arm64"))
    chosen = select_platforms(map(Platform.parse, ("linux/arm64", "linux/arm")), resolved, _REFERENCE)
    assert [str(entry.platform) for entry in chosen] == ["linux/arm/v7", "linux/arm64"]


def test_without_a_list_all_platforms_are_chosen() -> None:
    resolved = _resolve(multi_platform_image("linux/arm64", "linux/amd64"))
    assert select_platforms((), resolved, _REFERENCE) == resolved.platform_digests


def test_missing_platforms_are_named_beside_those_that_are_there() -> None:
    resolved = _resolve(multi_platform_image("linux/arm64", "linux/amd64"))
    wanted = map(Platform.parse, ("linux/s390x", "linux/amd64", "linux/ppc64le"))
    with pytest.raises(ImageNotFoundError) as caught:
        select_platforms(wanted, resolved, _REFERENCE)
    assert caught.value.message == f"{_TAG} has no linux/s390x, linux/ppc64le (it has: linux/amd64, linux/arm64)"


def test_an_index_without_images_has_nothing_to_lock() -> None:
    with pytest.raises(ImageNotFoundError, match=rf"^{_TAG} has no image for any platform$") as raised:
        select_platforms((), _resolve(image_index(attestation_of(platform_image("linux/amd64")))), _REFERENCE)
    assert raised.value.hint == "images.toml locks images only: take it out, or name the tag of an image"


def _windows(*builds: str) -> ResolvedImage:
    return _resolve(image_index(*(platform_image("windows/amd64", os_version=build) for build in builds)))


def test_a_windows_platform_may_leave_out_its_build_where_there_is_one() -> None:
    resolved = _windows("10.0.17763.1", "10.0.20348.1")
    [chosen] = select_platforms([Platform.parse("windows(10.0.20348)/amd64")], resolved, _REFERENCE)
    assert str(chosen.platform) == "windows(10.0.20348.1)/amd64"


def test_of_several_windows_builds_one_must_be_named() -> None:
    with pytest.raises(ImageNotFoundError) as caught:
        select_platforms([Platform.parse("windows/amd64")], _windows("10.0.20348.1", "10.0.17763.1"), _REFERENCE)
    assert caught.value.message == (
        f"{_TAG} has several windows/amd64 (it has: windows(10.0.17763.1)/amd64, windows(10.0.20348.1)/amd64)"
    )
    assert caught.value.hint == "name one of them in images.toml, such as `windows(10.0.17763.1)/amd64`"


def test_an_equal_platform_is_preferred_to_a_more_exact_one() -> None:
    resolved = _windows("10.0.17763.1", "")
    [chosen] = select_platforms([Platform.parse("windows/amd64")], resolved, _REFERENCE)
    assert str(chosen.platform) == "windows/amd64"


def test_a_platform_without_a_name_can_not_be_locked() -> None:
    image = _without_platform()
    with pytest.raises(InvalidContentError) as caught:
        _resolve(image)
    assert caught.value.message == f"the image configuration {image.children[0].digest} names no platform"


def _artifact(config_type: str, body: bytes, *, layers: bool = True) -> Content:
    config = Content(media_type=config_type, body=body)
    document = {"schemaVersion": 2, "mediaType": OCI.manifest, "config": config.descriptor()}
    if layers:
        document["layers"] = []
    return Content(media_type=OCI.manifest, body=json.dumps(document).encode(), children=(config,))


_STRAYS = [
    (_artifact("image/gif", b"GIF89a"), "it is no image: it is an artifact of type `image/gif`"),
    (_artifact("image/gif", b"{}", layers=False), "is neither an image index nor an image manifest"),
    (_artifact("application/vnd.cncf.helm.config.v1+json", b"{}"), "it is no image: it is a Helm chart"),
    (_artifact(OCI.config, b"not json"), "is not JSON"),
    (_artifact(OCI.config, b'{"os": "linux"}'), "names no platform"),
    (Content(media_type=OCI.manifest, body=b"{", children=(platform_image("linux/amd64").content,)), "is not JSON"),
    (Content(media_type=OCI.manifest, body=b"[]", children=(platform_image("linux/amd64").content,)), "JSON object"),
]


@pytest.mark.parametrize(("stray", "reason"), _STRAYS)
@pytest.mark.parametrize("is_first", [True, False])
def test_what_strays_beside_a_wanted_platform_is_left_out_and_told(
    stray: Content, reason: str, *, is_first: bool
) -> None:
    image, entry = platform_image("linux/amd64"), IndexEntry(content=stray)
    resolved = _resolve(image_index(entry, image) if is_first else image_index(image, entry))
    for wanted in ((Platform.parse("linux/amd64"),), ()):
        chosen = select_platforms(wanted, resolved, _REFERENCE)
        assert [str(each.digest) for each in chosen] == [image.digest]
    [note] = resolved.notes
    assert note.startswith(f"{stray.digest[7:19]} of the index is left out: ")
    assert reason in note


def test_an_entry_without_platform_that_is_gone_is_left_out_and_told() -> None:
    image, gone = platform_image("linux/amd64"), platform_image("linux/arm64")
    source = _source(image_index(image, replace(gone, platform={})))
    source.forget(gone.content)
    resolved = resolve_image(_REFERENCE, source)
    assert _platforms(resolved) == {"linux/amd64": image.digest}
    assert "is not there" in resolved.notes[0]
    with pytest.raises(ImageNotFoundError) as raised:
        select_platforms([Platform.parse("linux/arm64")], resolved, _REFERENCE)
    assert raised.value.details == resolved.notes


_S390X = {"os": "linux", "architecture": "s390x"}
_UNUSABLE = [
    ({"digest": f"blake3:{'a' * 64}", "platform": _S390X}, "unsupported digest algorithm `blake3`"),
    ({"digest": "sha256:ff", "platform": _S390X}, "has 64 hexadecimal digits"),
    ({"digest": "", "platform": None}, "is not a digest"),
    ({"size": None, "platform": _S390X}, "without a size"),
    ({"platform": {"os": "li nux", "architecture": "x\n"}}, "unusable platform"),
]


def _index_with(image: IndexEntry, **fields: object) -> Content:
    """An index of an image and an entry that is the same but for some fields."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI.index,
        "manifests": [{**image.descriptor(), **fields}, image.descriptor()],
    }
    return Content(media_type=OCI.index, body=json.dumps(document).encode(), children=(image.content,))


@pytest.mark.advisory("CVE-2024-3727")
@pytest.mark.parametrize(("fields", "reason"), _UNUSABLE)
def test_an_unusable_entry_costs_only_its_own_platform(fields: dict[str, object], reason: str) -> None:
    image = platform_image("linux/amd64")
    resolved = _resolve(_index_with(image, **fields))
    [chosen] = select_platforms([Platform.parse("linux/amd64")], resolved, _REFERENCE)
    assert str(chosen.digest) == image.digest
    [note] = resolved.notes
    assert note.startswith("an entry of the index is left out: ")
    assert reason in note
    with pytest.raises(InvalidContentError, match=reason) as raised:
        select_platforms([], resolved, _REFERENCE)
    assert raised.value.hint is not None
    if fields.get("platform") == _S390X:
        with pytest.raises(InvalidContentError, match=reason):
            select_platforms([Platform.parse("linux/s390x")], resolved, _REFERENCE)


@pytest.mark.parametrize("kind", [{"artifactType": "application/x"}, {"mediaType": "application/x"}])
def test_an_unusable_artifact_costs_no_platform(kind: dict[str, str]) -> None:
    image = platform_image("linux/amd64")
    resolved = _resolve(_index_with(image, digest="blake3:ff", **kind))
    assert [str(each.digest) for each in select_platforms([], resolved, _REFERENCE)] == [image.digest]


@pytest.mark.parametrize("fields", [{"annotations": 5}, {"platform": 5}, {"size": "5"}, {"Digest": "x"}, {"digest": 5}])
def test_an_index_that_clients_cannot_read_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidContentError):
        _resolve(_index_with(platform_image("linux/amd64"), **fields))


def test_what_may_come_back_is_no_stray() -> None:
    image, busy = platform_image("linux/amd64"), platform_image("linux/arm64")
    source = _source(image_index(image, replace(busy, platform={})))
    source.failures[f"docker.io/library/go@{busy.digest}"] = TemporaryError("no answer")
    with pytest.raises(TemporaryError):
        resolve_image(_REFERENCE, source)


def test_an_index_in_the_index_that_is_gone_may_hold_what_is_wanted() -> None:
    image, inner = platform_image("linux/amd64"), image_index(platform_image("linux/arm64"))
    arm64 = {"os": "linux", "architecture": "arm64"}
    for entry, is_named in ((IndexEntry(content=inner, platform=arm64), True), (IndexEntry(content=inner), False)):
        source = _source(image_index(image, entry))
        source.forget(inner)
        resolved = resolve_image(_REFERENCE, source)
        chosen = select_platforms([Platform.parse("linux/amd64")], resolved, _REFERENCE)
        assert [str(each.digest) for each in chosen] == [image.digest]
        for wanted in ((), (Platform.parse("linux/arm64"),)):
            with pytest.raises(ImageNotFoundError) as raised:
                select_platforms(wanted, resolved, _REFERENCE)
            assert ("linux/arm64" in raised.value.message) is (is_named or bool(wanted))


@pytest.mark.parametrize(
    ("config_type", "kind"),
    [
        ("application/vnd.cncf.helm.config.v1+json", "a Helm chart"),
        ("application/vnd.cncf.flux.config.v1+json", "a Flux artifact"),
        ("application/vnd.acme.thing", "an artifact of type `application/vnd.acme.thing`"),
    ],
)
def test_an_artifact_is_named_with_its_tag(config_type: str, kind: str) -> None:
    with pytest.raises(NoImageError) as raised:
        _resolve(_artifact(config_type, b'{"name": "x"}'))
    assert raised.value.message == f"{_TAG} is no image: it is {kind}"


def test_an_unusual_type_of_configuration_is_read_if_it_names_a_platform() -> None:
    image = _artifact("application/octet-stream", b'{"os": "linux", "architecture": "amd64"}')
    assert _platforms(_resolve(image)) == {"linux/amd64": image.digest}


def test_an_index_of_artifacts_says_what_it_holds() -> None:
    cache = Content(media_type="application/vnd.buildkit.cacheconfig.v0", body=b"{}")
    resolved = _resolve(image_index(IndexEntry(content=cache)))
    with pytest.raises(ImageNotFoundError) as raised:
        select_platforms((), resolved, _REFERENCE)
    assert raised.value.details == ("what it lists is a BuildKit cache",)


def test_annotations_of_null_say_nothing() -> None:
    image = platform_image("linux/amd64")
    index = json.loads(image_index(image).body)
    index["annotations"] = {"org.opencontainers.image.version": None}
    index["manifests"][0]["annotations"] = {"x": None}
    content = Content(media_type=OCI.index, body=json.dumps(index).encode(), children=(image.content,))
    assert _platforms(_resolve(content)) == {"linux/amd64": image.digest}

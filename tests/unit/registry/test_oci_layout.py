from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from imagelock.errors import ImageNotFoundError, InvalidContentError, RegistryError
from imagelock.locking.resolve import resolve_image
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import (
    LayoutRepository,
    PinnedReference,
    RegistryName,
    Repository,
    TagReference,
)
from imagelock.registry.oci_layout import LayoutSource, find_signed_digest
from tests.support.oci_images import Content, multi_platform_image, platform_image, sha256
from tests.support.oci_layout import write_layout

_LAYOUT = LayoutRepository("vendor")
_TAG = TagReference(_LAYOUT, "go:1")


@pytest.fixture
def image(tmp_path: Path) -> Content:
    image = multi_platform_image("linux/amd64", "linux/arm64")
    write_layout(tmp_path / "vendor", {"go:1": image, "go:2": image})
    return image


def _blob(tmp_path: Path, digest: str) -> Path:
    return tmp_path / "vendor" / "blobs" / "sha256" / digest.removeprefix("sha256:")


def _error(call: Callable[[], object], kind: type[RegistryError] = ImageNotFoundError) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(kind) as caught:
        call()
    return caught.value.message, caught.value.details


def test_an_image_is_found_by_its_name(tmp_path: Path, image: Content) -> None:
    source = LayoutSource(tmp_path)
    source.prepare([_LAYOUT])
    assert str(source.fetch_digest(_TAG)) == image.digest
    fetched = source.fetch_manifest(_TAG)
    assert (str(fetched.digest), fetched.body, fetched.content_type) == (image.digest, image.body, "")


def test_the_names_are_listed(tmp_path: Path, image: Content) -> None:
    assert image.digest
    assert LayoutSource(tmp_path).list_tags(_LAYOUT) == ("go:1", "go:2")


def test_a_digest_is_found_whether_it_has_a_name_or_not(tmp_path: Path, image: Content) -> None:
    source = LayoutSource(tmp_path)
    child = PinnedReference(_LAYOUT, Digest.parse(image.children[0].digest))
    assert source.fetch_digest(child) == child.digest
    assert source.fetch_manifest(child).body == image.children[0].body


def test_a_layout_may_stand_anywhere(tmp_path: Path, image: Content) -> None:
    reference = TagReference(LayoutRepository(str(tmp_path / "vendor")), "go:1")
    assert str(LayoutSource(Path("/nowhere")).fetch_digest(reference)) == image.digest


def test_a_single_image_is_resolved_by_its_configuration(tmp_path: Path) -> None:
    image = platform_image("linux/s390x").content
    write_layout(tmp_path / "vendor", {"go:1": image})
    [entry] = resolve_image(_TAG, LayoutSource(tmp_path)).platform_digests
    assert (str(entry.platform), str(entry.digest)) == ("linux/s390x", image.digest)


def test_a_missing_name_is_told_beside_those_that_are_there(tmp_path: Path, image: Content) -> None:
    assert image.digest
    assert _error(lambda: LayoutSource(tmp_path).fetch_digest(TagReference(_LAYOUT, "go:11"))) == (
        "oci:vendor has no image named `go:11`; did you mean `go:1`?",
        ("it has: go:1, go:2",),
    )


def test_a_layout_without_names_says_so(tmp_path: Path) -> None:
    write_layout(tmp_path / "vendor", {})
    assert _error(lambda: LayoutSource(tmp_path).fetch_manifest(_TAG)) == (
        "oci:vendor has no image named `go:1`",
        ("it has: none with a name",),
    )


def test_what_is_no_layout_is_told(tmp_path: Path) -> None:
    assert _error(lambda: LayoutSource(tmp_path).fetch_digest(_TAG)) == (
        "oci:vendor is not an OCI layout",
        (f"{tmp_path}/vendor/index.json: No such file or directory",),
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        (
            '{"manifests": [], "Manifests": []}',
            "is ambiguous: the key `Manifests` differs from `manifests` in case only",
        ),
        (json.dumps({"config": {"size": 1, "digest": sha256(b"")}, "layers": []}), "is not an image index"),
    ],
)
def test_an_unusable_layout_is_told_with_its_file(tmp_path: Path, content: str, reason: str) -> None:
    write_layout(tmp_path / "vendor", {})
    (tmp_path / "vendor" / "index.json").write_text(content)
    assert _error(lambda: LayoutSource(tmp_path).fetch_digest(_TAG), InvalidContentError) == (
        f"{tmp_path}/vendor/index.json {reason}",
        (),
    )


def test_a_digest_that_is_not_there_is_told(tmp_path: Path, image: Content) -> None:
    assert image.digest
    reference = PinnedReference(_LAYOUT, Digest.of(b""))
    message = f"oci:vendor has no content {reference.digest}"
    assert _error(lambda: LayoutSource(tmp_path).fetch_digest(reference)) == (message, ())


def test_a_missing_blob_is_told_with_its_file(tmp_path: Path, image: Content) -> None:
    path = _blob(tmp_path, image.digest)
    path.unlink()
    assert _error(lambda: LayoutSource(tmp_path).fetch_manifest(_TAG)) == (
        f"oci:vendor lacks {image.digest}",
        (f"{path}: No such file or directory",),
    )


def test_a_blob_with_other_content_is_refused(tmp_path: Path, image: Content) -> None:
    path = _blob(tmp_path, image.digest)
    path.write_bytes(image.body + b"\n")
    message = f"{path} is damaged: its content has another digest"
    assert _error(lambda: LayoutSource(tmp_path).fetch_manifest(_TAG), InvalidContentError) == (message, ())


@pytest.mark.advisory("CVE-2021-21272", "CVE-2024-3727")
@pytest.mark.parametrize("digest", ["sha256:../../../secret", "../../secret", "sha256:", "SHA256:" + "a" * 64])
def test_an_index_cannot_lead_out_of_its_layout(tmp_path: Path, image: Content, digest: str) -> None:
    assert image.digest
    annotations = {"org.opencontainers.image.ref.name": "go:1"}
    entry = {"mediaType": "x", "digest": digest, "size": 1, "annotations": annotations}
    (tmp_path / "vendor" / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    message, _ = _error(lambda: LayoutSource(tmp_path).fetch_manifest(_TAG), InvalidContentError)
    assert message.startswith(f"{tmp_path}/vendor/index.json has an entry with an unusable digest")


@pytest.mark.advisory("CVE-2026-50163")
def test_a_link_that_leads_out_of_a_layout_shows_nothing_of_what_is_there(tmp_path: Path, image: Content) -> None:
    (tmp_path / "secret").write_text("hunter2")
    path = _blob(tmp_path, image.digest)
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    message, details = _error(lambda: LayoutSource(tmp_path).fetch_manifest(_TAG), InvalidContentError)
    assert (message, details) == (f"{path} is damaged: its content has another digest", ())


def test_a_manifest_has_a_limit_and_a_blob_a_larger_one(tmp_path: Path, image: Content) -> None:
    path = _blob(tmp_path, image.digest)
    path.write_bytes(bytes(4 * 1024 * 1024 + 1))
    source = LayoutSource(tmp_path)
    message = f"{path} is larger than 4194304 bytes"
    assert _error(lambda: source.fetch_manifest(_TAG), InvalidContentError) == (message, ())
    body = bytes(4 * 1024 * 1024 + 1)
    blob = Descriptor(media_type="x", digest=Digest.of(body), size_bytes=len(body))
    _blob(tmp_path, str(blob.digest)).write_bytes(body)
    assert source.fetch_blob(_LAYOUT, blob) == body


def test_a_repository_of_a_registry_is_no_layout(tmp_path: Path) -> None:
    reference = TagReference(Repository(RegistryName("docker.io"), "library/go"), "1")
    with pytest.raises(TypeError, match=r"^docker\.io/library/go is not a layout$"):
        LayoutSource(tmp_path).fetch_digest(reference)


_HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize("suffix", ["", ".sig", ".att", ".sbom"])
@pytest.mark.parametrize("prefix", ["", "docker.io/library/go:", "localhost:5000/go:"])
def test_the_tags_of_cosign_are_told_from_images(prefix: str, suffix: str) -> None:
    assert find_signed_digest(f"{prefix}sha256-{_HEX}{suffix}") == Digest("sha256", _HEX)


@pytest.mark.parametrize(
    "name", ["", "1", "docker.io/library/go:1", f"sha256-{_HEX[1:]}", f"go@sha256:{_HEX}", f"sha256-{_HEX}.other"]
)
def test_other_names_are_images(name: str) -> None:
    assert find_signed_digest(name) is None


def test_two_images_of_one_name_are_refused_where_the_name_is_wanted(tmp_path: Path) -> None:
    images = {note: multi_platform_image("linux/amd64", note=note) for note in ("one", "two")}
    write_layout(tmp_path / "vendor", images)
    index = tmp_path / "vendor/index.json"
    index.write_text(index.read_text().replace('"two"', '"one"'))
    source, layout = LayoutSource(tmp_path), LayoutRepository("vendor")
    with pytest.raises(InvalidContentError) as caught:
        source.fetch_digest(TagReference(layout, "one"))
    assert caught.value.message == "oci:vendor has 2 images named `one`"
    digest = Digest.parse(images["two"].digest)
    assert source.fetch_digest(PinnedReference(layout, digest)) == digest
    assert source.list_tags(layout) == ("one",)

"""Mirroring into a layout: everything that belongs to an image, once, and again only what is missing or wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from imagelock.errors import (
    AuthenticationError,
    BatchError,
    ExitCode,
    ImagelockError,
    ImageNotFoundError,
    InvalidContentError,
    TemporaryError,
)
from imagelock.locking.mirror import MirroredImage
from imagelock.locking.parallel import UNWATCHED, Watcher
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import AnyRepository, LayoutRepository, PinnedReference, parse_repository
from imagelock.registry.layout_mirror import MirrorResult, mirror_images
from imagelock.registry.layout_writer import open_layout_writer
from imagelock.registry.oci_layout import LayoutSource
from tests.support.attestations import attestation, statement
from tests.support.memory_source import MemorySource, verified_pieces
from tests.support.oci_images import (
    OCI,
    Content,
    IndexEntry,
    image_index,
    multi_platform_image,
    platform_image,
)

_GO, _NODE = (parse_repository(f"docker.io/library/{name}") for name in ("go", "node"))


@dataclass(slots=True)
class _Counter:
    """Adds up what a progress is told."""

    total: int = 0
    done: int = 0
    steps: list[int] = field(default_factory=list)
    manifests: Watcher = UNWATCHED
    blobs: Watcher = UNWATCHED

    def expect_bytes(self, size_bytes: int) -> None:
        self.total = size_bytes

    def add(self, size_bytes: int) -> None:
        self.done += size_bytes
        self.steps.append(size_bytes)


def _mirror(
    folder: Path,
    source: MemorySource,
    *images: tuple[AnyRepository, Content],
    progress: _Counter | None = None,
    with_signatures: bool = True,
) -> MirrorResult:
    mirrored = [
        MirroredImage(f"{repository}:1", PinnedReference(repository, Digest.parse(image.digest), "1"))
        for repository, image in images
    ]
    with open_layout_writer(folder) as writer:
        return mirror_images(mirrored, source, writer, progress=progress or _Counter(), with_signatures=with_signatures)


def _blobs(folder: Path) -> dict[str, bytes]:
    return {f"sha256:{path.name}": path.read_bytes() for path in folder.glob("blobs/sha256/*")}


def _bodies(*images: Content) -> dict[str, bytes]:
    return {content.digest: content.body for image in images for content in image.walk()}


def _blob_requests(source: MemorySource) -> Counter[str]:
    return Counter(request.rpartition("@")[2] for request in source.requests if request.startswith("BLOB"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vendor" / "layout"


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


def test_every_byte_of_an_image_arrives(source: MemorySource, folder: Path) -> None:
    amd64 = platform_image("linux/amd64", files={"large": b"x" * 100_000})
    image = source.push("go", image_index(amd64, platform_image("linux/arm64"), attestation(amd64, statement([]))))
    progress = _Counter()
    result = _mirror(folder, source, (_GO, image), progress=progress)
    assert _blobs(folder) == _bodies(image)
    size_bytes = sum(map(len, _bodies(image).values()))
    blob_bytes = size_bytes - sum(len(each.body) for each in image.walk() if not each.is_blob)
    assert (result.size_bytes, result.fetched_bytes, result.skipped) == (size_bytes, blob_bytes, ())
    assert {name: str(root.digest) for name, root in result.names.items()} == {f"{_GO}:1": image.digest}
    assert (progress.done, progress.total) == (blob_bytes, blob_bytes)
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert sorted(path.name for path in folder.iterdir()) == ["blobs", "oci-layout"]


def test_what_images_share_is_fetched_once(source: MemorySource, folder: Path) -> None:
    shared = platform_image("linux/amd64", files={"base": b"x" * 5000})
    one, two = (
        source.push(name, image_index(shared, platform_image(platform)))
        for name, platform in (("go", "linux/arm64"), ("node", "linux/s390x"))
    )
    _mirror(folder, source, (_GO, one), (_NODE, two))
    assert set(_blob_requests(source).values()) == {1}
    assert _blobs(folder) == _bodies(one, two)


def test_what_is_there_and_right_is_not_fetched_again(source: MemorySource, folder: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64", "linux/arm64"))
    _mirror(folder, source, (_GO, image))
    source.requests.clear()
    progress = _Counter()
    result = _mirror(folder, source, (_GO, image), progress=progress)
    assert [request for request in source.requests if "@" in request] == []
    assert (result.fetched_bytes, progress.done) == (0, progress.total)


@pytest.mark.parametrize("change", ["byte", "shorter", "longer", "empty", "missing"])
@pytest.mark.parametrize("position", [0, 1, -1])
def test_a_changed_byte_is_found_and_replaced(source: MemorySource, folder: Path, change: str, position: int) -> None:
    image = source.push("go", multi_platform_image("linux/amd64", "linux/arm64"))
    _mirror(folder, source, (_GO, image))
    digest = list(_bodies(image))[position]
    path = folder / "blobs/sha256" / digest.removeprefix("sha256:")
    body = path.read_bytes()
    changed = {"byte": body[:-1] + bytes([body[-1] ^ 1]), "shorter": body[:-1], "longer": body + b"x", "empty": b""}
    path.write_bytes(changed[change]) if change in changed else path.unlink()
    source.requests.clear()
    _mirror(folder, source, (_GO, image))
    assert _blobs(folder) == _bodies(image)
    asked = [request.rpartition("@")[2] for request in source.requests if "@" in request]
    assert asked == [digest]


def test_wrong_content_is_refused_and_nothing_of_it_stays(source: MemorySource, folder: Path) -> None:
    image = multi_platform_image("linux/amd64")
    layer = image.children[0].children[1]
    source.push("go", image)
    for body in (layer.body[:-1], layer.body + b"x", b"y" * len(layer.body)):
        wrong = _Wrong(source, layer.digest, body)
        with pytest.raises(BatchError) as caught:
            _mirror(folder, wrong, (_GO, image))
        assert [type(error) for _, error in caught.value.failures] == [InvalidContentError]
        assert layer.digest not in _blobs(folder)
        assert not (folder / "index.json").exists()


def test_an_endless_blob_ends_at_its_size(source: MemorySource, folder: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64"))
    with pytest.raises(BatchError, match="cannot fetch 1 of 2 blobs"):
        _mirror(folder, _Endless(source, image.children[0].children[1].digest), (_GO, image))


def test_all_failures_are_told_and_what_arrived_stays(source: MemorySource, folder: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64", "linux/arm64"))
    layers = [child.children[1].digest for child in image.children]
    source.failures = {f"{_GO}@{digest}": AuthenticationError("no") for digest in layers}
    with pytest.raises(BatchError) as caught:
        _mirror(folder, source, (_GO, image))
    assert [name for name, _ in caught.value.failures] == sorted(f"{_GO}@{digest}" for digest in layers)
    assert caught.value.exit_code is ExitCode.CANNOT
    assert set(_blobs(folder)) == set(_bodies(image)) - set(layers)
    source.failures = {}
    source.requests.clear()
    _mirror(folder, source, (_GO, image))
    assert set(_blob_requests(source)) == set(layers)


def test_a_broken_connection_is_tried_again(source: MemorySource, folder: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64"))
    progress = _Counter()
    _mirror(folder, _Breaking(source, times=3), (_GO, image), progress=progress)
    assert _blobs(folder) == _bodies(image)
    assert progress.done == progress.total
    assert min(progress.steps) < 0


def test_a_registry_that_keeps_breaking_is_for_later(source: MemorySource, folder: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64"))
    with pytest.raises(BatchError) as caught:
        _mirror(folder, _Breaking(source, times=100), (_GO, image))
    assert caught.value.exit_code is ExitCode.TRY_AGAIN


def test_cosigns_tags_come_along(source: MemorySource, folder: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64"))
    tag = f"{_GO}:{image.digest.replace(':', '-')}"
    child = f"{_GO}:{image.children[0].digest.replace(':', '-')}"
    signature = source.push(f"{tag}.sig", platform_image("linux/amd64", files={"signature": b"1"}).content)
    attested = source.push(f"{child}.att", platform_image("linux/amd64", files={"signature": b"2"}).content)
    referrers = source.push(tag, image_index(IndexEntry(content=signature)))
    result = _mirror(folder, source, (_GO, image))
    assert {name: str(root.digest) for name, root in result.names.items()} == {
        f"{_GO}:1": image.digest,
        tag: referrers.digest,
        f"{tag}.sig": signature.digest,
        f"{child}.att": attested.digest,
    }
    assert _blobs(folder) == _bodies(image, signature, attested, referrers)


@pytest.mark.parametrize("error", [TemporaryError("busy"), AuthenticationError("no")])
def test_only_a_missing_tag_means_that_there_is_no_signature(
    source: MemorySource, folder: Path, error: ImagelockError
) -> None:
    image = source.push("go", multi_platform_image("linux/amd64"))
    source.failures = {f"{_GO}:{image.digest.replace(':', '-')}.sig": error}
    with pytest.raises(BatchError, match="cannot look for signatures under 1 of 8 tags") as caught:
        _mirror(folder, source, (_GO, image))
    assert caught.value.exit_code is error.exit_code


def test_signatures_that_cannot_be_looked_for_are_told_once_for_each_repository_and_reason(
    source: MemorySource, folder: Path
) -> None:
    image = source.push("go", multi_platform_image("linux/amd64"))
    index, child = (each.digest.replace(":", "-") for each in (image, image.children[0]))
    source.failures = {f"{_GO}:{index}{end}": TemporaryError(f"{_GO}:{index}{end} is busy") for end in (".sig", ".att")}
    source.failures |= {f"{_GO}:{child}.sig": AuthenticationError("no")}
    with pytest.raises(BatchError, match="cannot look for signatures under 3 of 8 tags") as caught:
        _mirror(folder, source, (_GO, image))
    assert sorted(caught.value.details) == sorted(
        [f"{_GO} (2 tags): {_GO}:{index}.att is busy", f"{_GO}:{child}.sig: no"]
    )
    assert caught.value.exit_code is ExitCode.CANNOT


def test_no_tag_is_asked_for_where_signatures_are_not_wanted(source: MemorySource, folder: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64"))
    source.push(f"{_GO}:{image.digest.replace(':', '-')}.sig", platform_image("linux/amd64").content)
    assert set(_mirror(folder, source, (_GO, image), with_signatures=False).names) == {f"{_GO}:1"}
    assert [request for request in source.requests if "sha256-" in request] == []


def _large_image() -> Content:
    """An image with so many platforms that its signatures are looked for in the list of tags."""
    return multi_platform_image(*(f"linux/arch{number}" for number in range(12)))


def test_the_tags_of_many_manifests_are_looked_up_in_one_list(source: MemorySource, folder: Path) -> None:
    image = source.push(f"{_GO}:1", _large_image())
    signed = f"{_GO}:{image.children[11].digest.replace(':', '-')}.sig"
    signature = source.push(signed, platform_image("linux/amd64", files={"signature": b"1"}).content)
    result = _mirror(folder, source, (_GO, image))
    assert {name: str(root.digest) for name, root in result.names.items()} == {
        f"{_GO}:1": image.digest,
        signed: signature.digest,
    }
    assert [request for request in source.requests if "sha256-" in request] == [f"GET {signed}"]
    assert f"TAGS {_GO}" in source.requests


def test_where_the_list_of_tags_is_refused_each_tag_is_asked_for(source: MemorySource, folder: Path) -> None:
    image = source.push(f"{_GO}:1", _large_image())
    signed = f"{_GO}:{image.children[11].digest.replace(':', '-')}.sig"
    source.push(signed, platform_image("linux/amd64", files={"signature": b"1"}).content)
    result = _mirror(folder, _WithoutTags(source), (_GO, image))
    assert set(result.names) == {f"{_GO}:1", signed}


def test_a_layer_that_may_not_be_distributed_may_be_missing(source: MemorySource, folder: Path) -> None:
    family = replace(OCI, layer="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
    image = source.push("go", multi_platform_image("linux/amd64", family=family))
    layer = image.children[0].children[1]
    source.forget(layer)
    result = _mirror(folder, source, (_GO, image))
    assert [str(blob.digest) for blob in result.skipped] == [layer.digest]


def test_any_other_missing_blob_is_an_error(source: MemorySource, folder: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64"))
    source.forget(image.children[0].children[1])
    with pytest.raises(BatchError) as caught:
        _mirror(folder, source, (_GO, image))
    assert [type(error) for _, error in caught.value.failures] == [ImageNotFoundError]


def test_the_layout_is_a_source_of_the_same_content(source: MemorySource, folder: Path, tmp_path: Path) -> None:
    image = source.push("go", multi_platform_image("linux/amd64", "linux/arm64"))
    _mirror(folder, source, (_GO, image))
    layout = LayoutRepository(str(folder))
    copy = tmp_path / "copy"
    with open_layout_writer(copy) as writer:
        mirrored = MirroredImage("1", PinnedReference(layout, Digest.parse(image.digest)))
        mirror_images([mirrored], LayoutSource(tmp_path), writer, progress=_Counter())
    assert _blobs(copy) == _bodies(image)


class _Changed(MemorySource):
    """Another source with one thing wrong."""

    def __init__(self, source: MemorySource) -> None:
        super().__init__(tags=source.tags)
        for tag, image in source.tags.items():
            self.push(tag, image)


class _WithoutTags(_Changed):
    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        raise AuthenticationError(f"the tags of {repository} may not be listed")


class _Wrong(_Changed):
    def __init__(self, source: MemorySource, digest: str, body: bytes) -> None:
        super().__init__(source)
        self._digest, self._body = digest, body

    @contextmanager
    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        if str(descriptor.digest) == self._digest:
            yield verified_pieces(descriptor, self._body, piece_bytes=1000)
        else:
            with super().open_blob(repository, descriptor) as pieces:
                yield pieces


class _Endless(_Changed):
    def __init__(self, source: MemorySource, digest: str) -> None:
        super().__init__(source)
        self._digest = digest

    @contextmanager
    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        if str(descriptor.digest) == self._digest:
            yield iter(lambda: b"x" * 100, b"")
        else:
            with super().open_blob(repository, descriptor) as pieces:
                yield pieces


class _Breaking(_Changed):
    """Breaks off after the first piece of a layer, this often."""

    def __init__(self, source: MemorySource, *, times: int) -> None:
        super().__init__(source)
        self._times = times

    @contextmanager
    def open_blob(self, repository: AnyRepository, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        with super().open_blob(repository, descriptor) as pieces:
            yield self._broken(pieces) if "layer" in descriptor.media_type else pieces

    def _broken(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._times > 0:
                self._times -= 1
                yield piece[:10]
                raise TemporaryError("the connection broke")
            yield piece

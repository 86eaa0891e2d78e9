from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from imagelock.errors import AuthenticationError, ImagelockError, InvalidContentError, TemporaryError
from imagelock.locking.lockfile import Lockfile, dump_lockfile, parse_lockfile
from imagelock.locking.verify import Finding, State, Verification, verify_images
from imagelock.model.digest import Digest
from imagelock.model.labels import Labels
from imagelock.model.platforms import Platform
from imagelock.model.reference import AnyRepository
from tests.support.lock_runs import DECLARED, GO, locked, update
from tests.support.memory_source import MemorySource
from tests.support.oci_images import OCI, Content, IndexEntry, image_index, multi_platform_image, platform_image

_AMD64, _ARM64 = map(Platform.parse, ("linux/amd64", "linux/arm64"))
_BUSY = TemporaryError("the server is busy")


def _verify(source: MemorySource, lockfile: Lockfile, *, with_blobs: bool = False) -> tuple[Verification, ...]:
    source.requests.clear()
    return verify_images(lockfile.images, source, with_blobs=with_blobs)


def _states(verification: Verification) -> list[tuple[str, State]]:
    return [
        (finding.part if finding.platform is None else f"{finding.part} {finding.platform}", finding.state)
        for finding in verification.findings
    ]


def _parts(**states: State) -> list[tuple[str, State]]:
    served = {
        "index": State.SERVED,
        "platform linux/amd64": State.SERVED,
        "platform linux/arm64": State.SERVED,
        "tag": State.SERVED,
    }
    names = {"amd64": "platform linux/amd64", "arm64": "platform linux/arm64"}
    return list((served | {names.get(name, name): state for name, state in states.items()}).items())


def _swap(lockfile: Lockfile, old: Content, new: str) -> Lockfile:
    """The same lockfile with another digest in place of one, as a hand edit or a merge leaves it, without checksum."""
    text = dump_lockfile(lockfile).replace(old.digest, new)
    return parse_lockfile(
        "\n".join(line for line in text.splitlines() if not line.startswith("checksum")), file_name="x"
    )


class _ShortBlobs(MemorySource):
    """A registry that says of each blob that it has one byte."""

    def __init__(self, source: MemorySource) -> None:
        super().__init__()
        for tag, image in source.tags.items():
            self.push(tag, image)

    def fetch_blob_size(self, repository: AnyRepository, digest: Digest) -> int | None:  # noqa: ARG002  the protocol's
        return 1


def test_what_is_served_is_asked_for_once(source: MemorySource) -> None:
    lockfile = locked(source)
    [go] = _verify(source, lockfile)
    assert (_states(go), go.failures) == (_parts(), ())
    index = source.tags[f"{GO}:1"]
    assert sorted(source.requests) == sorted(
        [
            f"SERVED {GO}@{index.digest}",
            f"HEAD {GO}@{index.children[0].digest}",
            f"HEAD {GO}@{index.children[1].digest}",
            f"HEAD {GO}:1",
        ]
    )


def test_images_that_share_content_share_the_questions(source: MemorySource) -> None:
    source.push(f"{GO}:1.0", source.tags[f"{GO}:1"])
    images = 'platforms = ["linux/amd64", "linux/arm64"]\n[images]\ngo = "go:1"\nother = "go:1.0"\n'
    lockfile = locked(source, images)
    verifications = _verify(source, lockfile)
    assert [_states(each) for each in verifications] == [_parts(), _parts()]
    assert set(Counter(source.requests).values()) == {1}


def test_a_single_image_is_one_question_and_its_tag(source: MemorySource) -> None:
    source.push(f"{GO}:1", platform_image("linux/amd64").content)
    lockfile = locked(source, '[images]\ngo = "go:1"')
    [go] = _verify(source, lockfile)
    assert go.failures == ()
    assert [request.split()[0] for request in sorted(source.requests)] == ["HEAD", "SERVED"]


def test_a_tag_beside_a_declared_digest_is_not_asked_for(source: MemorySource) -> None:
    digest = source.tags[f"{GO}:1"].digest
    lockfile = locked(source, f'platforms = ["linux/amd64", "linux/arm64"]\n[images]\ngo = "go:1@{digest}"')
    [go] = _verify(source, lockfile)
    assert _states(go) == _parts()[:3]
    assert f"HEAD {GO}:1" not in source.requests


def test_a_dead_index_and_a_dead_child_are_told_apart(source: MemorySource) -> None:
    lockfile = locked(source)
    index = source.tags[f"{GO}:1"]
    source.forget(index.children[1])
    assert _states(_verify(source, lockfile)[0]) == _parts(arm64=State.GONE)
    source.forget(index)
    [go] = _verify(source, lockfile)
    assert _states(go) == _parts(index=State.GONE, arm64=State.GONE)
    assert [finding.part for finding in go.failures] == ["index", "platform"]


def test_a_platform_of_another_index_is_found(source: MemorySource) -> None:
    lockfile = locked(source)
    index = source.tags[f"{GO}:1"]
    other = source.push(f"{GO}:2", multi_platform_image("linux/amd64", "linux/arm64", note="other"))
    mixed = _swap(lockfile, index.children[1], other.children[1].digest)
    assert _states(_verify(source, mixed)[0]) == _parts(arm64=State.NOT_IN_INDEX)


def test_a_platform_under_another_platforms_name_is_found(source: MemorySource) -> None:
    lockfile = locked(source)
    index = source.tags[f"{GO}:1"]
    mixed = _swap(lockfile, index.children[1], index.children[0].digest)
    assert _states(_verify(source, mixed)[0]) == _parts(arm64=State.NOT_IN_INDEX)


def test_a_platform_digest_that_a_single_image_is_not_is_found(source: MemorySource) -> None:
    image = source.push(f"{GO}:1", platform_image("linux/amd64").content)
    other = source.push(f"{GO}:2", platform_image("linux/amd64", files={"a": b"b"}).content)
    lockfile = locked(source, '[images]\ngo = "go:1"')
    text = dump_lockfile(lockfile).replace(f'"linux/amd64" = "{image.digest}"', f'"linux/amd64" = "{other.digest}"')
    mixed = parse_lockfile(
        "\n".join(line for line in text.splitlines() if not line.startswith("checksum")), file_name="x"
    )
    assert ("platform linux/amd64", State.NOT_IN_INDEX) in _states(_verify(source, mixed)[0])


def test_an_entry_whose_checksum_is_wrong_is_a_failure_of_its_own(source: MemorySource) -> None:
    text = dump_lockfile(locked(source))
    checksum = next(line for line in text.splitlines() if line.startswith("checksum"))
    damaged = parse_lockfile(text.replace(checksum, 'checksum = "0000000000000000"'), file_name="x")
    [go] = _verify(source, damaged)
    assert _states(go) == [("entry", State.DAMAGED), *_parts()]
    assert [finding.state for finding in go.failures] == [State.DAMAGED]


def test_a_nested_index_is_followed(source: MemorySource) -> None:
    nested = image_index(IndexEntry(content=multi_platform_image("linux/amd64", "linux/arm64")))
    source.push(f"{GO}:1", nested)
    assert _states(_verify(source, locked(source))[0]) == _parts()


def test_a_stray_index_in_the_index_may_be_lost(source: MemorySource) -> None:
    images = [platform_image(it) for it in ("linux/amd64", "linux/arm64")]
    stray = image_index(platform_image("linux/s390x"))
    source.push(f"{GO}:1", image_index(*images, IndexEntry(content=stray)))
    lockfile = locked(source)
    source.forget(stray)
    assert _states(_verify(source, lockfile)[0]) == _parts()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (_BUSY, State.UNKNOWN),
        (AuthenticationError("log in"), State.UNKNOWN),
        (ImagelockError("anything else"), State.UNKNOWN),
        (InvalidContentError("other bytes"), State.WRONG_CONTENT),
    ],
)
def test_only_a_plain_no_is_a_dead_digest(source: MemorySource, error: ImagelockError, state: State) -> None:
    lockfile = locked(source)
    index = source.tags[f"{GO}:1"]
    source.failures = {f"{GO}@{index.digest}": error}
    [go] = _verify(source, lockfile)
    assert _states(go) == _parts(index=state)
    assert go.findings[0].error is error
    source.failures = {f"{GO}@{index.children[0].digest}": error}
    assert _states(_verify(source, lockfile)[0]) == _parts(amd64=state)


def test_a_moved_tag_and_a_deleted_one_are_no_failures(source: MemorySource) -> None:
    lockfile = locked(source)
    moved = source.push(f"{GO}:1", multi_platform_image("linux/amd64", "linux/arm64", note="moved"))
    [go] = _verify(source, lockfile)
    assert go.findings[-1] == Finding(
        part="tag", digest=lockfile.images[0].digest, state=State.TAG_MOVED, now=Digest.parse(moved.digest)
    )
    assert go.failures == ()
    del source.tags[f"{GO}:1"]
    [go] = _verify(source, lockfile)
    assert (_states(go), go.failures) == (_parts(tag=State.TAG_DELETED), ())


@pytest.mark.parametrize("error", [_BUSY, InvalidContentError("a web page")])
def test_a_tag_without_a_usable_answer_is_unknown(source: MemorySource, error: ImagelockError) -> None:
    lockfile = locked(source)
    source.failures = {f"{GO}:1": error}
    assert _states(_verify(source, lockfile)[0]) == _parts(tag=State.UNKNOWN)


def test_blobs_are_asked_for_once_each_where_they_are_wanted(source: MemorySource) -> None:
    lockfile = locked(source)
    [go] = _verify(source, lockfile, with_blobs=True)
    assert [name for name, _ in _states(go)[4:]] == [
        f"{part} {platform}" for platform in (_AMD64, _ARM64) for part in ("config", "layer")
    ]
    assert {state for _, state in _states(go)} == {State.SERVED}
    asked = Counter(request for request in source.requests if request.startswith("HEAD BLOB"))
    assert (len(asked), set(asked.values())) == (4, {1})


def test_a_dead_layer_is_found_where_blobs_are_asked_for(source: MemorySource) -> None:
    lockfile = locked(source)
    manifest = source.tags[f"{GO}:1"].children[0]
    source.forget(manifest.children[1])
    [go] = _verify(source, lockfile)
    assert go.failures == ()
    [go] = _verify(source, lockfile, with_blobs=True)
    assert [(finding.part, finding.platform, finding.state) for finding in go.failures] == [
        ("layer", _AMD64, State.GONE)
    ]


def test_a_blob_of_another_size_is_wrong_content(source: MemorySource) -> None:
    lockfile = locked(source)
    [go] = verify_images(lockfile.images, _ShortBlobs(source), with_blobs=True)
    assert {finding.state for finding in go.failures} == {State.WRONG_CONTENT}


def test_layers_that_registries_need_not_have_are_not_asked_for(source: MemorySource) -> None:
    family = replace(OCI, layer="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
    source.push(f"{GO}:1", multi_platform_image("linux/amd64", "linux/arm64", family=family))
    [go] = _verify(source, locked(source), with_blobs=True)
    states = [(name.split()[0], state) for name, state in _states(go)[4:]]
    assert states == [("config", State.SERVED), ("layer", State.NOT_ASKED)] * 2
    assert [request for request in source.requests if "BLOB" in request and "config" not in request] == [
        f"HEAD BLOB {GO}@{image.children[0].digest}" for image in source.tags[f"{GO}:1"].children
    ]
    assert go.failures == ()


def test_tags_of_registries_are_left_out_on_request(source: MemorySource) -> None:
    lockfile = locked(source)
    source.requests.clear()
    [go] = verify_images(lockfile.images, source, with_registry_tags=False)
    assert _states(go) == _parts()[:3]
    assert f"HEAD {GO}:1" not in source.requests
    index = multi_platform_image("linux/amd64", "linux/arm64")
    source.push("oci:vendor:go", index)
    images = 'platforms = ["linux/amd64", "linux/arm64"]\n[images]\ngo = "oci:vendor:go"'
    [go] = verify_images(locked(source, images).images, source, with_registry_tags=False)
    assert _states(go) == _parts()


def test_what_an_unreadable_entry_is_for_contradicts_nothing() -> None:
    """The configuration of an entry without platform is gone: its manifest is served, and was in the index."""
    amd64, arm64 = platform_image("linux/amd64"), replace(platform_image("linux/arm64"), platform={})
    source = MemorySource()
    source.push(f"{GO}:1", image_index(amd64, arm64))
    lockfile = locked(source)
    source.forget(arm64.content.children[0])
    [verification] = _verify(source, lockfile)
    assert _states(verification) == _parts()


def test_an_index_in_the_index_that_is_gone_is_gone() -> None:
    inner = image_index(platform_image("linux/arm64"))
    index = image_index(platform_image("linux/amd64"), IndexEntry(content=inner))
    source = MemorySource()
    source.push(f"{GO}:1", index)
    lockfile = locked(source)
    source.forget(inner)
    [verification] = _verify(source, lockfile)
    assert _states(verification) == _parts(index=State.GONE)
    [failure] = verification.failures
    assert str(failure.error) == f"{inner.digest} in it can't be read: {GO}@{inner.digest} is not there"


def test_labels_of_another_image_are_told_and_no_failure(source: MemorySource) -> None:
    images = [platform_image(it) for it in ("linux/amd64", "linux/arm64")]
    annotations = {f"org.opencontainers.image.{name}": name for name in ("version", "revision")}
    source.push(f"{GO}:1", image_index(*images, annotations=annotations))
    before = locked(source)
    assert _states(_verify(source, before)[0]) == _parts()
    for labels in (Labels(version="other", revision="revision"), Labels(version="version", created="other")):
        mixed = Lockfile((replace(before.images[0], labels=labels),))
        [go] = _verify(source, mixed)
        assert (("labels", State.OTHER_LABELS) in _states(go), go.failures) == (True, ())
        assert update(DECLARED, source, mixed, takes_every_index=True).lockfile == before
    fewer = Lockfile((replace(before.images[0], labels=Labels(version="version")),))
    assert _states(_verify(source, fewer)[0]) == _parts()

"""What ``lock`` does to each image: the smallest change that makes the lock answer."""

from __future__ import annotations

import pytest

from imagelock.errors import (
    BatchError,
    ExitCode,
)
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.locking.plan import LockResult
from tests.support.lock_runs import BOTH, DECLARED, GO, go, lock, locked, platform_digest, platforms_of, update
from tests.support.memory_source import MemorySource
from tests.support.oci_images import multi_platform_image


def test_an_image_that_is_not_locked_is_resolved(source: MemorySource) -> None:
    result = lock(DECLARED, source)
    index = source.tags[f"{GO}:1"]
    assert (go(result).tag, str(go(result).digest)) == ("1", index.digest)
    assert platforms_of(go(result)) == {
        "linux/amd64": platform_digest(index, 0),
        "linux/arm64": platform_digest(index, 1),
    }
    assert source.requests == [f"GET {GO}:1"]
    assert source.expected == [GO]


def test_a_lock_that_answers_asks_nobody_though_its_tag_moved(source: MemorySource) -> None:
    before = locked(source)
    source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    assert lock(DECLARED, source, before) == LockResult(before)
    assert (source.requests, source.expected) == ([], [GO])


@pytest.mark.parametrize("platforms", ["linux/amd64", "linux/arm64"])
def test_a_platform_that_is_no_longer_declared_is_dropped_without_asking(source: MemorySource, platforms: str) -> None:
    before = locked(source)
    result = lock(DECLARED.replace('"linux/amd64", "linux/arm64"', f'"{platforms}"'), source, before)
    assert platforms_of(go(result)) == {platforms: platforms_of(go(before))[platforms]}
    assert source.requests == []


@pytest.mark.parametrize("platforms", ['["linux/s390x", "linux/amd64", "linux/arm64"]', '"all"'])
def test_a_platform_is_added_from_the_locked_index_not_from_the_tag(source: MemorySource, platforms: str) -> None:
    before = locked(source)
    old = source.tags[f"{GO}:1"]
    source.push(f"{GO}:1", multi_platform_image(*BOTH, "linux/s390x", note="new"))
    result = lock(f'platforms = {platforms}\n[images]\ngo = "go:1"', source, before)
    assert str(go(result).digest) == old.digest
    assert platforms_of(go(result)) == {
        **platforms_of(go(before)),
        "linux/s390x": platform_digest(old, 2),
    }
    assert source.requests == [f"HEAD {GO}:1@{old.digest}", f"GET {GO}:1@{old.digest}"]


def test_from_every_platform_to_a_list_asks_nobody(source: MemorySource) -> None:
    before = locked(source, '[images]\ngo = "go:1"')
    assert set(platforms_of(go(before))) == {*BOTH, "linux/s390x"}
    assert set(platforms_of(go(lock(DECLARED, source, before)))) == set(BOTH)
    assert source.requests == []


def test_a_platform_cannot_be_added_to_an_index_that_is_gone(source: MemorySource) -> None:
    before = locked(source)
    index = source.tags[f"{GO}:1"]
    source.forget(index)
    with pytest.raises(BatchError) as caught:
        lock(DECLARED.replace('"linux/amd64"', '"linux/s390x", "linux/amd64"'), source, before)
    reference = f"{GO}:1@{index.digest}"
    assert (caught.value.message, *caught.value.details) == (
        f"cannot lock `go`: {reference} is no longer served, so that no platform can be added to it",
        f"{reference} is not there",
        "images.lock is unchanged",
    )
    assert (caught.value.exit_code, caught.value.hint) == (ExitCode.CANNOT, "run `imagelock update go`")


def test_a_platform_that_the_locked_index_lacks_may_have_come_with_a_later_one(source: MemorySource) -> None:
    before = locked(source)
    with pytest.raises(BatchError) as caught:
        lock(DECLARED.replace('"linux/amd64"', '"linux/386", "linux/amd64"'), source, before)
    reference = f"{GO}:1@{source.tags[f'{GO}:1'].digest}"
    assert caught.value.message == (
        f"cannot lock `go`: {reference} has no linux/386 (it has: linux/amd64, linux/arm64, linux/s390x)"
    )
    assert caught.value.hint == "run `imagelock update go`"


@pytest.mark.parametrize("declared", ["go:2", "other/go:1"])
def test_another_tag_or_repository_is_resolved_anew(source: MemorySource, declared: str) -> None:
    before = locked(source)
    repository = "docker.io/other/go" if "/" in declared else GO
    new = source.push(f"{repository}:{declared[-1]}", multi_platform_image(*BOTH, note="new"))
    result = lock(DECLARED.replace("go:1", declared), source, before)
    assert (str(go(result).repository), go(result).tag, str(go(result).digest)) == (
        repository,
        declared[-1],
        new.digest,
    )


def test_other_words_for_the_locked_content_change_the_words_only(source: MemorySource) -> None:
    before = locked(source)
    digest = source.tags[f"{GO}:1"].digest
    result = lock(DECLARED.replace("go:1", f"go@{digest}"), source, before)
    assert (go(result).tag, go(result).platform_digests) == (None, go(before).platform_digests)
    back_again = lock(DECLARED.replace("go:1", f"go:9@{digest}"), source, result.lockfile)
    assert (go(back_again).tag, str(go(back_again).digest)) == ("9", digest)
    assert source.requests == []


def test_a_digest_is_resolved_as_it_stands(source: MemorySource) -> None:
    digest = source.tags[f"{GO}:1"].digest
    result = lock(DECLARED.replace("go:1", f"go@{digest}"), source)
    assert (go(result).tag, str(go(result).digest)) == (None, digest)
    assert source.requests == [f"GET {GO}@{digest}"]


def test_a_range_takes_its_newest_tag_and_keeps_it_while_it_fits(source: MemorySource) -> None:
    images = DECLARED.replace('go = "go:1"', 'go = { image = "go", version = ">=1.1,<2" }')
    for tag in ("1.1", "1.2", "2.0"):
        source.push(f"{GO}:{tag}", multi_platform_image(*BOTH, note=tag))
    before = locked(source, images)
    assert go(before).tag == "1.2"
    source.push(f"{GO}:1.3", multi_platform_image(*BOTH, note="1.3"))
    narrowed = lock(images.replace(">=1.1", ">=1.2"), source, before)
    assert (go(narrowed).tag, source.requests) == ("1.2", [])
    assert go(update(images, source, before)).tag == "1.3"


def test_a_range_without_upper_bound_is_warned_of_once(source: MemorySource) -> None:
    images = DECLARED.replace('go = "go:1"', 'go = { image = "go", version = ">=1" }')
    result = lock(images, source)
    assert result.warnings == (("go", "the range `>=1` has no upper bound: one day it takes the next major version"),)
    assert lock(images, source, result.lockfile).warnings == ()


def test_what_is_no_longer_declared_is_dropped_and_what_is_new_is_added(source: MemorySource) -> None:
    source.push("docker.io/library/a:1", multi_platform_image(*BOTH, note="a"))
    before = locked(source, f'{DECLARED}\nz = "go:1@{source.tags[f"{GO}:1"].digest}"')
    result = lock(f'{DECLARED}\na = "a:1"', source, before)
    assert [image.alias for image in result.lockfile.images] == ["a", "go"]
    assert source.requests == ["GET docker.io/library/a:1"]


def test_an_edited_tag_is_resolved_as_declared(source: MemorySource) -> None:
    source.push(f"{GO}:2", multi_platform_image(*BOTH, note="new"))
    two = go(locked(source, DECLARED.replace("go:1", "go:2")))
    edited = LockedImage(
        alias=two.alias,
        repository=two.repository,
        selector=go(locked(source)).selector,
        tag="2",
        digest=two.digest,
        platform_digests=two.platform_digests,
    )
    assert go(lock(DECLARED, source, Lockfile((edited,)))).tag == "1"

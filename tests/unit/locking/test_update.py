"""What ``update`` does to each image: it moves what moved for the locked platforms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagelock.errors import (
    BatchError,
    ExitCode,
    ImageNotFoundError,
    InvalidContentError,
    TemporaryError,
)
from imagelock.images_file.declaration import Alias
from imagelock.locking.lockfile import Lockfile
from imagelock.locking.plan import LockResult
from tests.support.lock_runs import BOTH, DECLARED, GO, go, lock, locked, platforms_of, update
from tests.support.memory_source import MemorySource
from tests.support.oci_images import Content, IndexEntry, image_index, multi_platform_image, platform_image

_READING_A_CONFIGURATION = ["GET by digest", "BLOB by digest"] * 2
"""What it costs to learn the versions of content that has moved, old and new, where no index tells them."""


def _asked(source: MemorySource) -> list[str]:
    return [f"{request.split()[0]} by digest" if "@" in request else request for request in source.requests]


def test_an_update_without_news_asks_for_the_digest_only(source: MemorySource) -> None:
    before = locked(source)
    assert update(DECLARED, source, before) == LockResult(before)
    assert source.requests == [f"HEAD {GO}:1"]


def test_an_update_moves_a_tag_to_what_it_has_today(source: MemorySource) -> None:
    before = locked(source)
    new = source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    result = update(DECLARED, source, before)
    assert (str(go(result).digest), result.notes) == (new.digest, ())
    assert _asked(source) == [f"HEAD {GO}:1", "GET by digest", *_READING_A_CONFIGURATION]


def _rebuilt(old: Content, *replaced: IndexEntry) -> Content:
    """An index whose first images are others; the remaining ones are those of before."""
    staying = [
        IndexEntry(content=content, platform={"os": "linux", "architecture": architecture})
        for content, architecture in zip(old.children, ("amd64", "arm64", "s390x"), strict=False)
    ]
    return image_index(*replaced, *staying[len(replaced) :])


def test_one_platform_that_moved_is_reason_enough(source: MemorySource) -> None:
    before = locked(source)
    amd64 = platform_image("linux/amd64", files={"new": b""})
    new = source.push(f"{GO}:1", _rebuilt(source.tags[f"{GO}:1"], amd64))
    result = update(DECLARED, source, before)
    assert str(go(result).digest) == new.digest
    assert platforms_of(go(result)) == {**platforms_of(go(before)), "linux/amd64": amd64.digest}


def _push_with_same_platforms(source: MemorySource) -> Content:
    old = source.tags[f"{GO}:1"]
    entries = [
        IndexEntry(content=content, platform={"os": "linux", "architecture": architecture})
        for content, architecture in zip(old.children, ("amd64", "arm64", "s390x"), strict=True)
    ]
    return source.push(f"{GO}:1", image_index(*entries[:2], platform_image("linux/386")))


def test_an_index_that_moved_for_others_is_left_alone(source: MemorySource) -> None:
    before = locked(source)
    _push_with_same_platforms(source)
    result = update(DECLARED, source, before)
    note = "index re-pushed, your platforms are unchanged (use --index to take it)"
    assert result == LockResult(before, notes=((Alias("go"), note),))


def test_such_an_index_is_taken_if_asked_for(source: MemorySource) -> None:
    before = locked(source)
    new = _push_with_same_platforms(source)
    result = update(DECLARED, source, before, takes_every_index=True)
    assert (str(go(result).digest), result.notes) == (new.digest, ())
    assert platforms_of(go(result)) == platforms_of(go(before))


def test_such_an_index_is_taken_if_the_old_one_is_gone(source: MemorySource) -> None:
    before = locked(source)
    source.forget(source.tags[f"{GO}:1"])
    new = _push_with_same_platforms(source)
    result = update(DECLARED, source, before)
    assert str(go(result).digest) == new.digest
    assert result.notes == (("go", "index re-pushed, and the locked one is no longer served: taken"),)


def test_a_dropped_platform_is_no_reason_to_take_an_index(source: MemorySource) -> None:
    before = locked(source)
    _push_with_same_platforms(source)
    result = update(DECLARED.replace('"linux/amd64", ', ""), source, before)
    assert go(result).digest == go(before).digest
    assert set(platforms_of(go(result))) == {"linux/arm64"}


def test_an_update_adds_a_declared_platform_where_nothing_moved(source: MemorySource) -> None:
    before = locked(source)
    result = update(DECLARED.replace('"linux/amd64"', '"linux/s390x", "linux/amd64"'), source, before)
    assert set(platforms_of(go(result))) == {*BOTH, "linux/s390x"}


def test_a_platform_that_the_new_index_lost_fails_the_update(source: MemorySource) -> None:
    before = locked(source)
    source.push(f"{GO}:1", multi_platform_image("linux/amd64", note="new"))
    with pytest.raises(BatchError) as caught:
        update(DECLARED, source, before)
    assert caught.value.message == f"cannot lock `go`: {GO}:1 has no linux/arm64 (it has: linux/amd64)"


def test_only_the_named_images_move(source: MemorySource) -> None:
    images = f'{DECLARED}\nother = "other:1"'
    source.push("docker.io/library/other:1", multi_platform_image(*BOTH, note="other"))
    before = locked(source, images)
    source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    source.push("docker.io/library/other:1", multi_platform_image(*BOTH, note="new other"))
    result = update(images, source, before, "other")
    assert go(result) == go(before)
    assert result.lockfile != before
    other = "docker.io/library/other:1"
    assert _asked(source) == [f"HEAD {other}", "GET by digest", *_READING_A_CONFIGURATION]


def test_a_frozen_image_stays_and_says_why(source: MemorySource) -> None:
    images = DECLARED.replace('go = "go:1"', 'go = { image = "go:1", freeze = "until then" }')
    before = locked(source, images)
    source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    assert update(images, source, before) == LockResult(before, notes=((Alias("go"), "frozen: until then"),))
    assert source.requests == []


def test_a_frozen_image_still_gets_the_platforms_and_the_tag_that_are_declared(source: MemorySource) -> None:
    images = DECLARED.replace('go = "go:1"', 'go = { image = "go:1", freeze = "until then" }')
    before = locked(source, images)
    more = update(images.replace('"linux/amd64"', '"linux/s390x", "linux/amd64"'), source, before)
    assert set(platforms_of(go(more))) == {*BOTH, "linux/s390x"}
    new = source.push(f"{GO}:2", multi_platform_image(*BOTH, note="new"))
    assert str(go(update(images.replace("go:1", "go:2"), source, before)).digest) == new.digest


def test_an_update_locks_what_is_not_locked(source: MemorySource) -> None:
    assert update(DECLARED, source, Lockfile()) == lock(DECLARED, source)


def test_an_outage_while_an_old_index_is_looked_for_is_no_reason_to_take_the_new_one(source: MemorySource) -> None:
    before = locked(source)
    source.failures = {f"{GO}:1@{go(before).digest}": TemporaryError("no answer")}
    _push_with_same_platforms(source)
    with pytest.raises(BatchError) as caught:
        update(DECLARED, source, before)
    assert caught.value.exit_code is ExitCode.TRY_AGAIN


def test_an_entry_that_lacks_platforms_of_its_index_gets_them_with_the_index(source: MemorySource) -> None:
    images = '[images]\ngo = "go:1"'
    before = locked(source, images)
    lacking = Lockfile((replace(go(before), platform_digests=go(before).platform_digests[:1]),))
    result = update(images, source, lacking, takes_every_index=True)
    assert result.lockfile == before
    assert result.notes == ((Alias("go"), "the locked index lists other platforms than were locked"),)
    assert update(images, source, before, takes_every_index=True) == LockResult(before)


def test_a_frozen_image_is_compared_with_its_index_and_stays_where_that_is_gone(source: MemorySource) -> None:
    images = '[images]\ngo = { image = "go:1", freeze = "why" }'
    before = locked(source, images)
    source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    frozen = (Alias("go"), "frozen: why")
    assert update(images, source, before, takes_every_index=True) == LockResult(before, notes=(frozen,))
    lacking = Lockfile((replace(go(before), platform_digests=go(before).platform_digests[:1]),))
    incomplete = (Alias("go"), "the locked index lists other platforms than were locked")
    assert update(images, source, lacking, takes_every_index=True) == LockResult(before, notes=(frozen, incomplete))
    reference = f"{GO}:1@{go(before).digest}"
    source.failures = {reference: ImageNotFoundError(f"{reference} is gone")}
    warning = (Alias("go"), f"its platforms were not compared with its index: {reference} is gone")
    kept = LockResult(lacking, notes=(frozen,), warnings=(warning,))
    assert update(images, source, lacking, takes_every_index=True) == kept
    source.failures = {reference: InvalidContentError("it has another digest")}
    with pytest.raises(BatchError, match="it has another digest"):
        update(images, source, lacking, takes_every_index=True)

"""One rule of platform choice, with and without a lock before: builds of Windows, of which an index may have more."""

from __future__ import annotations

from itertools import permutations

import pytest

from imagelock.errors import BatchError
from imagelock.locking.lockfile import Lockfile, dump_lockfile, parse_lockfile
from tests.support.lock_runs import GO, go, lock, update
from tests.support.memory_source import MemorySource
from tests.support.oci_images import Content, image_index, platform_image

_WORDS = (
    '"all"',
    '["windows/amd64"]',
    '["windows(10.0)/amd64"]',
    '["windows(10.0.20348)/amd64"]',
    '["windows(10.0.20348.1)/amd64"]',
    '["windows(10.0.20348.1)/amd64", "windows(10.0.26100.1)/amd64"]',
)


def _images(platforms: str) -> str:
    return f'[images.go]\nimage = "go:1"\nplatforms = {platforms}'


def _index(*builds: str, note: str = "") -> Content:
    return image_index(
        *(platform_image("windows/amd64", os_version=build, files={"note": note.encode()}) for build in builds)
    )


def _lock(platforms: str, source: MemorySource, before: Lockfile) -> Lockfile | None:
    try:
        locked = lock(_images(platforms), source, before).lockfile
    except BatchError:
        return None
    assert parse_lockfile(dump_lockfile(locked)) == locked
    return locked


@pytest.mark.parametrize("builds", [("10.0.20348.1",), ("10.0.20348.1", "10.0.26100.1")], ids=["one", "two"])
@pytest.mark.parametrize(("first", "then"), list(permutations(_WORDS, 2)))
def test_a_lock_is_what_a_first_lock_of_the_same_words_gives(
    source: MemorySource, builds: tuple[str, ...], first: str, then: str
) -> None:
    source.push(f"{GO}:1", _index(*builds))
    before = _lock(first, source, Lockfile())
    if before is not None:
        assert _lock(then, source, before) == _lock(then, source, Lockfile())


def test_fewer_words_for_a_build_are_looked_up_in_the_locked_index(source: MemorySource) -> None:
    source.push(f"{GO}:1", _index("10.0.20348.1"))
    before = lock(_images('["windows(10.0.20348)/amd64"]'), source).lockfile
    source.push(f"{GO}:1", _index("10.0.20348.1", "10.0.26100.1", note="moved"))
    after = lock(_images('["windows/amd64"]'), source, before).lockfile
    assert (go(after).digest, go(after).platform_digests) == (go(before).digest, go(before).platform_digests)


def test_a_lockfile_of_an_earlier_version_matches_and_gets_the_words_with_the_next_write(source: MemorySource) -> None:
    images = _images('["windows(10.0.20348)/amd64"]')
    source.push(f"{GO}:1", _index("10.0.20348.1"))
    text = dump_lockfile(lock(images, source).lockfile)
    words = ', platforms = ["windows(10.0.20348)/amd64"]'
    assert words in text
    before = parse_lockfile(text.replace(words, ""))
    assert dump_lockfile(lock(images, source, before).lockfile) == text
    assert dump_lockfile(update(images, source, before).lockfile) == text

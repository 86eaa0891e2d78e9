"""What `check` tells, without a registry, of entries in which git has combined both sides of a merge."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelock.images_file.declaration import Alias
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.freshness import PlatformNotLocked
from imagelock.locking.lockfile import parse_lockfile
from imagelock.model.platforms import Platform
from imagelock.project.mixed_entries import Mixed, find_mixed
from tests.support.git import Repository
from tests.support.locked_images import HEADER, lock_text

_EVERY = 'tag = "1", platforms = "all"'


def _text(*, index: str, declared: str = 'tag = "1"', platforms: str = "linux/amd64") -> str:
    entry = lock_text(index=index, declared=declared, platforms=platforms, has_checksum=True)
    return f"{HEADER}version = 1\n{entry}"


_FEWER = _text(index="x")
_MIXED = _text(index="x", declared=_EVERY)
_NOTE = (
    "go: git merged what one side declared with what another one locked; "
    "`imagelock lock` compares its platforms with the locked index"
)


def _merge(folder: Path, ours: str, theirs: str, merged: str) -> Path:
    """Commit both sides, and begin a merge of them that has a file of its own."""
    path = folder / "images.lock"
    repository = Repository(folder)
    repository.start_empty()
    for branch, text in (("branch", theirs), ("other", ours)):
        repository.branch_off(branch, start="main")
        path.write_text(text)
        repository.commit()
    repository.start_merge("branch", "-Xours")
    path.write_text(merged)
    return path


def _find(path: Path, *, images: str = '[images]\ngo = "go:1"') -> Mixed:
    return find_mixed(parse_images_file(images), parse_lockfile(path.read_text()), path)


def test_a_platform_that_a_side_proves_to_be_missing_is_not_locked(tmp_path: Path) -> None:
    every = _text(index="x", declared=_EVERY, platforms="linux/amd64 linux/arm64")
    path = _merge(tmp_path, _FEWER, every, _MIXED)
    lacking = PlatformNotLocked(Alias("go"), Platform.parse("linux/arm64"))
    assert _find(path) == Mixed(lacking=(lacking,))
    assert _find(path, images='[images]\ngo = { image = "go:1", platforms = ["linux/amd64"] }') == Mixed()
    assert _find(path, images="") == Mixed()


@pytest.mark.parametrize("other", [_text(index="y", declared=_EVERY), f"{HEADER}version = 1\n[images.go]\n"])
def test_where_only_the_index_can_tell_a_note_says_so(tmp_path: Path, other: str) -> None:
    assert _find(_merge(tmp_path, _FEWER, other, _MIXED)) == Mixed(notes=(_NOTE,))


def test_an_entry_that_a_side_has_is_not_mixed(tmp_path: Path) -> None:
    every = _text(index="x", declared=_EVERY, platforms="linux/amd64 linux/arm64")
    assert _find(_merge(tmp_path, _FEWER, every, every)) == Mixed()


def test_a_damaged_entry_is_told_as_what_it_is(tmp_path: Path) -> None:
    every = _text(index="x", declared=_EVERY, platforms="linux/amd64 linux/arm64")
    damaged = _MIXED.replace('checksum = "', 'checksum = "0')
    assert _find(_merge(tmp_path, _FEWER, every, damaged)) == Mixed()


def test_without_a_merge_nothing_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "images.lock"
    path.write_text(_MIXED)
    assert _find(path) == Mixed()

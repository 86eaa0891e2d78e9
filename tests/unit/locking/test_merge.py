from __future__ import annotations

import pytest

from imagelock.errors import LockfileError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.lockfile import Lockfile
from imagelock.locking.merge import Repair, merge_conflict
from tests.support.locked_images import HEADER, lock_text, locked

_IMAGES = 'platforms = ["linux/amd64"]\n[images]\n'


def _entry(alias: str, *, index: str = "index", tag: str = "1") -> str:
    declared = f'tag = "{tag}"'
    return lock_text(
        alias=alias,
        repository=f"docker.io/library/{alias}",
        declared=declared,
        tag=tag,
        index=index,
        platforms="linux/amd64",
    )


def _repair(images: str, ours: str, theirs: str, *, around: str = "", ancestor: str = "") -> Repair:
    text = (
        f"{HEADER}version = 1\n{around}<<<<<<< HEAD\n{ours}"
        f"{ancestor and '||||||| 1234567' + chr(10) + ancestor}=======\n{theirs}>>>>>>> branch\n"
    )
    return merge_conflict(text, parse_images_file(_IMAGES + images))


def _kept(*entries: str, lost: tuple[str, ...] = ()) -> Repair:
    return Repair(Lockfile(tuple(locked(entry) for entry in entries)), tuple(map(Alias, lost)))


def test_images_that_both_sides_added_are_kept() -> None:
    images = 'a = "a:1"\nb = "b:1"\nz = "z:1"'
    repair = _repair(images, _entry("a"), _entry("b"), around=_entry("z"))
    assert repair == _kept(_entry("a"), _entry("b"), _entry("z"))


def test_sides_that_agree_are_kept() -> None:
    assert _repair('a = "a:1"', _entry("a"), _entry("a")) == _kept(_entry("a"))


def test_digests_on_which_the_sides_disagree_are_locked_again() -> None:
    repair = _repair('a = "a:1"', _entry("a", index="x"), _entry("a", index="y"), ancestor=_entry("a"))
    assert repair == _kept(lost=("a",))


def test_of_two_sides_that_disagree_none_is_kept_though_one_answers() -> None:
    assert _repair('a = "a:2"', _entry("a"), _entry("a", tag="2")) == _kept(lost=("a",))


def test_what_answers_on_neither_side_is_locked_again() -> None:
    assert _repair('a = "a:3"', _entry("a"), _entry("a", tag="2")) == _kept(lost=("a",))


def test_what_is_not_declared_is_dropped_and_what_nobody_locked_is_not_lost() -> None:
    assert _repair('b = "b:1"', _entry("a"), "") == _kept()


def test_a_side_that_is_damaged_by_itself_is_an_error() -> None:
    with pytest.raises(LockfileError, match=r"^images\.lock is damaged$"):
        _repair('a = "a:1"', "x\n", _entry("a"))

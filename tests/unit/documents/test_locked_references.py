from __future__ import annotations

import pytest

from imagelock.documents.locked_references import LockAnswer, Locked, LockedReferences, LockedTwice, NotLocked
from imagelock.model.digest import Digest
from imagelock.model.reference import parse_reference

_ONE, _TWO, _THREE = (f"sha256:{digit * 64}" for digit in "123")


def _find(lock: list[str], text: str, *, any_tag: bool = False) -> LockAnswer:
    locked = LockedReferences(parse_reference(entry) for entry in lock)  # type: ignore[misc]  # each one has a digest
    return locked.find(parse_reference(text), any_tag=any_tag)


@pytest.mark.parametrize(
    ("lock", "text", "answer"),
    [
        ([f"go:1@{_ONE}"], "go:1", Locked(Digest.parse(_ONE))),
        ([f"go:1@{_ONE}"], "docker.io/library/go:1", Locked(Digest.parse(_ONE))),
        ([f"go:1@{_ONE}"], f"go:1@{_TWO}", Locked(Digest.parse(_ONE))),
        ([f"go:latest@{_ONE}"], "go", Locked(Digest.parse(_ONE))),
        ([f"go:1@{_ONE}", f"go:2@{_TWO}"], "go:3", NotLocked(("1", "2"))),
        ([], "go:3", NotLocked(())),
        ([f"go:1@{_ONE}"], f"go:2@{_ONE}", NotLocked(("1",))),
        ([f"go:1@{_ONE}", f"go:1@{_TWO}"], "go:1", LockedTwice(("1",))),
        ([f"go:1@{_ONE}", f"go:1@{_ONE}"], "go:1", Locked(Digest.parse(_ONE))),
        ([f"go:1@{_ONE}", f"go:latest@{_TWO}"], f"go@{_ONE}", Locked(Digest.parse(_ONE))),
        ([f"go:1@{_ONE}", f"go:latest@{_TWO}"], f"go@{_THREE}", Locked(Digest.parse(_TWO))),
        ([f"go:1@{_ONE}"], f"go@{_THREE}", NotLocked(("1",))),
        ([f"go@{_ONE}"], f"go@{_ONE}", Locked(Digest.parse(_ONE))),
    ],
)
def test_the_lock_answers_by_repository_and_tag(lock: list[str], text: str, answer: LockAnswer) -> None:
    assert _find(lock, text) == answer


def test_where_tags_are_left_out_the_only_locked_image_of_a_repository_answers() -> None:
    assert _find([f"go:1@{_ONE}"], f"go@{_THREE}", any_tag=True) == Locked(Digest.parse(_ONE))
    both = [f"go:1@{_ONE}", f"go:2@{_TWO}"]
    assert _find(both, f"go@{_THREE}", any_tag=True) == LockedTwice(("1", "2"))

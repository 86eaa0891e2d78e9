from __future__ import annotations

import pytest

from imagelock.model.conflict_markers import conflict_sides, has_conflict_markers

_MERGE = """\
before
<<<<<<< HEAD
ours
=======
theirs
>>>>>>> branch
between
<<<<<<< HEAD
=======
only theirs
>>>>>>> branch
after
"""
_DIFF3 = """\
<<<<<<< ours
ours
||||||| 1234567
<<<<<<<<< Temporary merge branch 1
a
||||||||| 89abcde
=========
b
>>>>>>>>> Temporary merge branch 2
=======
theirs
>>>>>>> theirs
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_both_sides_are_rebuilt(line_end: str) -> None:
    text = _MERGE.replace("\n", line_end)
    assert has_conflict_markers(text)
    ours, theirs = (side.splitlines() for side in conflict_sides(text))
    assert ours == ["before", "ours", "between", "after"]
    assert theirs == ["before", "theirs", "between", "only theirs", "after"]


def test_the_common_ancestor_belongs_to_neither_side_nor_do_its_own_conflicts() -> None:
    assert conflict_sides(_DIFF3) == ("ours\n", "theirs\n")


def test_a_marker_may_stand_alone_in_the_last_line() -> None:
    assert conflict_sides("<<<<<<<\na\n=======\nb\n>>>>>>>") == ("a\n", "b\n")


@pytest.mark.parametrize("text", ["", "a\n", " <<<<<<< x\n", "<<<<<<<x\n", "<<<<<<<< x\n", "=======\n"])
def test_what_git_did_not_write_is_no_marker(text: str) -> None:
    assert not has_conflict_markers(text)


def test_without_markers_both_sides_are_the_text() -> None:
    assert conflict_sides("a\r\nb") == ("a\r\nb", "a\r\nb")

from __future__ import annotations

import pytest

from imagelock.documents.edits import Change, apply_changes, split_conflicts
from imagelock.documents.formats import table
from imagelock.documents.kinds import find_references
from imagelock.documents.spans import Edit, Span
from imagelock.errors import DocumentError

_CONTENT = b"FROM a:1\nFROM b:1\n"
_FIRST, _SECOND = find_references(_CONTENT, table.DOCKERFILE).references


def test_a_change_with_the_effect_it_was_meant_for_is_made() -> None:
    change = Change(_FIRST, (Edit(Span(7, 8), b"2"),), "a:2")
    assert apply_changes(_CONTENT, table.DOCKERFILE, [change]) == b"FROM a:2\nFROM b:1\n"


@pytest.mark.parametrize("edit", [Edit(Span(7, 8), b"3"), Edit(Span(9, 18), b""), Edit(Span(8, 8), b"\nFROM c")])
def test_a_change_with_another_effect_is_an_error_of_ours(edit: Edit) -> None:
    with pytest.raises(DocumentError, match="the edited file would not mean what it must"):
        apply_changes(_CONTENT, table.DOCKERFILE, [Change(_FIRST, (edit,), "a:2")])


def test_changes_that_want_different_bytes_in_one_place_are_told_apart() -> None:
    one = Change(_FIRST, (Edit(Span(8, 8), b"x"),), "")
    same = Change(_SECOND, (Edit(Span(8, 8), b"x"),), "")
    other = Change(_SECOND, (Edit(Span(8, 8), b"y"),), "")
    apart = Change(_SECOND, (Edit(Span(17, 17), b"x"),), "")
    assert split_conflicts([one, same, apart]) == ((one, same, apart), ())
    assert split_conflicts([one, other, apart]) == ((apart,), (one, other))


@pytest.mark.parametrize(
    ("replacement", "reason"),
    [(b" x", "line 1: FROM takes one word"), (b"a" * 65536, "line 1: a line is longer than 65535 bytes")],
)
def test_a_change_that_makes_a_file_unreadable_is_refused_with_the_reason(replacement: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match="the edited file could not be read") as caught:
        apply_changes(_CONTENT, table.DOCKERFILE, [Change(_FIRST, (Edit(Span(8, 8), replacement),), "a:2")])
    assert caught.value.details[0].startswith(reason)

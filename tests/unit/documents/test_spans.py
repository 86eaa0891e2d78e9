from __future__ import annotations

import pytest

from imagelock.documents.spans import Edit, LineIndex, Position, Span, apply_edits
from tests.support.effort import bounded_effort


def test_edits_replace_and_insert_whatever_their_order() -> None:
    edits = [Edit(Span(4, 7), b"X"), Edit(Span(0, 0), b">"), Edit(Span(8, 8), b"<")]
    assert apply_edits(b"one two three", edits) == b">one X <three"


def test_the_same_edit_twice_counts_once() -> None:
    edit = Edit(Span(0, 3), b"1")
    assert apply_edits(b"one two", [edit, edit]) == b"1 two"


def test_edits_that_only_touch_are_made() -> None:
    assert apply_edits(b"abcd", [Edit(Span(0, 2), b"1"), Edit(Span(2, 4), b"2")]) == b"12"


@pytest.mark.parametrize(
    "second", [Edit(Span(2, 4), b""), Edit(Span(3, 3), b"x"), Edit(Span(0, 3), b"other"), Edit(Span(1, 2), b"")]
)
def test_edits_that_overlap_are_refused(second: Edit) -> None:
    with pytest.raises(ValueError, match="edits overlap at byte"):
        apply_edits(b"abcdef", [Edit(Span(0, 3), b"x"), second])


def test_no_edit_gives_the_same_bytes() -> None:
    assert apply_edits(b"\xff\r\n", []) == b"\xff\r\n"


@pytest.mark.parametrize(
    ("content", "offset", "position"),
    [
        (b"", 0, Position(1, 1)),
        (b"ab\ncd", 3, Position(2, 1)),
        (b"ab\ncd", 2, Position(1, 3)),
        (b"ab\r\ncd", 5, Position(2, 2)),
        (b"a\rb", 2, Position(1, 3)),
        ("é=x".encode(), 3, Position(1, 3)),
        (b"\xff=x", 2, Position(1, 3)),
        ("\ufeffab".encode(), 3, Position(1, 1)),
    ],
)
def test_positions_count_lines_and_characters_from_one(content: bytes, offset: int, position: Position) -> None:
    assert LineIndex(content).position(offset) == position


def test_positions_on_one_long_line_are_counted_on_from_the_last_one() -> None:
    content = "äöü".encode() * 3 + b"\n" + "ß".encode() * 4
    lines = LineIndex(content)
    asked = [0, 6, 12, 12, 2, 19, 21, 27, 23, 4]
    columns = [len(content[:19][:offset].decode()) for offset in asked if offset < 19]
    assert [lines.position(offset).column - 1 for offset in asked if offset < 19] == columns
    assert [(lines.position(offset).line, lines.position(offset).column) for offset in (19, 21, 27, 23)] == [
        (2, 1),
        (2, 2),
        (2, 5),
        (2, 3),
    ]


def test_a_long_line_is_read_once_for_all_of_its_positions() -> None:
    content = "ü".encode() + b"a" * 2_000_000
    lines = LineIndex(content)
    with bounded_effort():
        columns = [lines.position(offset).column for offset in range(2, len(content), 10)]
    assert columns[:2] == [2, 12]
    assert columns[-1] == 2 + 10 * (len(columns) - 1)

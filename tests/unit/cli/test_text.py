from __future__ import annotations

import pytest

from imagelock.cli.console import columns, display_width
from imagelock.cli.text import fit_table, listing, shorten_digests

_ROWS = [("image", "state"), ("app", "frozen until the payment service has moved"), ("database", "moved")]


def test_a_table_that_fits_is_only_aligned() -> None:
    assert fit_table(_ROWS, width=80) == [
        "image     state",
        "app       frozen until the payment service has moved",
        "database  moved",
    ]


def test_the_widest_column_gives_way() -> None:
    assert fit_table(_ROWS, width=30) == [
        "image     state",
        "app       frozen until the",
        "          payment service has",
        "          moved",
        "database  moved",
    ]


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_no_line_is_wider_than_the_table(width: int) -> None:
    rows = [("x" * 90, "y " * 40, "z"), ("a", "b", "c")]
    assert max(map(len, fit_table(rows, width=width))) <= width


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert fit_table([("a\x1b[2Jb", "c")], width=80) == ["a\\x1b[2Jb  c"]


def test_wide_characters_are_aligned_as_terminals_show_them() -> None:
    rows = [("名前", "a"), ("e\u0301", "b"), ("plain", "c")]
    assert fit_table(rows, width=80) == columns(rows) == ["名前   a", "e\u0301      b", "plain  c"]


def test_wide_words_are_broken_where_they_have_to_be() -> None:
    lines = fit_table([("名前名前名前名前名前 x", "y")], width=16)
    assert "".join(lines).replace(" ", "") == "名前名前名前y名前名前x"
    assert max(map(display_width, lines)) <= 16


def test_prose_gives_way_before_anything_else() -> None:
    rows = [("a-long-name-that-stays", "one two three four five six seven")]
    assert fit_table(rows, width=48, prose=1) == [
        "a-long-name-that-stays  one two three four five",
        "                        six seven",
    ]


def test_digests_are_cut_to_twelve_digits() -> None:
    assert shorten_digests(f"a:1@sha256:{'0a' * 32} b") == "a:1@sha256:0a0a0a0a0a0a b"


@pytest.mark.parametrize(("number", "text"), [(1, "0"), (5, "0, 1, 2, 3, 4"), (6, "0, 1, 2, 3 and 2 more")])
def test_a_long_listing_is_counted(number: int, text: str) -> None:
    assert listing([str(each) for each in range(number)]) == text

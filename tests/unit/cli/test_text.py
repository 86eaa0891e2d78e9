from __future__ import annotations

import pytest

from imagelock.cli.text import fit_table

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

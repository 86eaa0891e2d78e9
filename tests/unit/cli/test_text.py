from __future__ import annotations

import pytest

from imagelock.cli.layout import columns, columns_with_digests, display_width, wrap
from imagelock.cli.text import listing, shorten_digests

_ROWS = [("image", "state"), ("app", "frozen until the payment service has moved"), ("database", "moved")]


def test_a_table_that_fits_is_only_aligned() -> None:
    assert columns(_ROWS, width=80) == [
        "image     state",
        "app       frozen until the payment service has moved",
        "database  moved",
    ]


def test_an_empty_column_leaves_no_gap() -> None:
    assert columns([("Added", "", "app", "", "x"), ("Added", "", "b", "", "y")]) == ["Added  app  x", "Added  b    y"]
    assert columns([("Added", "", "app"), ("Added", "1", "b")]) == ["Added     app", "Added  1  b"]
    assert columns([("", "")], width=20) == [""]


def test_the_widest_column_gives_way() -> None:
    assert columns(_ROWS, width=30) == [
        "image     state",
        "app       frozen until the",
        "          payment service has",
        "          moved",
        "database  moved",
    ]


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_no_line_is_wider_than_the_table(width: int) -> None:
    rows = [("x" * 90, "y " * 40, "z"), ("a", "b", "c")]
    assert max(map(len, columns(rows, width=width))) <= width


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert columns([("a\x1b[2Jb", "c")], width=80) == ["a\\x1b[2Jb  c"]


def test_wide_characters_are_aligned_as_terminals_show_them() -> None:
    rows = [("名前", "a"), ("e\u0301", "b"), ("plain", "c")]
    assert columns(rows, width=80) == columns(rows) == ["名前   a", "e\u0301      b", "plain  c"]


def test_wide_words_are_broken_where_they_have_to_be() -> None:
    lines = columns([("名前名前名前名前名前 x", "y")], width=16)
    assert "".join(lines).replace(" ", "") == "名前名前名前y名前名前x"
    assert max(map(display_width, lines)) <= 16


def test_prose_gives_way_before_anything_else() -> None:
    rows = [("a-long-name-that-stays", "one two three four five six seven")]
    assert columns(rows, width=48, prose=1) == [
        "a-long-name-that-stays  one two three four five",
        "                        six seven",
    ]


def test_digests_are_cut_to_twelve_digits() -> None:
    assert shorten_digests(f"a:1@sha256:{'0a' * 32} b") == "a:1@sha256:0a0a0a0a0a0a b"


@pytest.mark.parametrize(("number", "text"), [(1, "0"), (5, "0, 1, 2, 3, 4"), (6, "0, 1, 2, 3 and 2 more")])
def test_a_long_listing_is_counted(number: int, text: str) -> None:
    assert listing([str(each) for each in range(number)]) == text


@pytest.mark.parametrize(
    ("line", "width", "lines"),
    [
        ("a note that is long", 10, ["a note", "  that is", "  long"]),
        ("  an item", 5, ["  an", "  item"]),
        ("hint: run `a b c` now", 12, ["hint: run", "  `a b c`", "  now"]),
        ("run `a command that fits nowhere` now", 12, ["run `a", "  command", "  that fits", "  nowhere`", "  now"]),
        ("a-word-that-is-far-too-long for it", 10, ["a-word-that-is-far-too-long", "  for it"]),
        ("日本語 日本語 日本語", 12, ["日本語", "  日本語", "  日本語"]),
        ("it fits", None, ["it fits"]),
        ("`odd", 3, ["`odd"]),
    ],
)
def test_a_line_breaks_at_blanks_but_not_within_commands(line: str, width: int | None, lines: list[str]) -> None:
    assert wrap(line, width, hang=2) == lines


def test_styles_take_no_columns() -> None:
    assert display_width("\x1b[1mbold\x1b[0m") == 4


def test_whole_digests_go_below_where_they_do_not_fit() -> None:
    digest = f"sha256:{'0' * 64}"
    rows = [("tag", "1"), ("digest", digest)]
    assert columns_with_digests(rows) == ["tag     1", f"digest  {digest}"]
    assert columns_with_digests(rows, width=79) == ["tag     1", f"digest  {digest}"]
    assert columns_with_digests(rows, width=78) == ["tag     1", "digest", f"  {digest}"]


def test_prose_gives_way_down_to_its_longest_word_before_other_columns_do() -> None:
    rows = [("docker.io/library/postgres", "linux/amd64 linux/arm64")]
    assert columns(rows, width=40, prose=1) == [
        "docker.io/library/postgres  linux/amd64",
        "                            linux/arm64",
    ]

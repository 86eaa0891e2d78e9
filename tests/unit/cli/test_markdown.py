from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelock.cli.layout import one_line
from imagelock.cli.text import markdown_table, markdown_text

_SPAN = re.compile(r"(`+)(?!`)(.*?)(?<!`)\1", re.DOTALL)


def _as_shown(cell: str) -> str:
    """What a reader sees of a cell, by https://github.github.com/gfm/#code-spans and #tables-extension-."""
    span = _SPAN.fullmatch(cell)
    if span is None:
        assert re.fullmatch(r"[A-Za-z0-9 ,.()/>+-]*", cell), cell
        return cell
    inside = span[2].replace("\\|", "|")
    if inside.startswith(" ") and inside.endswith(" ") and inside.strip(" "):
        inside = inside[1:-1]
    return inside


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("20-bookworm-slim (20.19.3 -> 20.19.4)", "20-bookworm-slim (20.19.3 -> 20.19.4)"),
        ("linux/arm64, +linux/s390x", "linux/arm64, +linux/s390x"),
        ("[Approve](https://evil.example/x)", "`[Approve](https://evil.example/x)`"),
        ("![](http://t.example/p.png)", "`![](http://t.example/p.png)`"),
        ("@org/team #1 !2 ~3 %4 &5 $6", "`@org/team #1 !2 ~3 %4 &5 $6`"),
        ("GH-1", "`GH-1`"),
        ("www.evil.example", "`www.evil.example`"),
        ("https://u.example", "`https://u.example`"),
        ("a@b.example", "`a@b.example`"),
        ("**B** _i_ ~~s~~ :smile: ^1", "`**B** _i_ ~~s~~ :smile: ^1`"),
        ("<b>x</b><!-- -->&copy;", "`<b>x</b><!-- -->&copy;`"),
        ("`c`", "`` `c` ``"),
        ("a `` b", "```a `` b```"),
        ("a | b", "`a \\| b`"),
        ("a \\| b", "`a \\x5c\\| b`"),
        ("one\ntwo\r\n| x |\x1b[31m", "`one\\ntwo\\r\\n\\| x \\|\\x1b[31m`"),
        ("", ""),
    ],
)
def test_text_of_others_stays_text(text: str, cell: str) -> None:
    assert markdown_text(text) == cell


@given(st.text(st.sampled_from("ab`|\\ \n[]()<>*_@#"), max_size=30) | st.text(max_size=50))
def test_a_cell_shows_its_text_and_nothing_else(text: str) -> None:
    cell = markdown_text(text)
    shown = _as_shown(cell)
    assert shown.replace("\\x5c", "\\") == one_line(text).replace("\\x5c", "\\")
    assert re.search(r"(?<!\\)\|", cell) is None
    assert re.search(r"\\\\\|", cell) is None


def test_a_table_has_as_many_columns_as_its_header_whatever_is_in_it() -> None:
    rows = [("image", "state"), ("a|b", "x | y \\| z"), ("", "`|`")]
    lines = markdown_table(rows)
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [3, 3, 3, 3]

from __future__ import annotations

import tomllib

import pytest

from imagelock.images_file.toml import find_lines, nearest_line, split_position

_TEXT = '''\
# [images.fake]
title = """
[images.fake]
go = 1
"""

[images]
go = "golang:1"     # a comment with = and [brackets]
a.b."c d" = 1
node = { image = "node", platforms = [
    "linux/amd64",  # ]
    "linux/arm64",
] }

  [ images . "my key" ]
'literal' = 1
platforms = [
  "a",
]
tag = 1

[images.go2.deep]
x = 1

[[list]]
y = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("images",), 7),
        (("images", "go"), 8),
        (("images", "a"), 9),
        (("images", "a", "b", "c d"), 9),
        (("images", "node"), 10),
        (("images", "node", "platforms"), 10),
        (("images", "my key"), 15),
        (("images", "my key", "literal"), 16),
        (("images", "my key", "platforms"), 17),
        (("images", "my key", "tag"), 20),
        (("images", "go2"), 22),
        (("images", "go2", "deep"), 22),
        (("images", "go2", "deep", "x"), 23),
        (("list",), 25),
        (("images", "fake"), None),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_key_stands_where_its_statement_begins(path: tuple[str, ...], line: int | None, line_end: str) -> None:
    assert find_lines(_TEXT.replace("\n", line_end)).get(path) == line


def test_a_key_that_is_not_written_is_missed_where_its_table_begins() -> None:
    lines = find_lines("[a]\n[a.b]\nx = 1\n")
    assert [nearest_line(lines, path) for path in [("a", "b", "y", "z"), ("a", "y"), ("y",)]] == [2, 1, 1]


@pytest.mark.parametrize(
    ("text", "sentence", "line"),
    [
        ("a = 1\nb = \n", "Invalid value", 2),
        ("a = 1\nb =", "Invalid value", 2),
        ("a = 1\nb = [\n1,\n", "Invalid value", 3),
        ("a = 1\na = 2\n", "Cannot overwrite a value", 2),
    ],
)
def test_the_parsers_own_position_is_kept(text: str, sentence: str, line: int) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert split_position(caught.value, text) == (sentence, line)


def test_an_error_without_position_is_told_whole() -> None:
    assert split_position(tomllib.TOMLDecodeError("odd"), "") == ("odd", 1)

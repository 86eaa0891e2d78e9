"""Where tomlkit's tree of items would move or change what an edit is not about."""

from __future__ import annotations

import pytest

from imagelock.images_file.declaration import Alias
from imagelock.images_file.edit import ImageEntry, add_image, remove_images
from imagelock.images_file.toml_tree import TomlTree, headed_tables

_SHORT = ImageEntry(alias=Alias("redis"), image="redis:7")
_LONG = ImageEntry(alias=Alias("node"), image="node", version=">=20,<21")
_TABLE = '[images.node]\nimage = "node"\nversion = ">=20,<21"\n'

_EVERY_FORM = """\

# About the file.

platforms = ["linux/amd64"]  # one
# set off

# right above
[images]  # ours
go = "golang"
a . image = 'b'
# behind the last key

# right above base
  [images."base" ]
image = "debian"

# last words
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", ["", "\n\n", "a = 1", _EVERY_FORM, _EVERY_FORM.rstrip(), _EVERY_FORM + "# end"])
def test_a_text_is_written_back_byte_for_byte(text: str, newline: str) -> None:
    text = text.replace("\n", newline)
    assert TomlTree(text).as_string() == text


def test_mixed_line_ends_stay_as_they_are() -> None:
    text = 'platforms = ["linux/amd64"]\r\n\n[images]\ngo = "golang"\r\n\n# r\r\n[render]\n'
    line = 'go = "golang"\r\n'
    assert add_image(text, _SHORT) == text.replace(line, f'{line}redis = "redis:7"\r\n')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[images]\nb = "b"\r\na = "a"', '[images]\nb = "b"'),
        ('[images]\r\nb = "b"\na = "a"', '[images]\r\nb = "b"'),
    ],
)
def test_a_last_line_without_an_end_stays_without_one_in_a_file_of_mixed_ends(text: str, expected: str) -> None:
    assert remove_images(text, ["a"]) == expected


def test_each_header_has_what_is_above_it() -> None:
    tree = TomlTree(_EVERY_FORM)
    assert [table.trivia.indent for table in headed_tables(tree.body)] == [
        "\n# right above\n",
        "\n# right above base\n  ",
    ]
    assert tree.as_string() == _EVERY_FORM


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[a]]\n[b]\n[[a]]\n", "other bytes"),
        ("[[images]]\n", "arrays of tables"),
        ('a = "\\q"\n', "Invalid character"),
        ("[a]\n[a]\n", 'Key "a" already exists'),
    ],
)
def test_what_tomlkit_would_not_write_back_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        TomlTree(text)


def test_a_comment_that_is_set_off_from_the_first_table_of_an_image_stays_above_a_new_header() -> None:
    text = '[render]\n\n# set off\n\n# about a\n[images.a]\nimage = "a"\n'
    expected = '[render]\n\n# set off\n\n[images]\nredis = "redis:7"\n\n# about a\n[images.a]\nimage = "a"\n'
    assert add_image(text, _SHORT) == expected


def test_a_table_goes_behind_the_last_part_of_images_wherever_that_is() -> None:
    text = '[images.a]\nimage = "a"\n\n[render]\n"x" = "y"\n\n[images.b]\nimage = "b"\n\n# p\n[pin]\nfiles = []\n'
    assert add_image(text, _LONG) == text.replace("\n# p", f"\n{_TABLE}\n# p")


def test_a_dotted_key_is_a_line_and_not_a_table() -> None:
    text = 'images.a.image = "a"\nimages.b = "b"\n[render]\n'
    assert add_image(text, _SHORT) == text.replace("[render]", 'images.redis = "redis:7"\n[render]')
    assert add_image(text, _LONG) == text.replace("[render]", f"\n{_TABLE}\n[render]")


def test_a_comment_in_the_indent_of_a_header_indents_no_new_key() -> None:
    text = "# ours\n    [images]\n[render]\n"
    assert add_image(text, _SHORT) == '# ours\n    [images]\nredis = "redis:7"\n[render]\n'


def test_what_is_set_off_above_a_removed_table_stays_without_making_its_parent_a_table() -> None:
    text = '[images.b]\nimage = "b"\n\n# set off\n\n# about a\n[images.a]\nimage = "a"\n\n# r\n[render]\n'
    assert remove_images(text, ["a"]) == '[images.b]\nimage = "b"\n\n# set off\n\n# r\n[render]\n'
    assert remove_images(text, ["a", "b"]) == "\n# set off\n\n# r\n[render]\n".lstrip("\n")


def test_the_comment_that_begins_the_file_stays_even_right_above_a_removed_image() -> None:
    assert remove_images('# of the team\nimages.a = "a"\nimages.b = "b"\n', ["a", "b"]) == "# of the team\n"


def test_a_comment_above_two_keys_of_one_image_goes_with_both() -> None:
    text = '[images]\nb = "b"\n\n# about a\na.image = "a"\na.freeze = "no"\n'
    assert remove_images(text, ["a"]) == '[images]\nb = "b"\n\n'


def test_a_quoted_name_is_found_as_well_as_a_bare_one() -> None:
    text = '[images]\n"a" = "a"\n\'b\' = "b"\n["images".\'c\']\nimage = "c"\n'
    assert remove_images(text, ["a", "c"]) == "[images]\n'b' = \"b\"\n"


def test_a_table_without_keys_is_one_too() -> None:
    assert add_image("[images]\n\n[render]\n", _SHORT) == '[images]\nredis = "redis:7"\n\n[render]\n'

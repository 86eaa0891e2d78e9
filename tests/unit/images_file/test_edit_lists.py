from __future__ import annotations

import pytest

from imagelock.errors import ImagesFileError
from imagelock.images_file.edit import set_references
from imagelock.images_file.edit_lists import add_strings, add_to_lists, remove_from_list

_FILES = ("pin", "files")
_NAMES = ("external", "names")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '[pin]\nfiles = [\n    "b",\n    "c",\n]\n\n[external]\nnames = ["x"]\n'),
        (
            '[pin]\nfiles = ["a"] # why\n\n# end\n',
            '[pin]\nfiles = ["a", "b", "c"] # why\n\n# end\n\n[external]\nnames = ["x"]\n',
        ),
        (
            '[external]\nfiles = ["q"]\n# set off\n\n# p\n[pin]\nfiles = [\n  "a", # it\n]\n',
            (
                '[external]\nfiles = ["q"]\nnames = ["x"]\n# set off\n\n'
                '# p\n[pin]\nfiles = [\n  "a", # it\n  "b",\n  "c",\n]\n'
            ),
        ),
        ("[pin]\r\nfiles = []", '[pin]\r\nfiles = ["b", "c"]\r\n\r\n[external]\r\nnames = ["x"]'),
        ("a = 1\n\n\n", 'a = 1\n\n\n[pin]\nfiles = [\n    "b",\n    "c",\n]\n\n[external]\nnames = ["x"]\n'),
    ],
)
def test_texts_go_behind_those_that_are_there_and_every_other_byte_stays(text: str, expected: str) -> None:
    assert add_to_lists(text, {_FILES: ["b", "c"], _NAMES: ["x"], ("external", "files"): []}) == expected


def test_a_line_that_would_be_too_long_becomes_a_column() -> None:
    long = "x" * 60
    edited = add_to_lists(f'[pin]\nfiles = ["{long}"] # why\n', {_FILES: ["y" * 60]})
    assert edited == f'[pin]\nfiles = [\n    "{long}",\n    "{"y" * 60}",\n] # why\n'


@pytest.mark.parametrize(
    "text", ['pin.files = ["a"]\n', 'pin = { files = ["a"] }\n', '[pin]\nfiles = [\n  "a" # no comma\n  # last\n]\n']
)
def test_what_can_not_be_edited_is_left_to_its_owner(text: str) -> None:
    with pytest.raises(ImagesFileError) as caught:
        add_to_lists(text, {_FILES: ["b"]})
    assert (caught.value.details, caught.value.hint) == (('pin.files: "b"',), "write these lines yourself")


def test_strings_go_behind_the_last_of_a_table() -> None:
    text = '[render]\n"a" = "a.in"\n\n[pin]\n'
    assert add_strings(text, "render", {"b c": "b.in"}) == '[render]\n"a" = "a.in"\n"b c" = "b.in"\n\n[pin]\n'
    assert add_strings("[pin]\n", "render", {"b": "b.in"}) == '[pin]\n\n[render]\n"b" = "b.in"\n'


_FORMS = """\
[images]
a = { image = "x", tag = "1" } # c
b.image = "y"
b.freeze = "no"
'c' = 'z'   # k
# d
[images.d]
image = "q" # w
freeze = "image"
"""


def test_a_reference_is_changed_in_every_form_of_an_image() -> None:
    assert set_references(_FORMS, {"a": "x:2", "b": "y:3", "c": "z:4", "d": "q:5"}) == (
        _FORMS.replace('tag = "1"', 'tag = "2"').replace('"y"', '"y:3"').replace("'z'", '"z:4"').replace('"q"', '"q:5"')
    )


def test_a_reference_is_changed_in_dotted_keys_of_the_root() -> None:
    text = 'images.a = "x"\nimages.b.image = "y" # c\nimages.b.freeze = "n"\nimages.c = "z"'
    assert set_references(text, {"a": "x:2", "b": "y:3"}) == text.replace('"x"', '"x:2"').replace('"y"', '"y:3"')


def test_a_text_goes_with_the_comment_beside_it() -> None:
    text = '[pin]\nfiles = [\n    "a",\n    "b", # it\n    # own\n    "c",\n]\n'
    assert remove_from_list(text, _FILES, ["b"]) == '[pin]\nfiles = [\n    "a",\n    # own\n    "c",\n]\n'
    assert remove_from_list('[pin]\r\nfiles = ["a"]\r\n', _FILES, ["a"]) == "[pin]\r\nfiles = []\r\n"
    with pytest.raises(ImagesFileError):
        remove_from_list('pin = { files = ["a"] }\n', _FILES, ["a"])

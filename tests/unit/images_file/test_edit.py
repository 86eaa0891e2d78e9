from __future__ import annotations

from collections.abc import Callable

import pytest

from imagelock.errors import ImagesFileError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.edit import ImageEntry, add_image, remove_images
from imagelock.images_file.toml import EXAMPLE

_SHORT = ImageEntry(alias=Alias("redis"), image="redis:7")
_LONG = ImageEntry(
    alias=Alias("node"), image="node", version=">=20,<21", variant="slim", platforms=("linux/amd64", "linux/arm64")
)

_COMMENTED = """\
# What we build with.
platforms = ["linux/amd64"]  # CI has no other

[images]
go = "golang:1.22"  # the compiler
# python = "python:3.12"

# The base of everything.
[images.base]
image = "debian"  # slim is enough
variant = "slim"

# Templates.
[render]
"Dockerfile" = "Dockerfile.in"
"""


def test_a_short_image_goes_behind_the_last_one_under_images() -> None:
    line = 'go = "golang:1.22"  # the compiler\n'
    assert add_image(_COMMENTED, _SHORT) == _COMMENTED.replace(line, f'{line}redis = "redis:7"\n')


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_example_of_a_first_file_goes_with_the_first_image(line_end: str) -> None:
    text = f"platforms = []{line_end}[images]{line_end}{EXAMPLE}{line_end}{line_end}[render]{line_end}"
    edited = add_image(text, _SHORT)
    assert EXAMPLE not in edited
    assert edited.startswith(f"platforms = []{line_end}[images]{line_end}redis = ")


def test_a_table_goes_behind_the_last_table_of_an_image() -> None:
    table = """
[images.node]
image = "node"
version = ">=20,<21"
variant = "slim"
platforms = ["linux/amd64", "linux/arm64"]
"""
    line = 'variant = "slim"\n'
    assert add_image(_COMMENTED, _LONG) == _COMMENTED.replace(line, line + table)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '[images]\nredis = "redis:7"\n'),
        ('platforms = ["a"]\n', 'platforms = ["a"]\n\n[images]\nredis = "redis:7"\n'),
        ("# mine\n\n[render]\n", '# mine\n\n[images]\nredis = "redis:7"\n\n[render]\n'),
        ("# about\n[render]\n", '[images]\nredis = "redis:7"\n\n# about\n[render]\n'),
        ("#:schema x\n# about\n[render]\n", '#:schema x\n[images]\nredis = "redis:7"\n\n# about\n[render]\n'),
        ("#:schema x\n", '#:schema x\n[images]\nredis = "redis:7"\n'),
        ('[images]\n# go = "golang"\n', '[images]\nredis = "redis:7"\n# go = "golang"\n'),
        ('[images.a]\nimage = "b"\n', '[images]\nredis = "redis:7"\n\n[images.a]\nimage = "b"\n'),
        ('images.go = "golang"\n[render]\n', 'images.go = "golang"\nimages.redis = "redis:7"\n[render]\n'),
        ('[images]\ngo = """\ngolang"""\n', '[images]\ngo = """\ngolang"""\nredis = "redis:7"\n'),
        ('[images]\r\ngo = "a"\r\n\r\n', '[images]\r\ngo = "a"\r\nredis = "redis:7"\r\n\r\n'),
        ('[images]\r\ngo = "a"', '[images]\r\ngo = "a"\r\nredis = "redis:7"'),
    ],
)
def test_every_other_byte_stays_when_an_image_is_added(text: str, expected: str) -> None:
    assert add_image(text, _SHORT) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[images]\na = "a"\nb = "b"\n', '[images]\nb = "b"\n'),
        ('[images]\n# about a\na = "a"\n\nb = "b"\n', '[images]\n\nb = "b"\n'),
        ('[images]\n# about a\na = "a"\n# about b\nb = "b"\n', '[images]\n# about b\nb = "b"\n'),
        ('[images]\n# both\na = "a"\nb = "b"\n', '[images]\n# both\nb = "b"\n'),
        ('[images]\na.image = "a"\nb = "b"\na.freeze = "no"\n', '[images]\nb = "b"\n'),
        (
            '[images]\nb = "b"\n\n# it\n[images.a]\nimage = "a"\n\n# r\n[render]\n',
            '[images]\nb = "b"\n\n# r\n[render]\n',
        ),
        ('# all\n[images.a]\nimage = "a"\n\n[render]\n', "# all\n\n[render]\n"),
        ('[images.a]\nimage = "a"\n# tag = "1"\n\n\n[images.b]\nimage = "b"\n', '[images.b]\nimage = "b"\n'),
        ('[images."a"]\nimage = "a"\n\n[images.b]\nimage = "b"', '[images.b]\nimage = "b"'),
        ('[images]\r\nb = "b"\r\na = "a"', '[images]\r\nb = "b"'),
        ('images.a = "a"\nimages.b = "b"\n', 'images.b = "b"\n'),
    ],
)
def test_an_image_goes_with_what_is_about_it_alone(text: str, expected: str) -> None:
    assert remove_images(text, ["a"]) == expected


def test_several_images_are_removed_at_once() -> None:
    assert remove_images(_COMMENTED, ["base", "go"]) == (
        '# What we build with.\nplatforms = ["linux/amd64"]  # CI has no other\n\n[images]\n'
        '# python = "python:3.12"\n\n# Templates.\n[render]\n"Dockerfile" = "Dockerfile.in"\n'
    )


@pytest.mark.parametrize(
    ("edit", "hint"),
    [
        (lambda text: add_image(text, _SHORT), 'write it yourself: redis = "redis:7"'),
        (lambda text: remove_images(text, ["a"]), "remove it yourself, then run `imagelock lock`"),
    ],
)
def test_one_table_on_one_line_is_left_to_its_owner(edit: Callable[[str], str], hint: str) -> None:
    with pytest.raises(ImagesFileError) as caught:
        edit('images = { a = "a", b = "b" }\n')
    message = "the images are written in a way that can't be edited line by line"
    assert (caught.value.message, caught.value.hint) == (message, hint)

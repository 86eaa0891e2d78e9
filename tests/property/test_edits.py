"""Editing images.toml: other lines stay as they are, and what was added can be taken away again."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from imagelock.images_file.declaration import Alias
from imagelock.images_file.edit import ImageEntry, add_image, remove_images

_NAMES = st.sampled_from(["go", "node", "redis-7", "_x"])
_COMMENTS = st.sampled_from(["", "# a comment", "# [images.fake]", "  # go = 1"])
_IMAGES = st.sampled_from(
    ['"golang:1"', "'node'", '"""\nredis:7"""', '{ image = "a", platforms = [\n  "linux/arm64",  # ]\n] }']
)


@st.composite
def _images_files(draw: st.DrawFn) -> str:
    """An images.toml with other images, comments and blank lines, its line ends and its last line of any kind."""
    names = draw(st.lists(_NAMES, unique=True))
    short, long = names[: len(names) // 2], names[len(names) // 2 :]
    lines = draw(st.sampled_from([[], ['platforms = ["linux/amd64"]']]))
    if short:
        lines = [*lines, draw(_COMMENTS), "[images]"]
    for name in short:
        lines += [draw(_COMMENTS), f"{name} = {draw(_IMAGES)}{draw(st.sampled_from(['', '  # why']))}"]
    for name in long:
        lines += [draw(_COMMENTS), f"[images.{name}]", 'image = "x"', draw(_COMMENTS), 'freeze = "now"']
    lines += draw(st.sampled_from([[], ["", "# templates", "[render]", '"a" = "a.in"', ""]]))
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


_ENTRIES = st.sampled_from(
    [
        ImageEntry(alias=Alias("new"), image="new:1"),
        ImageEntry(alias=Alias("new"), image="new", version=">=1,<2", platforms=("linux/amd64",)),
    ]
)


@given(_images_files(), _ENTRIES)
def test_adding_keeps_every_line_in_its_order(text: str, entry: ImageEntry) -> None:
    edited = add_image(text, entry)
    rest = iter(edited.split("\n"))
    assert all(any(line.rstrip("\r") == other.rstrip("\r") for other in rest) for line in text.split("\n"))
    assert tomllib.loads(edited)["images"]["new"] == entry.value()


@given(_images_files(), _ENTRIES)
def test_what_was_added_is_removed_without_a_trace(text: str, entry: ImageEntry) -> None:
    removed = remove_images(add_image(text, entry), ["new"])
    # The header that the first short image needs stays, as an empty table.
    assert removed == text or _without_header(removed) == _without_header(text)


@given(_images_files(), st.lists(_NAMES))
def test_removing_keeps_the_other_images(text: str, names: list[str]) -> None:
    images = tomllib.loads(text).get("images", {})
    present = [name for name in names if name in images]
    if present:
        edited = remove_images(text, present)
        others = {name: value for name, value in images.items() if name not in present}
        assert tomllib.loads(edited).get("images", {}) == others


def _without_header(text: str) -> list[str]:
    return [line for line in text.replace("\r", "").split("\n") if line and line != "[images]"]

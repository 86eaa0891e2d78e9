"""Templates of any bytes: only placeholders change, and always in the same way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagelock.images_file.parser import parse_images_file
from imagelock.rendering.template import Cursor, find_placeholders, images_to_render, render
from tests.support.locked_images import lock_text, lockfile

_IMAGES = images_to_render(parse_images_file('[images]\ngo = "go:1"'), lockfile(lock_text()))
_PLACEHOLDERS = st.sampled_from(
    [b"{{images.go}}", b"{{ images.go.tag }}", b"{{images.go.platforms.linux/amd64.digest}}", b"{{images.go.pinned\t}}"]
)
_OTHERS = st.one_of(
    st.binary(max_size=6).filter(lambda piece: b"{" not in piece and b"}" not in piece),
    st.sampled_from([b"{{ .Id }}", b"${{ images.go }}", b"\r\n", b"\xef\xbb\xbf", b"{{", b"}}", b"{% raw %}"]),
)


@given(st.lists(_OTHERS).map(b"".join))
def test_without_placeholders_every_byte_stays(template: bytes) -> None:
    assert not list(find_placeholders(template))
    rendering = render(template, _IMAGES, file_name="t")
    assert (rendering.content, rendering.problems) == (template, ())


@given(st.lists(st.tuples(_OTHERS.filter(lambda piece: not piece.endswith((b"$", b"\\"))), _PLACEHOLDERS)), _OTHERS)
def test_placeholders_change_and_all_else_stays(pieces: list[tuple[bytes, bytes]], end: bytes) -> None:
    template = b"".join(before + placeholder for before, placeholder in pieces) + end
    rendering = render(template, _IMAGES, file_name="t")
    alone = (before + render(placeholder, _IMAGES, file_name="t").content for before, placeholder in pieces)
    assert rendering.problems == ()
    assert rendering.content == b"".join(alone) + end
    assert render(rendering.content, _IMAGES, file_name="t").content == rendering.content


@given(st.text())
def test_a_position_is_where_an_editor_shows_it(text: str) -> None:
    lines = f"{text}x".split("\n")
    content = f"{text}x".encode(errors="replace")
    column = len(lines[-1].removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    assert Cursor(content).position(len(content) - 1) == (len(lines), column)
    stepwise = Cursor(content)
    assert [stepwise.position(offset) for offset, byte in enumerate(content) if byte < 0x80][-1] == (len(lines), column)

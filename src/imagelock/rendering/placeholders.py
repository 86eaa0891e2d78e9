"""Placeholders in templates: where they stand, in any kind of text file.

``{{images.NAME}}`` or ``{{images.NAME.FIELD}}``, blanks inside the braces allowed. Everything else that has braces
belongs to somebody else (GitHub's ``${{ … }}``, Go templates, Jinja) and is not ours to touch.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator

from imagelock.model.frozen import frozen

_PLACEHOLDER = re.compile(
    rb"(?<!\$)\{\{[ \t]*images\.([A-Za-z0-9_][A-Za-z0-9_-]*)(?:\.([A-Za-z0-9_][A-Za-z0-9_./()+-]*))?[ \t]*\}\}"
)


@frozen
class Placeholder:
    """One placeholder; ``start`` and ``end`` are offsets in bytes, ``end`` is exclusive."""

    alias: str
    field: str
    """Such as ``digest`` or ``platforms.linux/amd64``; empty for the whole reference."""
    start: int
    end: int


def find_placeholders(content: bytes) -> Iterator[Placeholder]:
    """Find every placeholder, in the order of the file."""
    for match in _PLACEHOLDER.finditer(content):
        alias, field = (group.decode("ascii") for group in match.groups(default=b""))
        yield Placeholder(alias, field, match.start(), match.end())


def position(content: bytes, offset: int) -> tuple[int, int]:
    """Return the line and the column of a byte, both counted from 1, columns in characters as editors show them."""
    line_start = content.rfind(b"\n", 0, offset) + 1
    column = len(content[line_start:offset].removeprefix(BOM_UTF8).decode("utf-8", errors="replace")) + 1
    return content.count(b"\n", 0, offset) + 1, column

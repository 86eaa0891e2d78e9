"""Places in a document's bytes, and the edits that are made there.

Everything in ``documents`` counts bytes, not characters: a file is never decoded as a whole, so that one bad byte in a
comment changes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open byte offsets: the byte at ``end`` is the first one after the span."""

    start: int
    end: int

    def of(self, content: bytes) -> bytes:
        """Cut out the bytes that stand there."""
        return content[self.start : self.end]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One replacement. An empty span inserts."""

    span: Span
    replacement: bytes


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where people find a byte in their editor: both numbers from 1, columns in characters, a BOM not counted."""

    line: int
    column: int


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """Make all edits at once; the same edit twice counts once, edits that overlap raise ``ValueError``."""
    pieces: list[bytes] = []
    written = 0
    for edit in sorted(set(edits)):
        if edit.span.start < written or (pieces and edit.span.start == edit.span.end == written):
            raise ValueError(f"edits overlap at byte {edit.span.start}")
        pieces += (content[written : edit.span.start], edit.replacement)
        written = edit.span.end
    return b"".join((*pieces, content[written:]))


@dataclass(frozen=True, slots=True)
class LineIndex:
    """Turns byte offsets into positions; made once for a document, which is read once."""

    content: bytes
    _line_starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0]
        while (newline := self.content.find(b"\n", starts[-1])) >= 0:
            starts.append(newline + 1)
        object.__setattr__(self, "_line_starts", tuple(starts))

    def position(self, offset: int) -> Position:
        r"""Find the line and column of a byte. Lines end at ``\n``, as editors and BuildKit count them."""
        line = bisect_right(self._line_starts, offset)
        before = self.content[self._line_starts[line - 1] : offset].removeprefix(_BYTE_ORDER_MARK)
        return Position(line, 1 + len(before.decode("utf-8", "surrogateescape")))

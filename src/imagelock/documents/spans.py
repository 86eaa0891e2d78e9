"""Places in a document's bytes, and the edits that are made there.

Everything in ``documents`` counts bytes, not characters: a file is never decoded as a whole, so that one bad byte in a
comment changes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import field
from itertools import accumulate

from imagelock.model.frozen import frozen

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@frozen(order=True)
class Span:
    """Half-open byte offsets: the byte at ``end`` is the first one after the span."""

    start: int
    end: int

    def of(self, content: bytes) -> bytes:
        """Return the bytes of the span."""
        return content[self.start : self.end]


@frozen(order=True)
class Edit:
    """One replacement. An empty span inserts."""

    span: Span
    replacement: bytes


@frozen(order=True)
class Position:
    """The position of a byte as editors show it: both numbers from 1, columns in characters, a BOM not counted."""

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


@frozen(compiled=True)
class LineIndex:
    """Turns byte offsets into positions; made once for a document, which is read once."""

    content: bytes
    _line_starts: tuple[int, ...] = field(init=False, repr=False)
    _is_ascii: bool = field(init=False, repr=False)
    _last: list[int] = field(init=False, repr=False, compare=False)
    """The byte of the last question, and the number of characters before it on its line."""

    def __post_init__(self) -> None:
        starts = [0]
        while (newline := self.content.find(b"\n", starts[-1])) >= 0:
            starts.append(newline + 1)
        object.__setattr__(self, "_line_starts", tuple(starts))
        object.__setattr__(self, "_is_ascii", self.content.removeprefix(_BYTE_ORDER_MARK).isascii())
        object.__setattr__(self, "_last", [0, 0])

    def position(self, offset: int) -> Position:
        r"""Find the line and column of a byte. Lines end at ``\n``, as editors and BuildKit count them."""
        line = bisect_right(self._line_starts, offset)
        start = self.line_span(line).start
        if self._is_ascii:
            return Position(line, 1 + max(0, offset - start))
        return Position(line, 1 + self._characters(start, offset))

    def _characters(self, start: int, offset: int) -> int:
        """Count characters, from the byte of the last question on: a line of many references is read once."""
        last, count = self._last
        if not start <= last <= offset:
            last, count = start, 0
        count += len(self.content[last:offset].decode("utf-8", "surrogateescape"))
        self._last[:] = (offset, count)
        return count

    @property
    def line_count(self) -> int:
        """How many lines there are; nothing after the last line end is none."""
        return len(self._line_starts) - (self._line_starts[-1] == len(self.content))

    def line_span(self, line: int) -> Span:
        """Find a line by its number, from 1, without its end and without a byte order mark."""
        start = self._line_starts[line - 1]
        if start == 0 and self.content.startswith(_BYTE_ORDER_MARK):
            start = len(_BYTE_ORDER_MARK)
        end = self._line_starts[line] - 1 if line < len(self._line_starts) else len(self.content)
        return Span(start, max(start, end))


@frozen(compiled=True)
class SourceText:
    """A piece of a document, decoded. Continuations, quotes and escapes between its characters may be gone already."""

    text: str
    offsets: Sequence[int]
    """The offset of each character's first byte; one more at the end: where the text ends."""

    @classmethod
    def of(cls, content: bytes, offsets: Sequence[int]) -> SourceText:
        """Decode bytes, given the offset of each of them and of the end. Bad bytes become surrogates."""
        text = content.decode("utf-8", "surrogateescape")
        if len(text) == len(content):
            return cls(text, offsets)
        starts = accumulate(map(encoded_length, text), initial=0)
        return cls(text, tuple(offsets[start] for start in starts))

    @classmethod
    def at(cls, text: str, start: int) -> SourceText:
        """Return the text of characters that are in the document in one piece, from one byte on."""
        if text.isascii():
            return cls(text, range(start, start + len(text) + 1))
        return cls(text, tuple(accumulate(map(encoded_length, text), initial=start)))

    def __len__(self) -> int:
        return len(self.text)

    def cut(self, start: int, end: int | None = None) -> SourceText:
        """Cut out the characters from ``start`` to ``end``."""
        end = len(self.text) if end is None else end
        text = self.text[start:end]
        if isinstance(self.offsets, range):
            return SourceText(text, self.offsets[start : end + 1])
        after = self.offsets[end - 1] + encoded_length(text[-1]) if text else self.offsets[start]
        return SourceText(text, (*self.offsets[start:end], after))

    @property
    def span(self) -> Span:
        """The span from the first byte to the last, including removed characters between them."""
        return Span(self.offsets[0], self.offsets[len(self.text)])

    @property
    def is_verbatim(self) -> bool:
        """Whether the document has exactly these characters there, in one piece."""
        return self.text.isascii() and self.span.end - self.span.start == len(self.text)


def encoded_length(character: str) -> int:
    """How many bytes of the document a character was."""
    return len(character.encode("utf-8", "surrogateescape"))

"""From bytes to instructions: physical lines, comments, continuations, heredoc bodies."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter

from imagelock.documents.spans import SourceText, Span
from imagelock.model.frozen import frozen


class DockerfileError(Exception):
    """BuildKit refuses the whole file; caught in ``scan``, which reports it as the file's problem."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


ASCII_BLANKS = b"\t\n\v\f\r "
BLANKS = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_FIRST_NON_ASCII = 0x80


def without_leading_blanks(line: bytes) -> bytes:
    """Return a line without blanks at its beginning."""
    line = line.lstrip(ASCII_BLANKS)
    if not line or line[0] < _FIRST_NON_ASCII:
        return line
    return line.decode("utf-8", "surrogateescape").lstrip(BLANKS).encode("utf-8", "surrogateescape")


def without_trailing_blanks(line: bytes) -> bytes:
    """Return a line without blanks at its end."""
    line = line.rstrip(ASCII_BLANKS)
    if not line or line[-1] < _FIRST_NON_ASCII:
        return line
    return line.decode("utf-8", "surrogateescape").rstrip(BLANKS).encode("utf-8", "surrogateescape")


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAX_LINE_BYTES = 65535
_Segment = tuple[int, int]  # where a physical line's part begins in the instruction, and in the file


@frozen
class Instruction:
    """One instruction on one line: continuations joined, comments between them gone."""

    content: bytes
    segments: tuple[_Segment, ...]

    def offset(self, index: int) -> int:
        """Return the offset in the file of a byte of the instruction."""
        start, offset = self.segments[bisect_right(self.segments, index, key=itemgetter(0)) - 1]
        return offset + index - start

    def offsets(self, start: int, end: int) -> Sequence[int]:
        """Return the offsets of the bytes from ``start`` to ``end``, and the one right after the last."""
        if start == end:
            return (self.offset(start),)
        first, last = self.offset(start), self.offset(end - 1)
        if last - first == end - 1 - start:
            return range(first, last + 2)
        return (*map(self.offset, range(start, end)), last + 1)

    def text(self, start: int, end: int) -> SourceText:
        """Cut out the characters from ``start`` to ``end``, which are counted in bytes of ``content``."""
        return SourceText.of(self.content[start:end], self.offsets(start, end))


def split_lines(content: bytes) -> list[Span]:
    r"""Find the physical lines, without their ends and without a byte order mark; a lone ``\r`` ends none."""
    lines: list[Span] = []
    start = len(_BYTE_ORDER_MARK) if content.startswith(_BYTE_ORDER_MARK) else 0
    line_start = 0
    while line_start < len(content):
        newline = content.find(b"\n", line_start)
        end = len(content) if newline < 0 else newline
        if end - line_start > _MAX_LINE_BYTES:
            raise DockerfileError(line_start, f"a line is longer than {_MAX_LINE_BYTES} bytes")
        lines.append(Span(start, max(start, start + len(content[start:end].rstrip(b"\r")))))
        start = line_start = end + 1
    return lines


class InstructionReader:
    """Reads the instructions one after the other; heredoc bodies are skipped on demand."""

    def __init__(self, content: bytes, lines: Sequence[Span], *, escape: str) -> None:
        self._content = content
        self._lines = lines
        self._escape = escape.encode()
        self._next = 0

    def __iter__(self) -> Iterator[Instruction]:
        while self._next < len(self._lines):
            span = self._take()
            line = without_leading_blanks(span.of(self._content))
            if not line or line.startswith(b"#"):
                continue
            yield self._instruction(line, span.end - len(line))

    def skip_heredoc(self, name: bytes, *, strips_tabs: bool) -> bool:
        """Skip the lines up to the end of a heredoc, and return whether there is an end."""
        while self._next < len(self._lines):
            line = self._take().of(self._content)
            if (line.lstrip(b"\t") if strips_tabs else line) == name:
                return True
        return False

    def _take(self) -> Span:
        span = self._lines[self._next]
        self._next += 1
        return span

    def _instruction(self, line: bytes, offset: int) -> Instruction:
        line, goes_on = self._without_continuation(line)
        parts, segments, length = [line], [(0, offset)], len(line)
        while goes_on and self._next < len(self._lines):
            span = self._take()
            line = span.of(self._content)
            stripped = without_leading_blanks(line)
            if not stripped or stripped.startswith(b"#"):
                continue
            line, goes_on = self._without_continuation(line)
            parts.append(line)
            segments.append((length, span.start))
            length += len(line)
        return Instruction(b"".join(parts), tuple(segments))

    def _without_continuation(self, line: bytes) -> tuple[bytes, bool]:
        """Return the line without the escape character at its end. Two of them, or three, are not a continuation."""
        stripped = line.rstrip(b" \t")
        if stripped.endswith(self._escape) and not stripped.endswith(self._escape * 2):
            return stripped[:-1], True
        return line, False

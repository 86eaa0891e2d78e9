"""An instruction's parts: its name, its ``--flags``, its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagelock.documents.dockerfile.lines import (
    DockerfileError,
    Instruction,
    without_leading_blanks,
    without_trailing_blanks,
)
from imagelock.documents.spans import SourceText
from imagelock.model.frozen import frozen

_BLANKS = re.compile(rb"[\t\v\f\r ]+")
_FLAG_BLANKS = frozenset(b"\t\n\v\f\r \x85\xa0")  # BuildKit looks at single bytes here, even inside a character.
_QUOTES = frozenset(b"'\"")


@frozen
class Command:
    """One instruction, split. Offsets count bytes of the instruction's content."""

    instruction: Instruction
    name: str
    """In lower case."""
    flags: tuple[SourceText, ...]
    """Without quotes and escapes; each begins with ``--``."""
    start: int
    end: int

    @property
    def offset(self) -> int:
        """Where in the file the instruction begins."""
        return self.instruction.offset(0)

    @property
    def arguments(self) -> SourceText:
        """The text behind the flags."""
        return self.instruction.text(self.start, self.end)

    def words(self) -> Iterator[SourceText]:
        """Split the arguments at blanks; quotes protect none."""
        if self.start == self.end:
            return
        start = self.start
        for blanks in _BLANKS.finditer(self.instruction.content, self.start, self.end):
            yield self.instruction.text(start, blanks.start())
            start = blanks.end()
        yield self.instruction.text(start, self.end)

    def flag_values(self, name: str) -> tuple[SourceText, ...]:
        """Return all values of the flag ``--name=``."""
        return tuple(
            self._flag_value(flag) for flag in self.flags if flag.text.partition("=")[0].removeprefix("--") == name
        )

    def flag_value(self, name: str) -> SourceText | None:
        """Return the value of the flag ``--name=``, ``None`` without it; twice is an error."""
        values = self.flag_values(name)
        if len(values) > 1:
            raise DockerfileError(values[1].span.start, f"--{name} is given twice")
        return values[0] if values else None

    @staticmethod
    def _flag_value(flag: SourceText) -> SourceText:
        name, equals, _ = flag.text.partition("=")
        if not equals:
            raise DockerfileError(flag.span.start, f"{name} has no value")
        return flag.cut(len(name) + 1)


def split_command(instruction: Instruction, start: int = 0, end: int | None = None, *, escape: str) -> Command:
    """Split an instruction, or the one inside ``ONBUILD``, which reaches from ``start`` to ``end``."""
    start, end = _trim(instruction.content, start, len(instruction.content) if end is None else end)
    blanks = _BLANKS.search(instruction.content, start, end)
    if blanks is None:
        return Command(instruction, _name(instruction.content[start:end]), (), end, end)
    flags, arguments = _FlagReader(instruction, blanks.end(), end, escape=escape).read()
    return Command(
        instruction,
        _name(instruction.content[start : blanks.start()]),
        flags,
        *_trim(instruction.content, arguments, end),
    )


def _name(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape").lower()


def _trim(content: bytes, start: int, end: int) -> tuple[int, int]:
    start = end - len(without_leading_blanks(content[start:end]))
    return start, start + len(without_trailing_blanks(content[start:end]))


class _FlagReader:
    """Reads the ``--flags`` at the beginning of the arguments, without their quotes and escapes."""

    def __init__(self, instruction: Instruction, start: int, end: int, *, escape: str) -> None:
        self._instruction = instruction
        self._content = instruction.content
        self._at = start
        self._end = end
        self._escape = ord(escape)

    def read(self) -> tuple[tuple[SourceText, ...], int]:
        """Return the flags, and the offset of the arguments."""
        flags: list[SourceText] = []
        while self._skip_blanks() and self._content.startswith(b"--", self._at, self._end):
            kept = self._take_word()
            if len(kept) == len("--") and self._at < self._end:
                break
            if len(kept) > len("--"):
                flags.append(self._text(kept))
        return tuple(flags), self._at

    def _skip_blanks(self) -> bool:
        while self._at < self._end and self._content[self._at] in _FLAG_BLANKS:
            self._at += 1
        return self._at < self._end

    def _take_word(self) -> list[int]:
        """Return the offsets in the instruction of the bytes that remain of the next word."""
        kept: list[int] = []
        quote = None
        while self._at < self._end:
            byte = self._content[self._at]
            if quote is None and byte in _FLAG_BLANKS:
                break
            if quote is None and byte in _QUOTES:
                quote = byte
            elif byte == quote:
                quote = None
            elif byte != self._escape:
                kept.append(self._at)
            elif self._at + 1 < self._end:
                self._at += 1
                kept.append(self._at)
            self._at += 1
        return kept

    def _text(self, kept: list[int]) -> SourceText:
        offsets = [self._instruction.offset(index) for index in kept]
        return SourceText.of(bytes(self._content[index] for index in kept), (*offsets, offsets[-1] + 1))


def find_mount_source(mount: SourceText) -> SourceText | None:
    """Return the value of the last ``from=`` of a mount."""
    source = None
    for field in _split_fields(mount):
        key, equals, _ = field.text.partition("=")
        if equals and key.lower() == "from":
            source = field.cut(len(key) + 1)
    return source or None


def _split_fields(line: SourceText) -> Iterator[SourceText]:
    if not line.text:
        raise DockerfileError(line.span.start, "--mount is empty")
    at = 0
    while True:
        if line.text.startswith('"', at):
            field, at = _quoted_field(line, at + 1)
        else:
            end = line.text.find(",", at)
            field = line.cut(at, len(line) if end < 0 else end)
            at += len(field)
            if '"' in field.text:
                raise DockerfileError(field.span.start, "a quote inside a field of --mount")
        yield field
        if at >= len(line):
            return
        at += 1


def _quoted_field(line: SourceText, start: int) -> tuple[SourceText, int]:
    """Read a field in quotes, where ``""`` is one of them, and the offset of the comma after it."""
    kept: list[int] = []
    at = start
    while (quote := line.text.find('"', at)) >= 0:
        kept.extend(range(at, quote))
        if not line.text.startswith('""', quote):
            break
        kept.append(quote)
        at = quote + 2
    if quote < 0 or (quote + 1 < len(line) and line.text[quote + 1] != ","):
        raise DockerfileError(line.span.start, "a quoted field of --mount does not end")
    text = "".join(line.text[index] for index in kept)
    offsets = (*(line.offsets[index] for index in kept), line.offsets[quote])
    return SourceText(text, offsets), quote + 1

"""Characters that know which bytes of the document they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from imagelock.documents.spans import Span


@dataclass(frozen=True, slots=True)  # made for each word of each file, which the compiled methods do in half the time
class SourceText:
    """A piece of a document, decoded. Continuations, quotes and escapes between its characters may be gone already."""

    text: str
    offsets: Sequence[int]
    """Where each character's first byte stands; one more at the end: where the text ends."""

    @classmethod
    def of(cls, content: bytes, offsets: Sequence[int]) -> SourceText:
        """Decode bytes, given where each of them and the first one after them stand. Bad bytes become surrogates."""
        text = content.decode("utf-8", "surrogateescape")
        if len(text) == len(content):
            return cls(text, offsets)
        starts = accumulate(map(encoded_length, text), initial=0)
        return cls(text, tuple(offsets[start] for start in starts))

    @classmethod
    def at(cls, text: str, start: int) -> SourceText:
        """Text that stands in the document just so, from one byte on."""
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
        """From the first byte to the last, whatever was taken out between them."""
        return Span(self.offsets[0], self.offsets[len(self.text)])

    @property
    def is_verbatim(self) -> bool:
        """Whether the document has exactly these characters there, in one piece, and nothing between them."""
        return self.text.isascii() and self.span.end - self.span.start == len(self.text)


def encoded_length(character: str) -> int:
    """How many bytes of the document a character was."""
    return len(character.encode("utf-8", "surrogateescape"))

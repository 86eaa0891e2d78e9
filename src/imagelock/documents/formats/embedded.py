"""``dockerfile_inline`` of compose files: a Dockerfile in a block scalar.

Compose replaces its own variables first, so a ``$`` of the Dockerfile is written ``$$``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Self

from imagelock.documents.dockerfile.scan import scan_dockerfile
from imagelock.documents.references import (
    DigestField,
    Editing,
    Found,
    HexDigestField,
    Image,
    InlineDigest,
    NotEditable,
    ReferenceKind,
    Target,
    Unresolved,
)
from imagelock.documents.spans import SourceText, Span
from imagelock.documents.syntax.nodes import Scalar, ScalarStyle
from imagelock.model.frozen import frozen

_HINT = "put the Dockerfile into a file of its own"


_NOT_LITERAL = Unresolved("", "the inline Dockerfile is not written after a plain `|`", _HINT)
_INTERPOLATED = Unresolved(
    "", "compose replaces variables in the inline Dockerfile", "write `$$` for a Dockerfile's `$`"
)


@frozen
class _Extract:
    """The inline Dockerfile, and where each of its bytes stands in the compose file; one more for its end."""

    content: bytes
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, source: SourceText, indices: Iterable[int]) -> Self:
        """Take some of the characters of a text."""
        content = bytearray()
        offsets: list[int] = []
        for index in indices:
            character = source.text[index].encode()
            content += character
            offsets += range(source.offsets[index], source.offsets[index] + len(character))
        return cls(bytes(content), (*offsets, source.span.end))

    def span(self, inner: Span) -> Span:
        """Find a span of the Dockerfile in the compose file."""
        start = self.offsets[inner.start - 1] + 1 if inner.start == inner.end else self.offsets[inner.start]
        return Span(start, self.offsets[inner.end - 1] + 1)

    def target(self, target: Target) -> Target:
        """Move the place of a digest from the Dockerfile to the compose file."""
        return replace(target, editing=self._editing(target.editing)) if isinstance(target, Image) else target

    def _editing(self, editing: Editing) -> Editing:
        match editing:
            case InlineDigest(span, tag):
                return InlineDigest(self.span(span), None if tag is None else self.span(tag))
            case DigestField() | HexDigestField():
                return replace(editing, span=self.span(editing.span))
            case NotEditable():
                return editing


def find_in_inline_dockerfile(scalar: Scalar) -> Iterator[Found]:
    """Find the references of an inline Dockerfile, with their places in the compose file."""
    extract = _extract(scalar)
    header = scalar.source.cut(0, 1).span
    if isinstance(extract, Unresolved):
        yield Found(ReferenceKind.FROM, "", header, extract)
        return
    scan = scan_dockerfile(extract.content)
    for problem in scan.problems:
        yield Found(ReferenceKind.FROM, "", header, Unresolved("", problem.reason, _HINT))
    for reference in scan.references:
        yield Found(reference.kind, reference.text, extract.span(reference.span), extract.target(reference.target))


def _extract(scalar: Scalar) -> _Extract | Unresolved:
    """Take the indentation off, and one of two ``$``; refuse what compose would replace."""
    lines = scalar.source.text.split("\n")
    if scalar.style is not ScalarStyle.LITERAL or any(character.isdigit() for character in lines[0]):
        return _NOT_LITERAL
    if "$" in scalar.value.replace("$$", ""):
        return _INTERPOLATED
    indices = tuple(index for index in _kept(lines, escapes="$$") if index < len(scalar.source))
    kept = "".join(scalar.source.text[index] for index in indices)
    if kept.rstrip("\n") != scalar.value.replace("$$", "$").rstrip("\n"):
        return _NOT_LITERAL
    return _Extract.of(scalar.source, indices)


def _kept(lines: Sequence[str], *, escapes: str) -> Iterator[int]:
    """Find the characters that are the Dockerfile's own."""
    indentation = next((len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.strip()), 0)
    start = len(lines[0]) + 1
    for line in lines[1:]:
        at = indentation
        while at < len(line.removesuffix("\r")):
            yield start + at
            at += len(escapes) if line.startswith(escapes, at) else 1
        start += len(line) + 1
        yield start - 1

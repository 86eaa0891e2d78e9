"""Documents inside of scalars: Helm values in a text, a Dockerfile in a compose or bake file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from imagelock.documents.dockerfile.finder import scan_dockerfile
from imagelock.documents.formats.shared_values import leave_shared_values
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
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Node, Scalar, ScalarStyle
from imagelock.documents.syntax.yaml import read_yaml
from imagelock.model.frozen import frozen

_FILE_HINT = "put the Dockerfile into a file of its own"
_NOT_LITERAL = "is not written after a plain `|`"
_INTERPOLATED = "compose replaces variables in the inline Dockerfile"


def find_in_embedded_yaml(
    scalar: Scalar, find: Callable[[Node], Iterable[Found]], *, gives_every_key_meaning: bool = False
) -> Iterator[Found]:
    """Find the references of YAML that is a scalar of another document."""
    if not scalar.value.strip():
        return
    source = inner_source(scalar)
    if source is None:
        if _has_images(scalar.value, find):
            yield _not_read(scalar, f"the YAML in it {_NOT_LITERAL}", "write it after `|`")
        return
    try:
        documents = read_yaml(source)
    except DocumentSyntaxError as error:
        yield _not_read(scalar, error.reason, "write YAML there, or name the file under `[external]`")
        return
    found = [each for document in documents for each in find(document)]
    yield from leave_shared_values(found, source, find, gives_every_key_meaning=gives_every_key_meaning)


def _has_images(text: str, find: Callable[[Node], Iterable[Found]]) -> bool:
    """Whether a text has images, or can't be read, so that it may have some."""
    try:
        return any(True for document in read_yaml(SourceText.at(text, 0)) for _ in find(document))
    except DocumentSyntaxError:
        return True


def find_in_embedded_dockerfile(scalar: Scalar, *, escape: str = "") -> Iterator[Found]:
    """Find the references of a Dockerfile that is a scalar; ``escape`` is how a ``$`` of the Dockerfile is written."""
    source = inner_source(scalar)
    if source is None:
        yield _not_read(scalar, f"the inline Dockerfile {_NOT_LITERAL}", _FILE_HINT)
    elif escape and "$" in source.text.replace(escape, ""):
        yield _not_read(scalar, _INTERPOLATED, f"write `{escape}` for a Dockerfile's `$`")
    else:
        yield from _find_in_dockerfile(scalar, _Extract.of(source, escape))


def _not_read(scalar: Scalar, reason: str, hint: str) -> Found:
    return Found(ReferenceKind.FROM, "", scalar.source.cut(0, 1).span, Unresolved("", reason, hint))


def _find_in_dockerfile(scalar: Scalar, extract: _Extract) -> Iterator[Found]:
    scan = scan_dockerfile(extract.content)
    for problem in scan.problems:
        yield _not_read(scalar, problem.reason, _FILE_HINT)
    for reference in scan.references:
        yield Found(reference.kind, reference.text, extract.span(reference.span), extract.target(reference.target))


def inner_source(scalar: Scalar) -> SourceText | None:
    """Remove the indentation, and keep the offset of each character; ``None`` if the text is not the value."""
    if scalar.style is ScalarStyle.HEREDOC:
        return scalar.source
    lines = scalar.source.text.split("\n")
    if scalar.style is not ScalarStyle.LITERAL or any(character.isdigit() for character in lines[0]):
        return None
    indices = [index for index in _indices_of_lines(lines) if index < len(scalar.source)]
    text = "".join(scalar.source.text[index] for index in indices)
    if text.rstrip("\n") != scalar.value.rstrip("\n"):
        return None
    offsets = [scalar.source.offsets[index] for index in indices]
    return SourceText(text, (*offsets, scalar.source.span.end))


def _indices_of_lines(lines: Sequence[str]) -> Iterator[int]:
    indentation = next((len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.strip()), 0)
    start = len(lines[0]) + 1
    for line in lines[1:]:
        yield from range(start + indentation, start + len(line.removesuffix("\r")))
        start += len(line) + 1
        yield start - 1


@frozen
class _Extract:
    """The inline Dockerfile, and where each of its bytes is in the file; one more for its end."""

    content: bytes
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, source: SourceText, escape: str) -> _Extract:
        """Return the text of a scalar; of each ``escape``, its last character."""
        content = bytearray()
        offsets: list[int] = []
        at = 0
        while at < len(source.text):
            at += len(escape) - 1 if escape and source.text.startswith(escape, at) else 0
            character = source.text[at].encode()
            content += character
            offsets += range(source.offsets[at], source.offsets[at] + len(character))
            at += 1
        return cls(bytes(content), (*offsets, source.span.end))

    def span(self, inner: Span) -> Span:
        """Find a span of the Dockerfile in the file around it."""
        start = self.offsets[inner.start - 1] + 1 if inner.start == inner.end else self.offsets[inner.start]
        return Span(start, self.offsets[inner.end - 1] + 1)

    def target(self, target: Target) -> Target:
        """Move the place of a digest from the Dockerfile to the file around it."""
        return replace(target, editing=self._editing(target.editing)) if isinstance(target, Image) else target

    def _editing(self, editing: Editing) -> Editing:
        match editing:
            case InlineDigest(span, tag):
                return replace(editing, span=self.span(span), tag=None if tag is None else self.span(tag))
            case DigestField(span, _, tag) | HexDigestField(span, _, tag):
                moved = None if tag is None else replace(tag, span=self.span(tag.span))
                return replace(editing, span=self.span(span), tag=moved)
            case NotEditable():
                return editing

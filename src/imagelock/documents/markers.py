"""Marker comments, which say which image a line of any text file is about: ``# imagelock: NAME[.FIELD]``.

A marker is on the line above, or at the end of the line where the format has such comments. ``# imagelock: ignore``
takes a line out of all formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from imagelock.documents.formats.format import Format
from imagelock.documents.references import Marked, Reference, ReferenceKind, Scan, Unresolved
from imagelock.documents.spans import LineIndex, SourceText
from imagelock.documents.syntax.reader import Syntax
from imagelock.model.frozen import frozen

_WORD = b"imagelock:"
_IGNORE = "ignore"
_MARKER = (
    rb"[ \t]*imagelock:[ \t]*(?P<name>[A-Za-z0-9_][A-Za-z0-9_-]*)(?:\.(?P<field>[A-Za-z0-9_][A-Za-z0-9_./()+-]*))?"
    rb"[ \t]*%s[ \t\r]*\Z"
)
_HASH, _SLASHES, _DASHES, _SEMICOLON = rb"\#{1,8}", rb"/{2,8}", rb"-{2,8}", rb";{1,8}"
_SIGNS = {
    Syntax.DOCKERFILE: (_HASH,),
    Syntax.YAML: (_HASH,),
    Syntax.JSON: (_SLASHES,),
    Syntax.HCL: (_HASH, _SLASHES),
    Syntax.INI: (_HASH, _SEMICOLON),
    Syntax.DOTENV: (_HASH,),
    Syntax.TEXT: (_HASH, _SLASHES, _DASHES, _SEMICOLON, rb"%{1,8}", rb"(?i:rem|dnl)(?=[ \t])", rb"::"),
}
_C_COMMENT = (rb"/\*{1,8}", rb"\*{1,8}/")
_PAIRS = {
    Syntax.JSON: (_C_COMMENT,),
    Syntax.HCL: (_C_COMMENT,),
    Syntax.TEXT: (
        _C_COMMENT,
        (rb"<!--", rb"-->"),
        (rb"\{\#-?", rb"-?\#\}"),
        (rb"\(\*", rb"\*\)"),
        (rb"\{\{-?[ ]?/\*", rb"\*/[ ]?-?\}\}"),
    ),
}
"""What begins and ends a comment that may end before its line does."""
_ENDS_LINES = frozenset({Syntax.YAML, Syntax.HCL, Syntax.TEXT})
"""The syntaxes in which a comment may follow other text on its line."""


def _expression(syntax: Syntax) -> re.Pattern[bytes]:
    comments = [b"(?:%s)%s" % (b"|".join(_SIGNS[syntax]), _MARKER % b"")]
    for number, (opening, closing) in enumerate(_PAIRS.get(syntax, ())):
        inside = re.sub(rb"\?P<(name|field)>", rb"?P<\1_%d>" % number, _MARKER % closing)
        comments.append(opening + inside)
    return re.compile(rb"(?:^|(?<=[ \t]))(?:%s)" % b"|".join(comments))


_EXPRESSIONS = {syntax: _expression(syntax) for syntax in Syntax}


@frozen
class _Marker:
    name: str
    field: str
    start: int
    """The byte offset of its comment."""
    line: int
    """The number of the line that it is about, from 1."""
    is_above: bool


def has_markers(content: bytes, syntax: Syntax) -> bool:
    """Whether a file has a marker. Most files have not even its word."""
    return _WORD in content and next(_find_markers(content, LineIndex(content), syntax), None) is not None


def find_marked_lines(content: bytes, kind: Format) -> frozenset[int]:
    """Return the numbers of the lines that markers are about, those that are ignored included."""
    if _WORD not in content:
        return frozenset()
    return frozenset(marker.line for marker in _find_markers(content, LineIndex(content), kind.syntax))


def with_markers(scan: Scan, content: bytes, kind: Format) -> Scan:
    """Add the references of marked lines to a scan; what the format found on these lines gives way to them."""
    if _WORD not in content or scan.problems:
        return scan
    lines = LineIndex(content)
    markers = tuple(_find_markers(content, lines, kind.syntax))
    if not markers:
        return scan
    taken = {marker.line for marker in markers}
    ignored = {marker.line for marker in markers if marker.name == _IGNORE}
    kept = (each for each in scan.references if each.position.line not in taken)
    marked = _references(content, lines, markers, can_end_line=kind.syntax in _ENDS_LINES)
    return replace(
        scan,
        references=tuple(sorted((*kept, *marked), key=lambda reference: reference.span)),
        has_ignored=any(each.position.line in ignored for each in scan.references),
    )


def _find_markers(content: bytes, lines: LineIndex, syntax: Syntax) -> Iterator[_Marker]:
    at = content.find(_WORD)
    while at >= 0:
        number = lines.position(at).line
        line = lines.line_span(number)
        comment = _EXPRESSIONS[syntax].search(line.of(content))
        if comment is not None:
            groups = {key.partition("_")[0]: value for key, value in comment.groupdict().items() if value}
            start = line.start + comment.start()
            is_above = not content[line.start : start].strip(b" \t")
            yield _Marker(
                groups["name"].decode(),
                groups.get("field", b"").decode(),
                start,
                number + is_above,
                is_above,
            )
        at = content.find(_WORD, line.end)


def _references(
    content: bytes, lines: LineIndex, markers: tuple[_Marker, ...], *, can_end_line: bool
) -> Iterator[Reference]:
    comments = {marker.line - 1 for marker in markers if marker.is_above}
    seen: set[int] = set()
    for marker in markers:
        if not marker.is_above and not can_end_line:
            yield _misplaced(content, lines, marker, "after other text it is no comment", "put it on the line above")
        elif marker.line in seen:
            yield _misplaced(content, lines, marker, "its line has two markers", "remove one of them")
        elif marker.line > lines.line_count or marker.line in comments:
            yield _misplaced(content, lines, marker, "no line follows it", "put it directly above a line")
        elif marker.name != _IGNORE:
            yield _marked(content, lines, marker)
        seen.add(marker.line)


def _marked(content: bytes, lines: LineIndex, marker: _Marker) -> Reference:
    line = lines.line_span(marker.line)
    end = line.end if marker.is_above else marker.start
    source = SourceText.of(content[line.start : end], range(line.start, end + 1))
    indentation = len(source.text) - len(source.text.lstrip())
    source = source.cut(indentation, len(source.text.rstrip()) if source.text.strip() else None)
    return Reference(
        kind=ReferenceKind.MARKED,
        text=source.text,
        span=source.span,
        position=lines.position(source.span.start),
        target=Marked(source.text, marker.name, marker.field, source),
    )


def _misplaced(content: bytes, lines: LineIndex, marker: _Marker, reason: str, hint: str) -> Reference:
    end = lines.line_span(marker.line - marker.is_above).end
    source = SourceText.of(content[marker.start : end].rstrip(), range(marker.start, end + 1))
    return Reference(
        kind=ReferenceKind.MARKED,
        text=source.text,
        span=source.span,
        position=lines.position(marker.start),
        target=Unresolved(source.text, reason, hint),
    )

"""Parser directives: ``# escape=`` and ``# syntax=`` at the very top of a Dockerfile.

https://docs.docker.com/reference/dockerfile/#parser-directives

BuildKit reads ``syntax`` with a reader of its own, which differs from the one for ``escape``: no blanks before the
``#``, a ``#!`` line skipped, ``//`` and JSON understood.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from imagelock.documents.dockerfile.lines import BLANKS, DockerfileError, without_leading_blanks
from imagelock.documents.spans import SourceText, Span
from imagelock.model.frozen import frozen

DEFAULT_ESCAPE = "\\"
_ESCAPES = ("\\", "`")
_KEYS = frozenset({"syntax", "escape", "check"})
_DIRECTIVE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z", re.DOTALL)
_JSON_SYNTAX = re.compile(r'"syntax"\s*:\s*"([^"\\]*)"')


@frozen
class _Directive:
    key: str
    value: SourceText


@frozen
class Syntax:
    """The image that reads the file in BuildKit's place."""

    value: SourceText
    is_dockerfile: bool
    """Whether the rest may be read as a Dockerfile: with ``// syntax=`` or JSON it is some other language."""


def find_escape(content: bytes, lines: Sequence[Span]) -> str:
    """Find the escape character that the file chooses, a backslash unless ``# escape=`` says otherwise."""
    escape = DEFAULT_ESCAPE
    for directive in _read_directives(content, _without_indentation(content, lines), "#"):
        if directive.key == "escape":
            escape = directive.value.text
            if escape not in _ESCAPES:
                raise DockerfileError(directive.value.span.start, f"the escape character must be \\ or `, not {escape}")
    return escape


def find_syntax(content: bytes, lines: Sequence[Span]) -> Syntax | None:
    """Find the image that ``syntax`` names, wherever BuildKit would see it."""
    if lines and lines[0].of(content).startswith(b"#!"):
        lines = lines[1:]
    for prefix in ("#", "//"):
        try:
            for directive in _read_directives(content, lines, prefix):
                if directive.key == "syntax":
                    end = directive.value.text.partition(" ")[0]
                    return Syntax(directive.value.cut(0, len(end)), is_dockerfile=prefix == "#")
        except DockerfileError:  # The other reader reports it; this one stops, as BuildKit's does.
            continue
    return _find_json_syntax(content, lines)


def _without_indentation(content: bytes, lines: Iterable[Span]) -> Iterator[Span]:
    for line in lines:
        yield Span(line.end - len(without_leading_blanks(line.of(content))), line.end)


def _read_directives(content: bytes, lines: Iterable[Span], prefix: str) -> Iterator[_Directive]:
    seen: set[str] = set()
    for line in lines:
        directive = _parse_directive(SourceText.of(line.of(content), range(line.start, line.end + 1)), prefix)
        if directive is None:
            return
        if directive.key in seen:
            raise DockerfileError(line.start, f"only one {directive.key} parser directive can be used")
        seen.add(directive.key)
        yield directive


def _parse_directive(line: SourceText, prefix: str) -> _Directive | None:
    if not line.text.startswith(prefix):
        return None
    comment = line.text.removeprefix(prefix)
    match = _DIRECTIVE.match(comment.lstrip(BLANKS))
    if match is None or match[1].lower() not in _KEYS:
        return None
    start, end = (index + len(line) - len(match.string) for index in match.span(2))
    return _Directive(match[1].lower(), line.cut(start, end))


def _find_json_syntax(content: bytes, lines: Sequence[Span]) -> Syntax | None:
    start = lines[0].start if lines else len(content)
    if not content[start:].lstrip(b" \t\r\n").startswith(b"{"):
        return None
    try:
        document = json.loads(content[start:])
    except (ValueError, RecursionError):
        return None
    text = SourceText.of(content[start:], range(start, len(content) + 1))
    match = _JSON_SYNTAX.search(text.text)
    if match is None or document.get("syntax") != match[1]:
        return None
    return Syntax(text.cut(*match.span(1)), is_dockerfile=False)

"""The two syntaxes of lines: INI, as systemd's units have it, and ``.env``.

https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html
https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagelock.documents.spans import SourceText
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, ScalarStyle

_SECTION = re.compile(r"[ \t]*\[(?P<name>[^\]\r\n]+)\][ \t\r]*\Z")
_SETTING = re.compile(r"[ \t]*(?P<key>[^=\s#;\[][^=]*?)[ \t]*=[ \t]*(?P<value>.*?)[ \t\r]*\Z", re.DOTALL)
_VARIABLE = re.compile(
    r"(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*"
    r"(?:'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^\r\n]*))",
    re.DOTALL | re.ASCII,
)
_BARE_END = re.compile(r"(?:[ \t]+#.*|[ \t]+)\Z|\A#.*", re.DOTALL)
_PASSED_OVER = re.compile(r"(?:[ \t\r\ufeff]*(?:\#[^\n]*)?\n)*[ \t\r\ufeff]*(?:\#[^\n]*\Z)?")
_REST_OF_LINE = re.compile(r"[^\n]*(?:\n|\Z)")


def read_ini(source: SourceText) -> tuple[Node, ...]:
    """Read sections of settings: sections of one name are one, and the last setting of a key counts."""
    sections: dict[str, dict[str, Node]] = {}
    settings: dict[str, Node] = {}
    for start, end in _logical_lines(source.text):
        line = source.cut(start, end)
        if section := _SECTION.match(line.text):
            settings = sections.setdefault(section["name"], {})
        elif setting := _SETTING.match(line.text):
            settings[setting["key"]] = Scalar(
                _without_continuations(setting["value"]), line.cut(*setting.span("value")), ScalarStyle.TEXT
            )
    return (Mapping(tuple((name, Mapping(tuple(found.items()))) for name, found in sections.items())),)


def _logical_lines(text: str) -> Iterator[tuple[int, int]]:
    r"""Find the lines that are no comments; a ``\`` at the end of one continues it."""
    start = at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        is_comment = at == start and text[at:end].lstrip()[:1] in ("#", ";")
        at = end + 1
        if text[start:end].rstrip("\r").endswith("\\") and not is_comment and at <= len(text):
            continue
        if not is_comment:
            yield start, end
        start = at


def _without_continuations(value: str) -> str:
    return re.sub(r"\\\r?\n", " ", value)


def read_dotenv(source: SourceText) -> tuple[Node, ...]:
    """Read variables; the last one of a name counts. ``DocumentSyntaxError``: a quote is not closed."""
    variables: dict[str, Node] = {}
    at = 0
    while at < len(source.text):
        at = _end(_PASSED_OVER, source.text, at)
        found = _VARIABLE.match(source.text, at)
        if found is not None:
            variables[found["name"]] = _variable(source, found)
            at = found.end()
        at = max(_end(_REST_OF_LINE, source.text, at), at + 1)
    return (Mapping(tuple(variables.items())),)


def _end(expression: re.Pattern[str], text: str, at: int) -> int:
    found = expression.match(text, at)
    return at if found is None else found.end()


def _variable(source: SourceText, found: re.Match[str]) -> Scalar:
    if found["single"] is not None:
        return Scalar(found["single"], source.cut(*found.span("single")), ScalarStyle.TEXT)
    if found["double"] is not None:
        style = ScalarStyle.ESCAPED if "\\" in found["double"] else ScalarStyle.QUOTED
        return Scalar(found["double"], source.cut(*found.span("double")), style)
    if found["bare"][:1] in ("'", '"'):
        raise DocumentSyntaxError(source.offsets[found.start("bare")], "a quote is not closed")
    start = found.start("bare")
    value = _BARE_END.sub("", found["bare"])
    return Scalar(value, source.cut(start, start + len(value)), ScalarStyle.TEXT)

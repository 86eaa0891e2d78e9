"""JSON with comments and trailing commas, as editors, dev containers and kubectl's files have it.

A tokenizer of our own, since YAML's reader refuses comments after ``//`` and tabs between values.
"""

from __future__ import annotations

import json
import re

from imagelock.documents.spans import SourceText
from imagelock.documents.syntax.nodes import (
    MAX_DEPTH,
    DocumentSyntaxError,
    Mapping,
    Node,
    Scalar,
    ScalarStyle,
    Sequence,
)

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+|//[^\n]*|/\*.*?\*/)"
    r'|"(?P<text>(?:[^"\\\x00-\x1f]|\\.)*)"'
    r"|(?P<sign>[\[\]{}:,])"
    r"|(?P<word>[-+.\w]+)",
    re.DOTALL,
)
_CLOSING = {"{": "}", "[": "]"}


class _Reader:
    """Reads one value; collections that are still open wait in a stack, not in Python's."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._at = 0

    def read(self) -> Node:
        waiting: list[tuple[str, list[Node]]] = []
        while True:
            node = self._next_node(waiting)
            if node is None:
                continue
            if not waiting:
                self._expect_end()
                return node
            waiting[-1][1].append(node)
            self._after_value(waiting[-1])

    def _next_node(self, waiting: list[tuple[str, list[Node]]]) -> Node | None:
        """Read a scalar or the end of a collection; ``None`` after the beginning of one."""
        token = self._token()
        if token is None:
            raise self._problem("the end of a value is missing")
        sign = token["sign"]
        if sign in _CLOSING:
            if len(waiting) >= MAX_DEPTH:
                raise DocumentSyntaxError(
                    self._source.offsets[token.start()], f"it is more than {MAX_DEPTH} levels deep"
                )
            waiting.append((sign, []))
            return None
        if sign and waiting and sign == _CLOSING[waiting[-1][0]] and _is_complete(waiting[-1]):
            return _closed(*waiting.pop())
        if sign:
            raise self._problem(f"`{sign}` comes where a value belongs", token)
        return self._scalar(token)

    def _after_value(self, collection: tuple[str, list[Node]]) -> None:
        """Read the sign between two values; the one before the end may be left out."""
        opening, nodes = collection
        wanted = ":" if opening == "{" and len(nodes) % 2 else ","
        token = self._token()
        if token is not None and token["sign"] == wanted:
            return
        if token is not None and token["sign"] == _CLOSING[opening] and wanted == ",":
            self._at = token.start()
            return
        raise self._problem(f"a `{wanted}` is missing", token)

    def _scalar(self, token: re.Match[str]) -> Scalar:
        if token["word"] is not None:
            return Scalar(token["word"], self._source.cut(*token.span("word")), ScalarStyle.PLAIN)
        source = self._source.cut(*token.span("text"))
        if "\\" not in source.text:
            return Scalar(source.text, source, ScalarStyle.QUOTED)
        try:
            return Scalar(json.loads(f'"{source.text}"'), source, ScalarStyle.QUOTED)
        except ValueError as error:
            raise self._problem("an escape is not JSON's", token) from error

    def _token(self) -> re.Match[str] | None:
        """Read what follows blanks and comments; ``None`` at the end."""
        while self._at < len(self._source.text):
            token = _TOKEN.match(self._source.text, self._at)
            if token is None:
                raise self._problem("it is not JSON")
            self._at = token.end()
            if token["blank"] is None:
                return token
        return None

    def _expect_end(self) -> None:
        if token := self._token():
            raise self._problem("something follows the value", token)

    def _problem(self, reason: str, token: re.Match[str] | None = None) -> DocumentSyntaxError:
        at = self._at if token is None else token.start()
        return DocumentSyntaxError(self._source.offsets[min(at, len(self._source.text))], reason)


def _is_complete(collection: tuple[str, list[Node]]) -> bool:
    opening, nodes = collection
    return opening == "[" or len(nodes) % 2 == 0


def _closed(opening: str, nodes: list[Node]) -> Node:
    if opening == "[":
        return Sequence(tuple(nodes))
    pairs = zip(nodes[::2], nodes[1::2], strict=True)
    return Mapping(tuple((key.value, value) for key, value in pairs if isinstance(key, Scalar)))


def read_json(source: SourceText) -> tuple[Node, ...]:
    """Read the one value of a file; ``DocumentSyntaxError`` says where reading ended."""
    return (_Reader(source).read(),) if source.text.strip() else ()

"""HCL, as bake, Nomad and Terraform write it: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md.

Blocks become mappings: their type and their labels are keys, and blocks of the same keys become a list. Nothing is
evaluated: a value that is more than one string, object or list is an expression. What ``jsonencode`` and ``yamlencode``
write is a value as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

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
from imagelock.model.frozen import frozen

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\ufeff]+|(?:\#|//)[^\n]*|/\*.*?\*/)"
    r"|(?P<unclosed>/\*)"
    r"|(?P<newline>\n)"
    r"|(?P<heredoc><<-?[ \t]*(?P<marker>[A-Za-z_][\w-]*)[ \t\r]*\n)"
    r'|(?P<quote>")'
    r"|(?P<word>[\w-]+)"
    r"|(?P<sign>=>|==|!=|<=|>=|&&|\|\||\.\.\.|.)",
    re.DOTALL,
)
_STRING_PIECE = re.compile(r'\\.|\$\$\{|%%\{|(?P<template>[$%]\{)|(?P<end>")|[^\\"$%\n]+|[$%]')
_TEMPLATE_PIECE = re.compile(r'(?P<open>\{)|(?P<close>\})|(?P<quote>")|[^{}"]+')
_ENCODERS = ("jsonencode", "yamlencode")
_OPENING, _CLOSING = "{[(", "}])"
_N = TypeVar("_N", bound=Node)


@frozen
class _Token:
    kind: str
    start: int
    end: int
    text: str


def read_hcl(source: SourceText) -> tuple[Node, ...]:
    """Read a file as one mapping; ``DocumentSyntaxError`` says where reading ended."""
    tokens = tuple(_tokens(source))
    return (_Parser(source, tokens).read(),)


def _tokens(source: SourceText) -> Iterator[_Token]:
    text, at = source.text, 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token["unclosed"]:
            raise DocumentSyntaxError(source.offsets[at], "it is not HCL: the end of a comment is missing")
        kind, start, end = token.lastgroup or "", at, token.end()
        if token["heredoc"] is not None:
            kind, end = "heredoc", _end_of_heredoc(source, token)
        elif kind == "quote":
            kind, end = "text", _end_of_string(source, end)
        at = end
        if kind != "blank":
            yield _Token(kind, start, end, text[start:end])
    yield _Token("end", len(text), len(text), "")


def _end_of_heredoc(source: SourceText, begin: re.Match[str]) -> int:
    end = re.compile(rf"^[ \t]*{re.escape(begin['marker'])}[ \t\r]*$", re.MULTILINE).search(source.text, begin.end())
    if end is None:
        raise DocumentSyntaxError(source.offsets[begin.start()], f"the end `{begin['marker']}` is missing")
    return end.end()


def _end_of_string(source: SourceText, at: int) -> int:
    """Return the end of a string whose opening quote ends at ``at``; templates in it may have strings of their own."""
    templates: list[int] = []  # how many braces are open in each template around
    while at < len(source.text):
        piece = (_TEMPLATE_PIECE if templates and templates[-1] else _STRING_PIECE).match(source.text, at)
        if piece is None:
            break
        at = piece.end()
        match piece.lastgroup:
            case "template":
                templates.append(1)
            case "quote":
                templates.append(0)
            case "open" | "close":
                templates[-1] += 1 if piece.lastgroup == "open" else -1
                if not templates[-1]:
                    templates.pop()
            case "end":
                if not templates:
                    return at
                templates.pop()
            case _:
                pass
    raise DocumentSyntaxError(source.offsets[min(at, len(source.text))], "the end of a string is missing")


class _Parser:
    def __init__(self, source: SourceText, tokens: tuple[_Token, ...]) -> None:
        self._source = source
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def read(self) -> Mapping:
        body = self._body()
        if self._next.kind != "end":
            raise self._problem(f"`{self._next.text}` closes nothing")
        return body

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _skip(self, *signs: str) -> None:
        """Skip line ends, and these signs."""
        while self._next.kind == "newline" or (self._next.kind == "sign" and self._next.text in signs):
            self._at += 1

    def _body(self) -> Mapping:
        """Read attributes and blocks up to a closing brace, or to the end."""
        entries: list[tuple[list[str], Node]] = []
        self._skip()
        while self._next.kind in ("word", "text") or self._next.text == "(":
            keys = [self._key()]
            while self._next.kind in ("word", "text"):
                keys.append(self._key())
            if self._next.text == "{":
                entries.append((keys, self._within(self._body)))
            elif self._next.text in ("=", ":") and len(keys) == 1:
                self._at += 1
                entries.append((keys, self._value()))
            else:
                raise self._problem("neither a block nor an attribute")
            self._skip(",")
        return _merged(entries)

    def _key(self) -> str:
        if self._next.text == "(":
            return self._within(self._expression).value  # a key that is computed
        token = self._take()
        return token.text[1:-1] if token.kind == "text" else token.text

    def _value(self) -> Node:
        start = self._at
        node = self._simple_value()
        if node is not None and (self._next.kind in ("newline", "end") or self._next.text in (",", "}", "]", ")")):
            return node
        self._at = start
        return self._expression()

    def _simple_value(self) -> Node | None:
        token = self._next
        match token.kind, token.text:
            case ("text", _):
                self._at += 1
                return _string(self._source.cut(token.start + 1, token.end - 1))
            case ("heredoc", _):
                self._at += 1
                return _heredoc(self._source, token)
            case ("sign", "{") if not self._begins_with_for():
                return self._within(self._body)
            case ("sign", "[") if not self._begins_with_for():
                return self._within(self._list)
            case ("word", word) if word in _ENCODERS and self._tokens[self._at + 1].text == "(":
                return self._encoded()
            case _:
                return None

    def _encoded(self) -> Node | None:
        """Read the argument of an encoder; ``None`` if it is an expression that is not understood."""
        depth = self._depth
        self._at += 1
        try:
            return self._within(self._argument)
        except DocumentSyntaxError:
            self._depth = depth
            return None

    def _argument(self) -> Node:
        self._skip()
        node = self._value()
        self._skip(",")
        return node

    def _begins_with_for(self) -> bool:
        """Whether an object or a list is computed: ``[for x in y : z]``."""
        at = self._at + 1
        while self._tokens[at].kind == "newline":
            at += 1
        return self._tokens[at].text == "for"

    def _list(self) -> Sequence:
        items: list[Node] = []
        self._skip(",")
        while self._next.text not in _CLOSING and self._next.kind != "end":
            items.append(self._value())
            self._skip(",")
        return Sequence(tuple(items))

    def _within(self, read: Callable[[], _N]) -> _N:
        """Read what is between two brackets."""
        opening = self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._problem(f"it is more than {MAX_DEPTH} levels deep")
        node = read()
        self._depth -= 1
        if self._next.text != _CLOSING[_OPENING.index(opening.text)]:
            raise self._problem(f"`{opening.text}` is not closed")
        self._at += 1
        return node

    def _expression(self) -> Scalar:
        """Pass over a value that would have to be computed."""
        first, depth = self._next, 0
        while self._next.kind != "end":
            token = self._next
            if token.kind == "sign" and token.text in _OPENING:
                depth += 1
            elif depth == 0 and (token.kind == "newline" or token.text in (",", *_CLOSING)):
                break
            elif token.kind == "sign" and token.text in _CLOSING:
                depth -= 1
            self._at += 1
        end = self._tokens[self._at - 1].end if self._next is not first else first.start
        source = self._source.cut(first.start, end)
        return Scalar(source.text, source, ScalarStyle.EXPRESSION)

    def _problem(self, reason: str) -> DocumentSyntaxError:
        return DocumentSyntaxError(self._source.offsets[self._next.start], f"it is not HCL: {reason}")


def _merged(entries: list[tuple[list[str], Node]]) -> Mapping:
    """Merge entries with the same first key: labels side by side, and several bodies in a list."""
    by_key: dict[str, list[tuple[list[str], Node]]] = {}
    for keys, node in entries:
        by_key.setdefault(keys[0], []).append((keys[1:], node))
    return Mapping(tuple((key, _together(found)) for key, found in by_key.items()))


def _together(found: list[tuple[list[str], Node]]) -> Node:
    nodes = [node for labels, node in found if not labels]
    labelled = [(labels, node) for labels, node in found if labels]
    if labelled:
        nodes.append(_merged(labelled))
    return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))


def _string(source: SourceText) -> Scalar:
    is_plain = "\\" not in source.text and "$${" not in source.text and "%%{" not in source.text
    return Scalar(source.text, source, ScalarStyle.QUOTED if is_plain else ScalarStyle.ESCAPED)


def _heredoc(source: SourceText, token: _Token) -> Scalar:
    """Read the lines between the marks; ``<<-`` removes their common indentation."""
    start = source.text.index("\n", token.start) + 1
    end = source.text.rindex("\n", start - 1, token.end) + 1
    lines = source.text[start:end].splitlines(keepends=True)
    filled = [line for line in lines if line.strip()]
    indentation = min((len(line) - len(line.lstrip(" \t")) for line in filled), default=0)
    cut = indentation if token.text.startswith("<<-") else 0
    text: list[str] = []
    offsets: list[int] = []
    at = start
    for line in lines:
        kept = line[min(cut, len(line) - len(line.lstrip(" \t"))) :]
        offsets += source.offsets[at + len(line) - len(kept) : at + len(line)]
        text.append(kept)
        at += len(line)
    joined = "".join(text)
    return Scalar(joined, SourceText(joined, (*offsets, source.offsets[end])), ScalarStyle.HEREDOC)

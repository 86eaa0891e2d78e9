"""``$NAME`` and ``${NAME:-default}`` in compose files.

https://docs.docker.com/reference/compose-file/interpolation/

What the environment and ``.env`` hold is unknown here, so a variable without a default has no value.
"""

from __future__ import annotations

import re

from imagelock.documents.digest_position import Definitions, find_digest_position
from imagelock.documents.references import NotEditable, Target, Unresolved, image_or_unresolved
from imagelock.documents.spans import SourceText
from imagelock.documents.variables import Literal, Piece, Variable, Word, WordError, expand

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*", re.ASCII)
_OPERATOR = re.compile(r":?[-+?]")
_MAX_DEPTH = 50


def interpolated_target(source: SourceText) -> Target:
    """Tell what a value of a compose file means where no environment says otherwise."""
    try:
        word = _Parser(source).parse()
        _require_defaults(word)
        text = expand(word, _Environment())
    except WordError as error:
        return Unresolved(source.text, str(error), "give the variable a default: `${NAME:-IMAGE}`")
    return image_or_unresolved(text, find_digest_position(word, _Environment()))


class _Environment:
    """An environment with nothing in it."""

    hint_for_tag = (
        "let one variable hold the whole reference, as in `${IMAGE:-redis:7}`, or use a template with {{images.NAME}}"
    )

    def find(self, name: str) -> str | None:  # noqa: ARG002  the protocol names it
        return None

    def find_editable(self, name: str) -> tuple[Word, Definitions] | NotEditable:
        return NotEditable(f"the environment decides what `{name}` is", "write the reference itself")

    find_digest = find_editable

    def expand(self, word: Word) -> str:
        return expand(word, self)


def _require_defaults(word: Word) -> None:
    for piece in word:
        if not isinstance(piece, Variable):
            continue
        if piece.operator.removeprefix(":") not in ("-", "+"):
            raise WordError(f"`{piece.name}` has no default")
        if piece.operator.endswith("-"):
            _require_defaults(piece.operands[0])


class _Parser:
    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._at = 0
        self._depth = 0

    def parse(self) -> Word:
        return self._until("")

    def _until(self, stop: str) -> Word:
        """Read up to the brace that closes a default, or to the end."""
        pieces: list[Piece] = []
        text = self._source.text
        start = self._at
        while self._at < len(text) and text[self._at] != stop:
            if text[self._at] != "$":
                self._at += 1
                continue
            self._put(pieces, start)
            if text.startswith("$$", self._at):
                pieces.append(Literal(self._source.cut(self._at, self._at + 1)))
                self._at += 2
            else:
                pieces.append(self._variable())
            start = self._at
        self._put(pieces, start)
        if self._at >= len(text) and stop:
            raise WordError("a `}` is missing")
        return tuple(pieces)

    def _put(self, pieces: list[Piece], start: int) -> None:
        if start < self._at:
            pieces.append(Literal(self._source.cut(start, self._at)))

    def _variable(self) -> Variable:
        self._at += 1
        if not self._source.text.startswith("{", self._at):
            return Variable(self._name(), has_braces=False)
        self._at += 1
        name = self._name()
        operator = _OPERATOR.match(self._source.text, self._at)
        operands: tuple[Word, ...] = ()
        if operator is not None:
            self._at = operator.end()
            operands = (self._default(),)
        if not self._source.text.startswith("}", self._at):
            raise WordError("a `}` is missing")
        self._at += 1
        return Variable(name, operator[0] if operator else "", operands)

    def _default(self) -> Word:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise WordError(f"variables are nested more than {_MAX_DEPTH} deep")
        default = self._until("}")
        self._depth -= 1
        return default

    def _name(self) -> str:
        name = _NAME.match(self._source.text, self._at)
        if name is None:
            raise WordError("no name follows the `$`; a `$` alone is written `$$`")
        self._at = name.end()
        return name[0]

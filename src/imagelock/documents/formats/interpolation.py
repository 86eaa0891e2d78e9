"""``$NAME`` and ``${NAME:-default}`` in compose files, with the values of ``.env``.

https://docs.docker.com/reference/compose-file/interpolation/

What the environment holds is unknown here, so a variable that has neither a value in ``.env`` nor a default has none.
"""

from __future__ import annotations

import re

from imagelock.documents.digest_position import Definitions, find_digest_position
from imagelock.documents.references import NotEditable, Target, Unresolved, image_or_unresolved
from imagelock.documents.spans import SourceText
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar
from imagelock.documents.variables import (
    Literal,
    Piece,
    Variable,
    Word,
    WordError,
    expand,
    find_empty_variable,
    sole_variable,
)
from imagelock.model.frozen import frozen

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*", re.ASCII)
_OPERATOR = re.compile(r":?[-+?]")
_MAX_DEPTH = 50
_DEFAULT_HINT = "give the variable a default: `${NAME:-IMAGE}`"


@frozen
class Variables:
    """The variables of an ``.env`` file."""

    values: tuple[tuple[str, str], ...] = ()
    file: str = ""
    """How messages call the file."""

    @classmethod
    def of(cls, file: str, document: Node) -> Variables:
        """Read them from a file in which each may use those above it; unknown values are left out."""
        known: dict[str, str] = {}
        for name, scalar in document.items() if isinstance(document, Mapping) else ():
            if isinstance(scalar, Scalar):
                value = expanded_text(scalar.value, cls(tuple(known.items()), file))
                if value is not None:
                    known[name] = value
        return cls(tuple(known.items()), file)

    def find(self, name: str) -> str | None:
        """Find a value; ``None`` where the file has none."""
        return dict(self.values).get(name)


NO_VARIABLES = Variables()


def interpolated_target(source: SourceText, variables: Variables = NO_VARIABLES) -> Target:
    """Return the target of a value of a compose file without any variables of the environment."""
    environment = _Environment(variables)
    try:
        word = _Parser(source).parse()
        _require_values(word, variables)
        text = expand(word, environment)
    except WordError as error:
        return Unresolved(source.text, str(error), _DEFAULT_HINT)
    target = image_or_unresolved(text, find_digest_position(word, environment))
    if text and isinstance(target, Unresolved) and (name := find_empty_variable(word, environment)):
        return Unresolved(text, f"`{name}` has no value here", _DEFAULT_HINT)
    return target


def expanded_text(text: str, variables: Variables) -> str | None:
    """Replace the variables of a text; ``None`` if one of them has neither value nor default."""
    if "$" not in text:
        return text
    try:
        word = _Parser(SourceText.at(text, 0)).parse()
        _require_values(word, variables)
        return expand(word, _Environment(variables))
    except WordError:
        return None


def whole_variable(text: str) -> str | None:
    """Find the name of the variable that is the whole text."""
    try:
        variable = sole_variable(_Parser(SourceText.at(text, 0)).parse())
    except WordError:
        return None
    return variable.name if variable and variable.operator.removeprefix(":") in ("", "-", "?") else None


class _Environment:
    """The variables that an ``.env`` file sets, and nothing else."""

    hint_for_tag = (
        "let one variable hold the whole reference, as in `${IMAGE:-redis:7}`, or use a template with {{images.NAME}}"
    )

    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    def find(self, name: str) -> str | None:
        return self._variables.find(name)

    def find_editable(self, name: str) -> tuple[Word, Definitions] | NotEditable:
        if self._variables.find(name) is not None:
            file = self._variables.file
            return NotEditable(f"`{name}` has its value in `{file}`", f"list `{file}` under `[pin]`, too")
        return NotEditable(f"the environment decides what `{name}` is", "write the reference itself")

    find_digest = find_editable

    def expand(self, word: Word) -> str:
        return expand(word, self)


def _require_values(word: Word, variables: Variables) -> None:
    for piece in word:
        if not isinstance(piece, Variable) or variables.find(piece.name) is not None:
            continue
        if piece.operator.removeprefix(":") not in ("-", "+"):
            raise WordError(f"`{piece.name}` has no default")
        if piece.operator.endswith("-"):
            _require_values(piece.operands[0], variables)


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

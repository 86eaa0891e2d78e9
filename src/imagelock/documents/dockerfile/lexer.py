"""The words of ``FROM``, ``ARG`` and heredocs: quotes, escapes and variables.

BuildKit evaluates while it reads. Reading first and evaluating later gives the same results, and lets us ask where in
the file the evaluated characters stand.
"""

from __future__ import annotations

from imagelock.documents.spans import SourceText
from imagelock.documents.variables import Literal, Piece, Variable, Word, WordError
from imagelock.model.frozen import frozen

_MAX_DEPTH = 50
_REPLACEMENT_CHARACTER = "\ufffd"
_BYTE_ORDER_MARK = "\ufeff"
_SPECIAL_NAMES = frozenset("@*#?-$!")
_PATTERN_OPERATORS = frozenset("#%")
_OPERATORS = frozenset("+-?#%")


def parse_word(source: SourceText, *, escape: str) -> Word:
    """Read a word as ``FROM`` and ``ARG`` do; quotes and escapes are taken off."""
    return _Lexer(source, escape=escape, is_raw=False).read()


def parse_raw_words(source: SourceText) -> Word:
    """Read a line as BuildKit does when it looks for heredocs; quotes and escapes stay."""
    return _Lexer(source, escape="\\", is_raw=True).read()


@frozen
class _Context:
    """The end of the text that is being read, and whether escape characters stay in it."""

    stop: str | None
    keeps_escapes: bool


class _Lexer:
    def __init__(self, source: SourceText, *, escape: str, is_raw: bool) -> None:
        self._source = source
        self._text = _as_go_reads(source.text)
        self._escape = escape
        self._is_raw = is_raw
        self._at = 1 if self._text.startswith(_BYTE_ORDER_MARK) else 0
        self._depth = 0

    def read(self) -> Word:
        return self._read_until(_Context(stop=None, keeps_escapes=self._is_raw))

    def _read_until(self, context: _Context) -> Word:
        pieces = _Pieces(self._source, self._text)
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == context.stop:
                self._at += 1
                return pieces.word()
            self._read_one(character, pieces, context)
        if context.stop is not None:
            raise WordError(f"`{context.stop}` is missing")
        return pieces.word()

    def _read_one(self, character: str, pieces: _Pieces, context: _Context) -> None:
        if character == "$":
            self._variable(pieces, is_protected=False)
        elif character == "'":
            self._single_quoted(pieces)
        elif character == '"':
            self._double_quoted(pieces, context)
        elif character == "<":
            self._possible_heredoc(pieces)
        elif character == self._escape:
            self._escaped(pieces, context)
        else:
            pieces.add(self._at, is_protected=False)
            self._at += 1

    def _escaped(self, pieces: _Pieces, context: _Context) -> None:
        if context.keeps_escapes:
            pieces.add(self._at, is_protected=True)
        self._at += 1
        if self._at < len(self._text):
            pieces.add(self._at, is_protected=True)
            self._at += 1

    def _possible_heredoc(self, pieces: _Pieces) -> None:
        end = self._at + 1
        if self._text.startswith("<<", self._at):
            end += 1
            while end < len(self._text) and self._text[end] in "\t\r ":
                end += 1
        for index in range(self._at, end):
            pieces.add(index, is_protected=True)
        self._at = end

    def _single_quoted(self, pieces: _Pieces) -> None:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise WordError("a single quote is not closed")
        for index in range(self._at, end + 1) if self._is_raw else range(self._at + 1, end):
            pieces.add(index, is_protected=True)
        self._at = end + 1

    def _double_quoted(self, pieces: _Pieces, context: _Context) -> None:
        self._quote(pieces)
        while (character := self._peek()) != '"':
            if not character:
                raise WordError("a double quote is not closed")
            if character == "$":
                self._variable(pieces, is_protected=True)
            else:
                self._character_in_quotes(pieces, context)
        self._quote(pieces)

    def _quote(self, pieces: _Pieces) -> None:
        if self._is_raw:
            pieces.add(self._at, is_protected=True)
        self._at += 1

    def _character_in_quotes(self, pieces: _Pieces, context: _Context) -> None:
        """Read one character; the escape character is dropped only before a character that it can escape there."""
        index = self._at
        self._at += 1
        if self._text[index] == self._escape:
            if context.keeps_escapes:
                pieces.add(index, is_protected=True)
            following = self._peek()
            if not following:
                return
            if following in ('"', "$", self._escape):
                index = self._at
                self._at += 1
        pieces.add(index, is_protected=True)

    def _variable(self, pieces: _Pieces, *, is_protected: bool) -> None:
        start = self._at
        self._at += 1
        if self._peek() == "{":
            pieces.put(self._in_braces(is_protected=is_protected))
        elif name := self._name():
            pieces.put(Variable(name, has_braces=False, is_protected=is_protected))
        else:
            pieces.add(start, is_protected=is_protected)

    def _in_braces(self, *, is_protected: bool) -> Variable:
        self._at += 1
        if self._peek() in ("", "{", "}", ":"):
            raise WordError("a variable has no name")
        name = self._name()
        operator = self._take()
        if operator == "}":
            return Variable(name, is_protected=is_protected)
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise WordError(f"variables are nested more than {_MAX_DEPTH} deep")
        variable = self._with_operator(name, operator, is_protected=is_protected)
        self._depth -= 1
        return variable

    def _with_operator(self, name: str, operator: str, *, is_protected: bool) -> Variable:
        if operator == "/":
            return self._replacement(name, is_protected=is_protected)
        if operator == ":":
            operator += self._take()
        elif operator not in _OPERATORS:
            raise WordError(f"`{operator}` is not supported in a variable")
        is_pattern = operator[-1] in _PATTERN_OPERATORS
        if is_pattern and operator.startswith(":"):
            raise WordError(f"`{operator}` is not supported in a variable")
        operand = self._read_until(_Context(stop="}", keeps_escapes=is_pattern))
        return Variable(name, operator, (operand,), is_protected=is_protected)

    def _replacement(self, name: str, *, is_protected: bool) -> Variable:
        operator = "/"
        if self._peek() == "/":
            operator += self._take()
        pattern = self._read_until(_Context(stop="/", keeps_escapes=True))
        replacement = self._read_until(_Context(stop="}", keeps_escapes=True))
        return Variable(name, operator, (pattern, replacement), is_protected=is_protected)

    def _name(self) -> str:
        start = self._at
        if self._peek() in _SPECIAL_NAMES:
            self._at += 1
        elif self._peek().isdecimal():
            while self._peek().isdecimal():
                self._at += 1
        else:
            while (character := self._peek()).isalpha() or character.isdecimal() or character == "_":
                self._at += 1
        return self._text[start : self._at]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._peek()
        self._at += 1
        return character


class _Pieces:
    """Collects single characters into as few literals as possible."""

    def __init__(self, source: SourceText, text: str) -> None:
        self._source = source
        self._text = text
        self._word: list[Piece] = []
        self._indices: list[int] = []
        self._is_protected = False

    def add(self, index: int, *, is_protected: bool) -> None:
        if is_protected != self._is_protected:
            self._flush()
            self._is_protected = is_protected
        self._indices.append(index)

    def put(self, variable: Variable) -> None:
        self._flush()
        self._word.append(variable)

    def word(self) -> Word:
        self._flush()
        return tuple(self._word)

    def _flush(self) -> None:
        if not self._indices:
            return
        text = "".join(self._text[index] for index in self._indices)
        offsets = [self._source.offsets[index] for index in self._indices]
        after = self._source.cut(self._indices[-1], self._indices[-1] + 1).span.end
        self._word.append(Literal(SourceText(text, (*offsets, after)), self._is_protected))
        self._indices = []


def _as_go_reads(text: str) -> str:
    """Undecodable bytes are U+FFFD to Go."""
    if text.isascii():
        return text
    return "".join(_REPLACEMENT_CHARACTER if "\udc80" <= character <= "\udcff" else character for character in text)

"""Expands the variables of a word. The operators of compose are a subset of those of Dockerfiles.

https://docs.docker.com/reference/dockerfile/#environment-replacement
"""

from __future__ import annotations

from typing import Protocol, Self

from imagelock.documents.spans import SourceText
from imagelock.model.frozen import frozen

_MAX_LENGTH = 4096


class Scope(Protocol):
    """The variables that a word may use."""

    def find(self, name: str) -> str | None:
        """Find the value, ``None`` if the variable is not set; ``WordError`` if it is not known."""
        ...


def expand(word: Word, scope: Scope) -> str:
    """Return the word with its variables replaced; unset variables are empty, as in BuildKit."""
    text = "".join(_expand_piece(piece, scope) for piece in word)
    if len(text) > _MAX_LENGTH:
        raise WordError(f"it expands to more than {_MAX_LENGTH} characters")
    return text


def find_empty_variable(word: Word, scope: Scope) -> str | None:
    """Return the name of the first variable that leaves nothing in an expanded word, as it is not set or empty."""
    empty = (piece for piece in word if isinstance(piece, Variable) and not _expand_piece(piece, scope))
    return next((variable.name for variable in empty if not scope.find(variable.name)), None)


def _expand_piece(piece: Piece, scope: Scope) -> str:
    if isinstance(piece, Literal):
        return piece.source.text
    operands = tuple(expand(operand, scope) for operand in piece.operands)
    value = scope.find(piece.name)
    if not operands:
        return value or ""
    if piece.operator in ("/", "//"):
        replace = replace_all if piece.operator == "//" else replace_first
        return replace(value or "", *operands)
    if piece.operator in ("#", "%"):
        return _without_pattern(piece.operator, operands[0], value or "")
    return _with_alternative(piece, operands[0], value)


def _without_pattern(operator: str, pattern: str, value: str) -> str:
    remove = without_prefix if operator == "#" else without_suffix
    is_greedy = pattern.startswith(operator)
    return remove(value, pattern[1:] if is_greedy else pattern, is_greedy=is_greedy)


def _with_alternative(variable: Variable, alternative: str, value: str | None) -> str:
    is_set = value is not None and not (variable.operator.startswith(":") and not value)
    match variable.operator.removeprefix(":"):
        case "-":
            return value or "" if is_set else alternative
        case "+":
            return alternative if is_set else ""
        case "?" if is_set:
            return value or ""
        case "?":
            raise WordError(f"{variable.name}: {alternative or 'must be set'}")
        case _:
            raise WordError(f"`{variable.operator}` is not supported in a variable")


@frozen
class Literal:
    """Literal characters, without their quotes and escapes."""

    source: SourceText
    is_protected: bool = False
    """Whether they are quoted or escaped: then blanks do not split words."""


@frozen
class Variable:
    """``$NAME``, ``${NAME}``, or ``${NAME`` + operator + operands + ``}``."""

    name: str
    operator: str = ""
    """``:-``, ``-``, ``:+``, ``+``, ``:?``, ``?``, ``#``, ``%``, ``/``, ``//``; unknown ones begin with ``:``."""
    operands: tuple[Word, ...] = ()
    has_braces: bool = True
    is_protected: bool = False


Piece = Literal | Variable
Word = tuple[Piece, ...]


class WordError(Exception):
    """A word that the tool which reads the file would refuse; the message says why."""


def sole_variable(word: Word) -> Variable | None:
    """Return the variable that is the whole word, if there is one."""
    match word:
        case (Variable() as variable,):
            return variable
        case _:
            return None


_STAR = "*"
_ANY = "?"
_Segment = tuple[str | None, ...]
"""Characters in a row; ``None`` is any one."""


@frozen
class Pattern:
    """The segments between the stars of a pattern; without a star there is one."""

    segments: tuple[_Segment, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Read a pattern; ``\*``, ``\?`` and ``\\`` are literal, any other escape is refused."""
        segments: list[list[str | None]] = [[]]
        at = 0
        while at < len(text):
            character = text[at]
            at += 1
            if character == _STAR:
                segments.append([])
            elif character == _ANY:
                segments[-1].append(None)
            elif character != "\\":
                segments[-1].append(character)
            elif text[at : at + 1] not in ("}", "/"):
                segments[-1].append(_escaped(text[at : at + 1]))
                at += 1
        return cls(tuple(map(tuple, segments)))

    def match_at(self, value: str, start: int, *, is_greedy: bool) -> int | None:
        """Where the longest, or the shortest, match from ``start`` ends."""
        first, *others = self.segments
        if not _stands_at(first, value, start):
            return None
        end = start + len(first)
        for index, segment in enumerate(others, start=1):
            found = _find(segment, value, end)
            if found is None:
                return None
            if is_greedy and index == len(others):
                return _find_last(segment, value, found) + len(segment)
            end = found + len(segment)
        return end

    def find(self, value: str, start: int) -> tuple[int, int] | None:
        """Find the first match from ``start`` on, as long as it can be."""
        found = _find(self.segments[0], value, start)
        if found is None:
            return None
        end = self.match_at(value, found, is_greedy=True)
        return None if end is None else (found, end)


def without_prefix(value: str, pattern: str, *, is_greedy: bool) -> str:
    """``${NAME#pattern}``, greedy with ``##``."""
    end = Pattern.parse(pattern).match_at(value, 0, is_greedy=is_greedy)
    return value if end is None else value[end:]


def without_suffix(value: str, pattern: str, *, is_greedy: bool) -> str:
    """``${NAME%pattern}``, greedy with ``%%``; matched backwards, as BuildKit does."""
    return without_prefix(value[::-1], _reversed(pattern), is_greedy=is_greedy)[::-1]


def replace_first(value: str, pattern: str, replacement: str) -> str:
    """``${NAME/pattern/replacement}``."""
    match Pattern.parse(pattern).find(value, 0):
        case (start, end):
            return value[:start] + replacement + value[end:]
        case _:
            return value


def replace_all(value: str, pattern: str, replacement: str) -> str:
    """``${NAME//pattern/replacement}``; an empty match right after another match is no match."""
    if "$" in replacement:
        raise WordError("a `$` in the replacement of `//` is not supported")
    parsed = Pattern.parse(pattern)
    parts: list[str] = []
    copied = at = 0
    last_end = -1
    while at <= len(value) and (found := parsed.find(value, at)) is not None:
        start, end = found
        if (start, end) != (last_end, last_end):
            parts += (value[copied:start], replacement)
            copied = last_end = end
        at = end if end > start else end + 1
    return "".join((*parts, value[copied:]))


def _escaped(character: str) -> str:
    if character not in ("*", "?", "\\"):
        raise WordError(f"`\\{character}` is no escape in a pattern")
    return character


def _reversed(pattern: str) -> str:
    units: list[str] = []
    at = 0
    while at < len(pattern):
        width = 2 if pattern[at] == "\\" and at + 1 < len(pattern) else 1
        units.append(pattern[at : at + width])
        at += width
    return "".join(reversed(units))


def _stands_at(segment: _Segment, value: str, start: int) -> bool:
    return start + len(segment) <= len(value) and all(
        wanted is None or wanted == value[index] for index, wanted in enumerate(segment, start)
    )


def _find(segment: _Segment, value: str, start: int) -> int | None:
    for index in range(start, len(value) - len(segment) + 1):
        if _stands_at(segment, value, index):
            return index
    return None


def _find_last(segment: _Segment, value: str, start: int) -> int:
    """Return the last index of the segment; it is known to be at ``start``."""
    for index in range(len(value) - len(segment), start, -1):
        if _stands_at(segment, value, index):
            return index
    return start

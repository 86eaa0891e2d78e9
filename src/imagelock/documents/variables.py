"""What a word comes to, once its variables are replaced. Compose has fewer operators than Dockerfiles, but no others.

https://docs.docker.com/reference/dockerfile/#environment-replacement
"""

from __future__ import annotations

from typing import Protocol

from imagelock.documents.patterns import replace_all, replace_first, without_prefix, without_suffix
from imagelock.documents.words import Literal, Piece, Variable, Word, WordError

_MAX_LENGTH = 4096


class Scope(Protocol):
    """The variables that a word may use."""

    def find(self, name: str) -> str | None:
        """Find the value, ``None`` if the variable is not set; ``WordError`` if it can't be told."""
        ...


def expand(word: Word, scope: Scope) -> str:
    """Replace a word's variables; what is not set is empty, as BuildKit has it."""
    text = "".join(_expand_piece(piece, scope) for piece in word)
    if len(text) > _MAX_LENGTH:
        raise WordError(f"it expands to more than {_MAX_LENGTH} characters")
    return text


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

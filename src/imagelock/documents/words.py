"""The language that Dockerfiles and compose files share for references: literal text and variables."""

from __future__ import annotations

from imagelock.documents.source_text import SourceText
from imagelock.model.frozen import frozen


@frozen
class Literal:
    """Characters that stand for themselves, their quotes and escapes taken off."""

    source: SourceText
    is_protected: bool = False
    """Quoted or escaped: blanks in it split no words."""


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
    """Find the variable that is the whole word, if one is."""
    match word:
        case (Variable() as variable,):
            return variable
        case _:
            return None

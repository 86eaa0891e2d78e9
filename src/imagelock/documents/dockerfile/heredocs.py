"""Heredocs: which lines of a file are scripts or texts, not instructions.

https://docs.docker.com/reference/dockerfile/#here-documents
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from imagelock.documents.dockerfile.lexer import parse_raw_words, parse_word
from imagelock.documents.dockerfile.lines import BLANKS
from imagelock.documents.spans import SourceText
from imagelock.documents.variables import Literal, Piece, Word, WordError
from imagelock.model.frozen import frozen

_HEREDOC = re.compile(r"[0-9]*<<(-?)[\t\n\f\r ]*([^<]*)\Z")
_BLANK_CHARACTERS = frozenset(BLANKS)


@frozen
class Heredoc:
    """One ``<<NAME`` of an instruction; its body follows the instruction."""

    name: bytes
    strips_tabs: bool


def find_heredocs(line: SourceText) -> tuple[Heredoc, ...]:
    """Find the heredocs that an instruction opens. With a quote that is not closed there are none at all.

    ``WordError``: BuildKit refuses the file.
    """
    try:
        words = tuple(_split(parse_raw_words(line)))
    except WordError:
        return ()
    return tuple(heredoc for word in words if (heredoc := _parse_heredoc(word)))


def is_json_array(arguments: str) -> bool:
    """Whether arguments are in the exec form, which has no heredocs."""
    arguments = arguments.lstrip(BLANKS)
    if not arguments.startswith("["):
        return False
    try:
        json.loads(arguments, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _parse_heredoc(word: str) -> Heredoc | None:
    match = _HEREDOC.match(word)
    if match is None or not match[2]:
        return None
    name = tuple(_split(parse_word(SourceText.at(match[2], 0), escape="\\")))
    if len(name) != 1:
        return None
    return Heredoc(name[0].encode("utf-8", "surrogateescape"), strips_tabs=match[1] == "-")


def _split(word: Word) -> Iterator[str]:
    """Split at the blanks that neither quotes nor escapes protect."""
    current = ""
    for piece in word:
        for character in _written(piece):
            if character in _BLANK_CHARACTERS and not piece.is_protected:
                if current:
                    yield current
                current = ""
            else:
                current += character
    if current:
        yield current


def _written(piece: Piece) -> str:
    """Return the text of a piece. Variables stay as written, since none is set here."""
    if isinstance(piece, Literal):
        return piece.source.text
    if not piece.has_braces:
        return f"${piece.name}"
    operands = "/".join("".join(map(_written, operand)) for operand in piece.operands)
    return f"${{{piece.name}{piece.operator[:2].replace('//', '/')}{operands}}}"

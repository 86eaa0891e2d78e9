"""Where the digest of a reference is, or would be, when the reference is made of text and variables.

A digest is content-addressed: it may follow a literal tag, whatever registry a variable puts in front. It must not
follow a tag that a variable decides: registries ignore the tag beside a digest, so the variable would do nothing.
"""

from __future__ import annotations

from typing import Protocol

from imagelock.documents.references import DigestField, Editing, InlineDigest, NotEditable
from imagelock.documents.spans import SourceText, Span
from imagelock.documents.variables import Literal, Variable, Word, sole_variable

_ALTERNATIVES = (":-", "-")
_DEMANDS = (":?", "?")
"""The operators of variables without which the build, or compose, fails."""
_NOT_PLAIN = NotEditable("quotes or escapes stand inside the reference", "write the reference plainly")


class Definitions(Protocol):
    """The variables that a word can use, at its place in the document."""

    @property
    def hint_for_tag(self) -> str:
        """What people can do about a variable that decides a tag, in the words of the format."""
        ...

    def find(self, name: str) -> str | None:
        """Return the value, ``None`` if the variable is not set."""
        ...

    def find_editable(self, name: str) -> tuple[Word, Definitions] | NotEditable:
        """Return the word that defines a variable, and the variables that it can use; or why it must not be edited."""
        ...

    def find_digest(self, name: str) -> tuple[Word, Definitions] | NotEditable:
        """Return the word that defines a variable which only has a digest."""
        ...

    def expand(self, word: Word) -> str:
        """Replace the variables of a word."""
        ...


def find_digest_position(word: Word, definitions: Definitions) -> Editing:
    """Return the one place where a digest is, or would be, the digest of the reference that the word expands to."""
    while variable := sole_variable(word):
        source = _follow(variable, definitions)
        if isinstance(source, NotEditable):
            return source
        word, definitions = source
    texts = [definitions.expand((piece,)) for piece in word]
    reference = "".join(texts)
    at_sign = reference.find("@")
    if at_sign < 0:
        return _position_after_tag(word, texts, definitions.hint_for_tag)
    return _position_of_digest(word, texts, at_sign, definitions)


def _follow(variable: Variable, definitions: Definitions) -> tuple[Word, Definitions] | NotEditable:
    """Continue at the word that defines a variable."""
    if variable.operator not in ("", *_ALTERNATIVES, *_DEMANDS):
        return NotEditable(
            f"`{variable.operator}` computes the reference", "write the whole reference as the variable's default"
        )
    value = definitions.find(variable.name)
    if variable.operator in _ALTERNATIVES and (value is None or (not value and variable.operator == ":-")):
        return variable.operands[0], definitions
    return definitions.find_editable(variable.name)


def _position_of_digest(word: Word, texts: list[str], at_sign: int, definitions: Definitions) -> Editing:
    start = sum(map(len, texts))
    tag = find_tag("".join(texts)[:at_sign])
    for piece, text in zip(reversed(word), reversed(texts), strict=True):
        start -= len(text)
        match piece:
            case _ if not text:
                continue
            case Literal(source=source) if start <= at_sign:
                return _position_in_literal(source, at_sign - start, None if tag is None else tag - start)
            case Variable() if start in (at_sign, at_sign + 1):
                return _position_in_digest_variable(piece, definitions)
            case _:
                break
    return _NOT_PLAIN


def find_position_in_text(source: SourceText) -> Editing:
    """Return the place of the digest in a reference without variables."""
    at_sign = source.text.find("@")
    if at_sign >= 0:
        return _position_in_literal(source, at_sign, find_tag(source.text[:at_sign]))
    return _position_at_end(source, find_tag(source.text))


def _position_in_literal(source: SourceText, at_sign: int, tag: int | None) -> Editing:
    if not source.cut(at_sign).is_verbatim:
        return _NOT_PLAIN
    digest = source.cut(at_sign).span
    return InlineDigest(digest, _tag_span(source, tag, digest.start))


def _position_in_digest_variable(variable: Variable, definitions: Definitions) -> Editing:
    """``FROM alpine@${DIGEST}``, or a variable that holds the ``@``, too."""
    definition = definitions.find_digest(variable.name)
    match definition:
        case NotEditable():
            return definition
        case (Literal(source=source),), _ if variable.operator == "" and source.is_verbatim:
            return (
                InlineDigest(source.span, tag=None)
                if source.text.startswith("@")
                else DigestField(source.span, empty=None)
            )
        case _:
            return _NOT_PLAIN


def _position_after_tag(word: Word, texts: list[str], hint: str) -> Editing:
    """Take the end of the word, if all of the tag, or else of the name's last part, is literal."""
    reference = "".join(texts)
    tag = find_tag(reference)
    must_be_literal = max(reference.rfind("/"), 0) if tag is None else tag
    tail: list[SourceText] = []
    for piece in reversed(word):
        if not isinstance(piece, Literal):
            break
        tail.append(piece.source)
    if not tail or len(reference) - sum(map(len, tail)) > must_be_literal:
        return NotEditable("a variable decides the tag", hint)
    return _position_at_end(tail[0], None if tag is None else tag - len(reference) + len(tail[0]))


def _position_at_end(source: SourceText, tag: int | None) -> Editing:
    end = source.span.end
    return InlineDigest(Span(end, end), _tag_span(source, tag, end))


def find_tag(reference: str) -> int | None:
    """Return the index of the ``:`` of the tag; a port's does not count."""
    colon = reference.find(":", reference.rfind("/") + 1)
    return None if colon < 0 else colon


def _tag_span(source: SourceText, tag: int | None, digest: int) -> Span | None:
    if tag is None:
        return Span(digest, digest)
    return Span(source.offsets[tag], digest) if tag >= 0 and source.is_verbatim else None

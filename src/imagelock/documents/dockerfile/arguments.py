"""The variables of ``FROM``: what is set without a declaration, and the ``ARG`` instructions before the first ``FROM``.

https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from operator import attrgetter

from imagelock.documents.digest_position import Definitions
from imagelock.documents.dockerfile.lexer import parse_word
from imagelock.documents.dockerfile.lines import BLANKS
from imagelock.documents.references import NotEditable
from imagelock.documents.spans import SourceText
from imagelock.documents.variables import Variable, Word, WordError, expand, sole_variable
from imagelock.model.frozen import frozen

_AUTOMATIC = {
    "BUILDPLATFORM": "linux/amd64",
    "BUILDOS": "linux",
    "BUILDOSVERSION": "",
    "BUILDARCH": "amd64",
    "BUILDVARIANT": "",
    "TARGETPLATFORM": "linux/amd64",
    "TARGETOS": "linux",
    "TARGETOSVERSION": "",
    "TARGETARCH": "amd64",
    "TARGETVARIANT": "",
}
_WHOLE_OPERATORS = ("", ":-", "-", ":?", "?")


@frozen
class _Definition:
    order: int
    word: Word
    value: str | WordError
    depends_on_build: bool


@frozen
class _Uses:
    parts: frozenset[str]
    """Variables that are part of a longer text, which a digest inside them would spoil."""
    counts: Counter[str]


class Arguments:
    """The global scope, filled while the file is read."""

    def __init__(self, *, target_stage: str) -> None:
        self._automatic = {**_AUTOMATIC, "TARGETSTAGE": target_stage or "default"}
        self._definitions: dict[str, list[_Definition]] = {}
        self._words: list[tuple[str, Word]] = []
        self._uses: _Uses | None = None

    def declare(self, assignment: SourceText, *, escape: str) -> None:
        """Declare one ``NAME=value``; a name alone sets nothing."""
        name, equals, _ = assignment.text.partition("=")
        if not equals:
            return
        scope = self.scope()
        word: Word = ()
        value: str | WordError
        try:
            word = parse_word(assignment.cut(len(name) + 1), escape=escape)
            value = expand(word, scope)
        except WordError as error:
            value = error
        definition = _Definition(len(self._words), word, value, scope.depends_on_build(word))
        self._words.append((name, word))
        self._definitions.setdefault(name, []).append(definition)

    def note_use(self, word: Word) -> None:
        """Remember that a word outside ``ARG`` uses variables."""
        self._words.append(("", word))

    def scope(self) -> ArgumentScope:
        """Return the variables after everything that was declared so far."""
        return ArgumentScope(self, len(self._words))

    def find_definition(self, name: str, *, before: int) -> _Definition | None:
        """Find the last definition of a name before some point."""
        definitions = self._definitions.get(name, [])
        index = bisect_left(definitions, before, key=attrgetter("order"))
        return definitions[index - 1] if index else None

    def find_automatic(self, name: str) -> str | None:
        """Return the value that the build itself sets for a name."""
        return self._automatic.get(name)

    def uses(self) -> _Uses:
        """Return how the variables are used, once all words are known."""
        if self._uses is None:
            self._uses = _find_uses(self._words)
        return self._uses


@frozen
class ArgumentScope:
    """The variables that the instruction at some point of the file sees."""

    arguments: Arguments
    order: int

    @property
    def hint_for_tag(self) -> str:
        """Return a hint for a variable that decides a tag."""
        return "let one ARG hold the whole reference, or use a template with {{images.NAME}}"

    def find(self, name: str) -> str | None:
        """Find the value; ``WordError`` if the ``ARG`` that sets it can't be read."""
        definition = self.arguments.find_definition(name, before=self.order)
        if definition is None:
            return self.arguments.find_automatic(name)
        if isinstance(definition.value, WordError):
            raise WordError(str(definition.value))
        return definition.value

    def expand(self, word: Word) -> str:
        """Replace the variables of a word."""
        return expand(word, self)

    def depends_on_build(self, word: Word) -> bool:
        """Whether the word depends on the platform or the target of the build."""
        for name in _names(word):
            definition = self.arguments.find_definition(name, before=self.order)
            if definition is None and self.arguments.find_automatic(name) is not None:
                return True
            if definition is not None and definition.depends_on_build:
                return True
        return False

    def find_editable(self, name: str) -> tuple[Word, Definitions] | NotEditable:
        """Find the value of the ``ARG`` that sets a variable which is used on its own."""
        return self._find_source(name, is_spoiled=name in self.arguments.uses().parts)

    def find_digest(self, name: str) -> tuple[Word, Definitions] | NotEditable:
        """Find the value of the ``ARG`` that holds the digest of one reference."""
        return self._find_source(name, is_spoiled=self.arguments.uses().counts[name] > 1)

    def _find_source(self, name: str, *, is_spoiled: bool) -> tuple[Word, Definitions] | NotEditable:
        definition = self.arguments.find_definition(name, before=self.order)
        if definition is None or is_spoiled:
            return NotEditable(f"`{name}` is a part of another text, too", f"use `{name}` in one place, or on its own")
        return definition.word, ArgumentScope(self.arguments, definition.order)


def split_assignments(arguments: SourceText, *, escape: str) -> Iterator[SourceText]:
    """Split the words of ``ARG`` at blanks outside quotes; quotes and escapes stay."""
    start = at = 0
    quote = ""
    while at < len(arguments):
        character = arguments.text[at]
        if character == escape and quote != "'":
            at += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in BLANKS:
            if start < at:
                yield arguments.cut(start, at)
            start = at + 1
        elif character in "'\"":
            quote = character
        at += 1
    if start < len(arguments):
        yield arguments.cut(start)


def _find_uses(words: list[tuple[str, Word]]) -> _Uses:
    parts: set[str] = set()
    counts: Counter[str] = Counter()
    for name, word in reversed(words):
        counts.update(_names(word))
        parts.update(_names(word) if name in parts else _names_of_parts(word))
    return _Uses(frozenset(parts), counts)


def _names_of_parts(word: Word) -> Iterator[str]:
    """Yield the names of the variables that a word does not use as a whole."""
    variable = sole_variable(word)
    if variable is None or variable.operator not in _WHOLE_OPERATORS:
        yield from _names(word)
        return
    for operand in variable.operands:
        yield from _names_of_parts(operand)


def _names(word: Word) -> Iterator[str]:
    for piece in word:
        if isinstance(piece, Variable):
            yield piece.name
            for operand in piece.operands:
                yield from _names(operand)

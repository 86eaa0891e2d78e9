"""The nodes of a document, whatever its syntax: scalars that know their bytes, lists, and mappings."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator
from enum import Enum, auto
from itertools import islice

from imagelock.documents.spans import SourceText
from imagelock.documents.syntax.yaml_types import YamlType, type_of_plain
from imagelock.model.frozen import frozen

MAX_DEPTH = 200
"""How many collections may be open at a time, in every syntax."""
_MERGE_KEY = "<<"
_MAX_MERGED = 1000


class DocumentSyntaxError(Exception):
    """A document that is not in the syntax of its kind, or that is nested too deep."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


class ScalarStyle(Enum):
    """How a scalar is written."""

    PLAIN = auto()
    """Without quotes: YAML and JSON give it a type."""
    TEXT = auto()
    """Without quotes, where everything is text."""
    QUOTED = auto()
    ESCAPED = auto()
    """In quotes, with escapes that are not resolved."""
    LITERAL = auto()
    """After ``|``."""
    FOLDED = auto()
    """After ``>``."""
    HEREDOC = auto()
    EXPRESSION = auto()
    """HCL that would have to be computed."""


@frozen(eq=False)
class Scalar:
    """A string, a number or a word: any value that is neither a list nor a mapping."""

    value: str
    source: SourceText
    """The value's characters if the file has them just so, without quotes; else everything between the marks."""
    style: ScalarStyle
    tag: str | None = None
    """An explicit YAML tag, such as ``!!str`` and ``!reference``."""
    has_anchor: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the file has the value, character for character, on one line."""
        return (
            self.source.text == self.value
            and self.source.is_verbatim
            and self.style not in (ScalarStyle.ESCAPED, ScalarStyle.EXPRESSION)
        )

    @property
    def type(self) -> YamlType:
        """The type that YAML reads."""
        if self.style is not ScalarStyle.PLAIN or self.tag is not None:
            return YamlType.TEXT
        return type_of_plain(self.value)


@frozen(eq=False)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    tag: str | None = None


@frozen(eq=False)
class Mapping:
    """Keys and values; keys that are no scalars are left out."""

    entries: tuple[tuple[str, Node], ...]
    tag: str | None = None

    def find(self, key: str) -> Node | None:
        """Find the value of a key, in the mappings merged into this one, too."""
        is_merged = False
        for name, value in reversed(self.entries):
            if name == key:
                return value
            is_merged = is_merged or name == _MERGE_KEY
        for mapping in islice(self._with_merged(), 1, None) if is_merged else ():
            for name, value in reversed(mapping.entries):
                if name == key:
                    return value
        return None

    def find_mapping(self, key: str) -> Mapping:
        """Find a mapping; an empty one if there is none."""
        value = self.find(key)
        return value if isinstance(value, Mapping) else _EMPTY_MAPPING

    def find_sequence(self, key: str) -> Sequence:
        """Find a list; an empty one if there is none."""
        value = self.find(key)
        return value if isinstance(value, Sequence) else _EMPTY_SEQUENCE

    def find_scalar(self, key: str) -> Scalar | None:
        """Find a scalar that is neither empty nor null."""
        value = self.find(key)
        return value if isinstance(value, Scalar) and value.value and value.type is not YamlType.NULL else None

    def find_path(self, path: str) -> Node | None:
        """Find the value at a path of plain keys, ``ref.tag``."""
        node: Node | None = self
        for key in path.split("."):
            node = node.find(key) if isinstance(node, Mapping) else None
        return node

    def items(self) -> ItemsView[str, Node]:
        """Return each key once, with its last value, or else that of a merged mapping."""
        entries = dict(self.entries)
        if _MERGE_KEY not in entries:
            return entries.items()
        merged: dict[str, Node] = {}
        for mapping in reversed(tuple(self._with_merged())):
            merged.update(mapping.entries)
        del merged[_MERGE_KEY]
        return merged.items()

    def values(self) -> Iterable[Node]:
        """Return the values of ``items``."""
        return [value for _, value in self.items()]

    def mappings(self) -> Iterator[tuple[str, Mapping]]:
        """Return the values that are mappings, with their keys."""
        for key, value in self.items():
            if isinstance(value, Mapping):
                yield key, value

    def _with_merged(self) -> Iterator[Mapping]:
        """Yield this mapping, then those behind ``<<``, each one once."""
        return islice(self._merge_chain(), _MAX_MERGED)

    def _merge_chain(self) -> Iterator[Mapping]:
        waiting: list[Node] = [self]
        seen: set[int] = set()
        while waiting:
            node = waiting.pop(0)
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, Sequence):
                waiting.extend(node.items)
            if isinstance(node, Mapping):
                yield node
                waiting.extend(value for key, value in node.entries if key == _MERGE_KEY)


Node = Scalar | Sequence | Mapping
_EMPTY_MAPPING = Mapping(())
_EMPTY_SEQUENCE = Sequence(())


def walk(root: Node) -> Iterator[Node]:
    """Yield a node and all below it in the file's order, each one once however many aliases it has."""
    waiting = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        match node:
            case Sequence(items=items):
                waiting.extend(reversed(items))
            case Mapping(entries=entries):
                waiting.extend(value for _, value in reversed(entries))
            case Scalar():
                pass

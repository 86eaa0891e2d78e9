"""The nodes of a YAML document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from imagelock.documents.spans import SourceText

_MERGE_KEY = "<<"


class ScalarStyle(Enum):
    """How a scalar is written."""

    PLAIN = auto()
    QUOTED = auto()
    LITERAL = auto()
    """After ``|``."""
    FOLDED = auto()
    """After ``>``."""


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A string, a number, a word: whatever is neither a list nor a mapping."""

    value: str
    source: SourceText
    """The value's characters if they stand in the file just so, without quotes; else all that stands there."""
    style: ScalarStyle

    @property
    def is_plain(self) -> bool:
        """Whether the file has the value, character for character, on one line."""
        return self.source.text == self.value and self.source.is_verbatim


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys and values; keys that are no scalars are left out."""

    entries: tuple[tuple[str, Node], ...]

    def find(self, key: str) -> Node | None:
        """Find the value of a key, in the mappings merged into this one, too."""
        for mapping in self._with_merged():
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
        """Find a scalar that is not empty."""
        value = self.find(key)
        return value if isinstance(value, Scalar) and value.value else None

    def mappings(self) -> Iterator[tuple[str, Mapping]]:
        """Give the values that are mappings, with their keys."""
        for key, value in self.entries:
            if isinstance(value, Mapping):
                yield key, value

    def _with_merged(self) -> Iterator[Mapping]:
        """Give this mapping, then those behind ``<<``, each one once."""
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
    """Give a node and all below it in the file's order, each one once however many aliases it has."""
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

"""YAML, from characters to nodes, by the events of PyYAML. Nothing is ever constructed, merged or written back.

Events, since PyYAML's own composer recurses, in C code that crashes on deep nesting; and since an event's mark says
where a scalar begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from imagelock.documents.spans import SourceText, Span
from imagelock.documents.syntax.nodes import (
    MAX_DEPTH,
    DocumentSyntaxError,
    Mapping,
    Node,
    Scalar,
    ScalarStyle,
    Sequence,
)
from imagelock.model.frozen import frozen

if TYPE_CHECKING:
    import yaml

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_STYLES: dict[str | None, ScalarStyle] = {
    "'": ScalarStyle.QUOTED,
    '"': ScalarStyle.QUOTED,
    "|": ScalarStyle.LITERAL,
    ">": ScalarStyle.FOLDED,
}


def read_yaml(source: SourceText) -> tuple[Node, ...]:
    """Read all documents of a file; ``DocumentSyntaxError`` says where reading ended."""
    import yaml  # noqa: PLC0415  only those pay for it who have YAML files

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(source).build(yaml.parse(source.text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        index = _index(error.problem_mark or error.context_mark)
        _refuse_deep_nesting(source, yaml.parse(source.text[:index], Loader=loader))
        raise DocumentSyntaxError(source.offsets[index], f"it is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        reason = f"it is not YAML: {str(error).partition(chr(10))[0]}"
        raise DocumentSyntaxError(source.offsets[0], reason) from error


@frozen
class AnchoredScalar:
    """A scalar with an anchor, and the places that its aliases have in a tree in which each of them is a node."""

    span: Span
    aliases: tuple[Span, ...]
    """Offsets behind the end of the file, since the text is not there."""


def read_with_aliases(source: SourceText) -> tuple[tuple[Node, ...], tuple[AnchoredScalar, ...]]:
    """Read a file that has no errors, with a node of its own for each alias of a scalar."""
    import yaml  # noqa: PLC0415  imported already

    builder = _Builder(source, has_nodes_for_aliases=True)
    documents = builder.build(yaml.parse(source.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    return documents, tuple(AnchoredScalar(span, tuple(aliases)) for span, aliases in builder.aliases.items())


def _refuse_deep_nesting(source: SourceText, events: Iterator[yaml.Event]) -> None:
    """Raise ``DocumentSyntaxError`` if what precedes a syntax error is nested too deep.

    libyaml has had a limit of its own since PyYAML 6.0.4, and reads far enough ahead to fail before it reports the
    collections that exceed ours.
    """
    import yaml  # noqa: PLC0415  imported already

    with suppress(yaml.YAMLError):
        _Builder(source).build(events)


@dataclass(slots=True)
class _Collection:
    """A list or a mapping before its end."""

    anchor: str | None
    tag: str | None
    is_mapping: bool
    nodes: list[Node] = field(default_factory=list)

    def close(self) -> Node:
        if not self.is_mapping:
            return Sequence(tuple(self.nodes), self.tag)
        pairs = zip(self.nodes[::2], self.nodes[1::2], strict=True)
        return Mapping(tuple((key.value, value) for key, value in pairs if isinstance(key, Scalar)), self.tag)


class _Builder:
    def __init__(self, source: SourceText, *, has_nodes_for_aliases: bool = False) -> None:
        self._source = source
        self._has_nodes_for_aliases = has_nodes_for_aliases
        self._end_of_aliases = source.span.end + 1
        self.aliases: dict[Span, list[Span]] = {}
        self._documents: list[Node] = []
        self._open: list[_Collection] = []
        self._anchors: dict[str, Node] = {}

    def build(self, events: Iterator[yaml.Event]) -> tuple[Node, ...]:
        import yaml  # noqa: PLC0415  imported already

        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    self._anchors = {}
                case yaml.ScalarEvent():
                    self._add(self._scalar(event), event.anchor)
                case yaml.AliasEvent():
                    self._add(self._aliased(self._anchors.get(event.anchor or "", Sequence(()))), None)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._begin(event, is_mapping=isinstance(event, yaml.MappingStartEvent))
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    closed = self._open.pop()
                    self._add(closed.close(), closed.anchor)
                case _:
                    pass
        return tuple(self._documents)

    def _begin(self, event: yaml.CollectionStartEvent, *, is_mapping: bool) -> None:
        if len(self._open) >= MAX_DEPTH:
            offset = self._source.offsets[_index(event.start_mark)]
            raise DocumentSyntaxError(offset, f"it is more than {MAX_DEPTH} levels deep")
        self._open.append(_Collection(event.anchor, event.tag, is_mapping))

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        (self._open[-1].nodes if self._open else self._documents).append(node)

    def _aliased(self, node: Node) -> Node:
        if not self._has_nodes_for_aliases or not isinstance(node, Scalar):
            return node
        text = SourceText.at(node.source.text, self._end_of_aliases)
        self._end_of_aliases = text.span.end + 1
        self.aliases.setdefault(node.source.span, []).append(text.span)
        return replace(node, source=text, has_anchor=False)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = _index(event.start_mark), _index(event.end_mark)
        if event.anchor is not None or event.tag is not None:
            properties = _PROPERTIES.match(self._source.text, start, end)
            start = start if properties is None else properties.end()
        style = _STYLES.get(event.style, ScalarStyle.PLAIN)
        quotes = 1 if style is ScalarStyle.QUOTED else 0
        return Scalar(
            event.value, self._source.cut(start + quotes, end - quotes), style, event.tag, event.anchor is not None
        )


class _Mark(Protocol):
    """What the marks of both of PyYAML's parsers have."""

    @property
    def index(self) -> int: ...


def _index(mark: _Mark | None) -> int:
    """Return the offset of a mark; PyYAML's types allow events without one, its parsers give none."""
    return 0 if mark is None else mark.index

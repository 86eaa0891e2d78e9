"""From bytes to nodes, by the events of PyYAML.

Events, since PyYAML's own composer recurses, in C code that crashes on deep nesting; and since an event's mark says
where a scalar begins. The byte order mark goes first: libyaml counts one character too few after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from imagelock.documents.references import Found, Scan, make_scan
from imagelock.documents.spans import SourceText, Span
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar, ScalarStyle, Sequence

if TYPE_CHECKING:
    import yaml

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAX_DEPTH = 200
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_STYLES: dict[str | None, ScalarStyle] = {
    "'": ScalarStyle.QUOTED,
    '"': ScalarStyle.QUOTED,
    "|": ScalarStyle.LITERAL,
    ">": ScalarStyle.FOLDED,
}


class YamlError(Exception):
    """The document is not YAML, or not for us."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


def read_documents(content: bytes) -> tuple[Node, ...]:
    """Read all documents of a file; ``YamlError`` says where reading ends."""
    import yaml  # noqa: PLC0415  only those pay for it who have YAML files

    start = len(_BYTE_ORDER_MARK) if content.startswith(_BYTE_ORDER_MARK) else 0
    try:
        text = content[start:].decode()
    except UnicodeDecodeError as error:
        raise YamlError(start + error.start, "it is not UTF-8") from error
    source = SourceText.at(text, start)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(source).build(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        index = _index(error.problem_mark or error.context_mark)
        _refuse_deep_nesting(source, yaml.parse(text[:index], Loader=loader))
        raise YamlError(source.offsets[index], f"it is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise YamlError(start, f"it is not YAML: {str(error).partition(chr(10))[0]}") from error


def _refuse_deep_nesting(source: SourceText, events: Iterator[yaml.Event]) -> None:
    """Raise ``YamlError`` if what precedes a syntax error is nested too deep.

    libyaml has had a limit of its own since PyYAML 6.0.4, and reads far enough ahead to fail before it reports the
    collections that exceed ours.
    """
    import yaml  # noqa: PLC0415  imported already

    with suppress(yaml.YAMLError):
        _Builder(source).build(events)


@dataclass(slots=True)
class _Collection:
    """A list or a mapping whose end has not come yet."""

    anchor: str | None
    is_mapping: bool
    nodes: list[Node] = field(default_factory=list)

    def close(self) -> Node:
        if not self.is_mapping:
            return Sequence(tuple(self.nodes))
        pairs = zip(self.nodes[::2], self.nodes[1::2], strict=True)
        return Mapping(tuple((key.value, value) for key, value in pairs if isinstance(key, Scalar)))


class _Builder:
    def __init__(self, source: SourceText) -> None:
        self._source = source
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
                    self._add(self._anchors.get(event.anchor or "", Sequence(())), None)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._begin(event, is_mapping=isinstance(event, yaml.MappingStartEvent))
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    closed = self._open.pop()
                    self._add(closed.close(), closed.anchor)
                case _:
                    pass
        return tuple(self._documents)

    def _begin(self, event: yaml.CollectionStartEvent, *, is_mapping: bool) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise YamlError(self._source.offsets[_index(event.start_mark)], f"it is more than {_MAX_DEPTH} levels deep")
        self._open.append(_Collection(event.anchor, is_mapping))

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        (self._open[-1].nodes if self._open else self._documents).append(node)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = _index(event.start_mark), _index(event.end_mark)
        if event.anchor is not None or event.tag is not None:
            properties = _PROPERTIES.match(self._source.text, start, end)
            start = start if properties is None else properties.end()
        style = _STYLES.get(event.style, ScalarStyle.PLAIN)
        quotes = 1 if style is ScalarStyle.QUOTED else 0
        return Scalar(event.value, self._source.cut(start + quotes, end - quotes), style)


class _Mark(Protocol):
    """What the marks of both of PyYAML's parsers have."""

    @property
    def index(self) -> int: ...


def _index(mark: _Mark | None) -> int:
    """Tell where a mark is; PyYAML's types allow events without one, its parsers give none."""
    return 0 if mark is None else mark.index


Finder = Callable[[Node], Iterable[Found]]


def scan_yaml(content: bytes, find: Finder) -> Scan:
    """Find the references in all documents of a file; one that is no YAML has a problem and no references."""
    try:
        documents = read_documents(content)
    except YamlError as error:
        return make_scan(content, (), ((error.offset, error.reason),))
    return make_scan(content, _each_place_once(found for document in documents for found in find(document)), ())


def _each_place_once(every: Iterable[Found]) -> Iterator[Found]:
    """Drop what an alias or a merge key shows again: it stands in the file once, and is edited once."""
    seen: set[Span] = set()
    for found in every:
        if found.span not in seen:
            seen.add(found.span)
            yield found

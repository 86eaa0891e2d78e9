"""Values of YAML that an alias gives to something else, too: a digest in a tag would get into a label with the tag.

Such a value is edited only if every use of it is a part of an image. Which uses are, the rules of the format say: they
read the file once more, with a node of its own for each alias.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter

from imagelock.documents.formats.scalars import shared
from imagelock.documents.references import Found, Image, NotEditable
from imagelock.documents.spans import SourceText, Span
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar
from imagelock.documents.syntax.nodes import Sequence as List
from imagelock.documents.syntax.yaml import read_with_aliases
from imagelock.model.frozen import frozen

_ALIAS = r"(?:^|[\s\[{,:])\*\w"
_UNREAD_ROOTS = ("x-", ".", "_")
"""What the top-level keys begin with that programs pass over, or that hold the parts of others."""
_WORDS = (
    *(
        "labels",
        "annotations",
        "env",
        "environment",
        "args",
        "arguments",
        "command",
        "commands",
        "entrypoint",
        "script",
    ),
    *("variables", "vars", "with", "params", "parameters", "name", "version"),
)
"""The ends of keys below which a value means something by itself; elsewhere an anchor may only hold it for others."""


@frozen
class _Place:
    keys: tuple[str, ...]
    is_definition: bool


def leave_shared_values(
    every: Sequence[Found],
    source: SourceText,
    find: Callable[[Node], Iterable[Found]],
    *,
    gives_every_key_meaning: bool,
) -> Sequence[Found]:
    """Refuse edits of values that are no part of an image at another place.

    ``find`` finds the references of a document; where every key has a meaning, none only holds a value for aliases.
    """
    if not re.search(_ALIAS, source.text):
        return every
    documents, anchored = read_with_aliases(source)
    edits = sorted({span for found in every if (span := _digest_of(found)) is not None})
    edited = [each for each in anchored if _has_inside(each.span, edits)]
    if not edited:
        return every
    images = sorted(set(_spans(found for document in documents for found in find(document))))
    places = _places(documents)
    others = sorted(
        each.span
        for each in edited
        if any(
            not (
                _has_inside(span, images)
                or _is_holder(places.get(span), gives_every_key_meaning=gives_every_key_meaning)
            )
            for span in (each.span, *each.aliases)
        )
    )
    return [shared(found) if _is_in_one(_digest_of(found), others) else found for found in every]


def _digest_of(found: Found) -> Span | None:
    editing = found.target.editing if isinstance(found.target, Image) else None
    return None if editing is None or isinstance(editing, NotEditable) else editing.span


def _spans(every: Iterable[Found]) -> Iterator[Span]:
    for found in every:
        yield found.span
        if (digest := _digest_of(found)) is not None:
            yield digest


def _has_inside(value: Span, spans: Sequence[Span]) -> bool:
    """Whether a value has one of the sorted spans in it."""
    first = bisect_left(spans, Span(value.start, value.start))
    return first < len(spans) and spans[first].end <= value.end


def _is_in_one(span: Span | None, values: Sequence[Span]) -> bool:
    """Whether one of the sorted values has a span in it."""
    last = -1 if span is None else bisect_right(values, span.start, key=attrgetter("start")) - 1
    return span is not None and last >= 0 and span.end <= values[last].end


def _is_holder(place: _Place | None, *, gives_every_key_meaning: bool) -> bool:
    """Whether a place only holds a value for aliases."""
    if place is None:  # a key
        return False
    root, *below = place.keys or ("",)
    if root.startswith(_UNREAD_ROOTS) and not any(key.lower().endswith(_WORDS) for key in below):
        return True
    keys = below if root == "variables" else place.keys
    return place.is_definition and not gives_every_key_meaning and not any(key.lower().endswith(_WORDS) for key in keys)


def _places(documents: Iterable[Node]) -> dict[Span, _Place]:
    """Return the first place of each scalar; places below keys that programs pass over come last."""
    waiting: list[tuple[Node, tuple[str, ...]]] = [(document, ()) for document in documents]
    later: list[tuple[Node, tuple[str, ...]]] = []
    seen: set[int] = set()
    places: dict[Span, _Place] = {}
    while waiting or later:
        node, keys = (waiting or later).pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case Scalar():
                places.setdefault(node.source.span, _Place(keys, node.has_anchor))
            case List(items=items):
                waiting += ((item, keys) for item in items)
            case Mapping(entries=entries):
                for key, value in entries:
                    is_unread = not keys and key.startswith(_UNREAD_ROOTS)
                    (later if is_unread else waiting).append((value, (*keys, key)))
    return places

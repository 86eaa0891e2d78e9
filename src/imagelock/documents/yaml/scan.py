"""Find every image reference of a YAML file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from imagelock.documents.references import Scan
from imagelock.documents.spans import Span
from imagelock.documents.targets import Found, make_scan
from imagelock.documents.yaml.nodes import Node
from imagelock.documents.yaml.reader import YamlError, read_documents

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

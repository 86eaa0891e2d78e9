"""The names that a compose file's builds bring their own content for: ``FROM php-base`` asks no registry then.

https://docs.docker.com/reference/compose-file/build/#additional_contexts
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.yaml.nodes import Mapping, Node, Scalar, Sequence
from imagelock.documents.yaml.reader import YamlError, read_documents

_KEY = b"additional_contexts"


def find_context_names(content: bytes) -> frozenset[str]:
    """Find them; a file that can't be read has none."""
    if _KEY not in content:
        return frozenset()
    try:
        documents = read_documents(content)
    except YamlError:
        return frozenset()
    return frozenset(name for document in documents for name in _in_document(document))


def _in_document(document: Node) -> Iterator[str]:
    if not isinstance(document, Mapping):
        return
    for _, service in document.find_mapping("services").mappings():
        contexts = service.find_mapping("build").find(_KEY.decode())
        match contexts:
            case Mapping(entries=entries):
                yield from (name for name, _ in entries)
            case Sequence(items=items):
                yield from (item.value.partition("=")[0] for item in items if isinstance(item, Scalar))
            case _:
                pass

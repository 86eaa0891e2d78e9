"""The files that GitLab CI includes from the same repository: https://docs.gitlab.com/ci/yaml/#includelocal."""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.formats.files import Files
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, Sequence
from imagelock.documents.syntax.reader import Syntax, read_documents
from imagelock.model.globs import compile_glob, is_wild

_ROOTS = (".gitlab-ci.yml", ".gitlab-ci.yaml")


def find_included(files: Files) -> frozenset[str]:
    """Find the paths of all files that the pipeline of a project includes, directly or not."""
    found: set[str] = set()
    waiting = list(_ROOTS)
    while waiting:
        path = waiting.pop()
        for pattern in _includes_of(files.read(path)):
            new = set(_matching(pattern.lstrip("/"), files)) - found
            found |= new
            waiting += new
    return frozenset(found)


def _matching(pattern: str, files: Files) -> Iterator[str]:
    if not is_wild(pattern):
        yield pattern
        return
    matches = compile_glob(pattern).fullmatch
    yield from (path for path in files.paths() if matches(path))


def _includes_of(content: bytes | None) -> Iterator[str]:
    if content is None or b"include" not in content:
        return
    try:
        documents = read_documents(content, Syntax.YAML)
    except DocumentSyntaxError:
        return
    for document in documents:
        include = document.find("include") if isinstance(document, Mapping) else None
        for entry in include.items if isinstance(include, Sequence) else (include,):
            yield from _local_paths(entry)


def _local_paths(entry: Node | None) -> Iterator[str]:
    if isinstance(entry, Scalar):
        if entry.value and "://" not in entry.value:
            yield entry.value
    elif isinstance(entry, Mapping) and (local := entry.find_scalar("local")):
        yield local.value

"""The context of a document, which also decides about it: the rules of images.toml, and other files of the project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from pathlib import PurePosixPath
from posixpath import dirname

from imagelock.documents.formats.compose import find_in_compose, find_variables
from imagelock.documents.formats.compose_project import ComposeFiles
from imagelock.documents.formats.format import Format
from imagelock.documents.formats.kustomize_replacements import KustomizeReplacements
from imagelock.documents.formats.place_rules import Rule, Text
from imagelock.documents.formats.surrounding_files import Files, NoFiles
from imagelock.documents.formats.table import BY_NAME, COMPOSE, DOTENV, GITLAB, KUBERNETES
from imagelock.documents.kinds import (
    detect_kind,
    has_known_name,
    in_syntax_of,
    marked_kind,
    may_be_document,
    patterns_expression,
)
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, Sequence
from imagelock.documents.syntax.reader import Syntax, read_documents
from imagelock.model.frozen import frozen
from imagelock.model.globs import compile_glob

NO_KIND = "none"
_GENERIC = {
    ".yml": "yaml",
    ".yaml": "yaml",
    ".json": "json",
    ".jsonc": "json",
    ".hcl": "hcl",
    ".tf": "hcl",
    ".properties": "env",
    ".ini": "ini",
    ".conf": "ini",
    ".service": "ini",
}


@frozen
class KindRule:
    """One line of ``[kinds]``."""

    pattern: str
    kind: str
    """The name of a row of the table, or ``none`` for files that are not documents."""


@frozen
class PlacesRule:
    """One line of ``[paths]``."""

    pattern: str
    images: tuple[Rule, ...]
    never: tuple[str, ...] = ()


@frozen
class DocumentRules:
    """The rules of images.toml: ``[kinds]`` and ``[paths]``."""

    kinds: tuple[KindRule, ...] = ()
    places: tuple[PlacesRule, ...] = ()


_NO_FILES = NoFiles()


class DocumentContext:
    """Finds the kinds of a project's files, each with all that decides about its references.

    Paths are relative to the folder of the project, with slashes.
    """

    def __init__(self, files: Files = _NO_FILES, rules: DocumentRules | None = None) -> None:
        self._files = files
        rules = rules or DocumentRules()
        self._kinds = tuple((compile_glob(rule.pattern), rule.kind) for rule in rules.kinds)
        self._places = tuple((compile_glob(rule.pattern), rule) for rule in rules.places)
        self._compose_files = ComposeFiles(self._files)
        self._replacements = KustomizeReplacements(self._files)

    def may_be_document(self, path: str) -> bool:
        """Whether a file may be a document, by its path. If not, its content need not be read."""
        return may_be_document(path) or any(pattern.fullmatch(path) for pattern, _ in (*self._kinds, *self._places))

    def is_passed_over(self, path: str) -> bool:
        """Whether images.toml excludes a file from all documents: its kind is ``none``."""
        return any(kind == NO_KIND and pattern.fullmatch(path) for pattern, kind in self._kinds)

    def find_kind(self, path: str, content: bytes) -> Format | None:
        """Return the kind of a file; ``None`` if it is not a document."""
        declared = next((kind for pattern, kind in self._kinds if pattern.fullmatch(path)), None)
        if declared == NO_KIND:
            return None
        places = tuple(rule for pattern, rule in self._places if pattern.fullmatch(path))
        where = PurePosixPath(path)
        kind = in_syntax_of(where, BY_NAME[declared]) if declared else self._detect(where, path, content, places)
        if kind is None:
            return None
        kind = self._with_files(path, kind)
        return _with_places(kind, places) if places else kind

    def _detect(self, where: PurePosixPath, path: str, content: bytes, places: tuple[PlacesRule, ...]) -> Format | None:
        kind = detect_kind(where, content)
        if kind is None or (kind is not KUBERNETES and not has_known_name(path)):
            kind = GITLAB if path in self._included_by_gitlab else kind
        if kind is None and places:
            return BY_NAME.get(_GENERIC.get(where.suffix.lower(), ""))
        return kind or marked_kind(where, content)

    @cached_property
    def _included_by_gitlab(self) -> frozenset[str]:
        return find_included(self._files)

    def _with_files(self, path: str, kind: Format) -> Format:
        """Let a format see the files around its document."""
        if kind.name == COMPOSE.name:
            return replace(kind, find=partial(find_in_compose, files=self._compose_files, path=path))
        if kind.name == KUBERNETES.name:
            replaced = self._replacements.names_in(path)
            return replace(kind, replaced=replaced) if replaced else kind
        if kind.name == DOTENV.name:
            images, others = find_variables(dirname(path), self._compose_files)
            return replace(
                kind,
                images=(*(Text(f'"{name}"') for name in sorted(images)), *kind.images),
                never=(*kind.never, *(f'"{name}"' for name in sorted(others))),
            )
        return kind


def _with_places(kind: Format, rules: Iterable[PlacesRule]) -> Format:
    images = tuple(image for rule in rules for image in rule.images)
    never = tuple(path for rule in rules for path in rule.never)
    return replace(kind, images=(*images, *kind.images), excluded=(*kind.excluded, *never))


def find_included(files: Files) -> frozenset[str]:
    """Return the paths of all files that a project's GitLab pipeline includes from its own repository, directly or not.

    https://docs.gitlab.com/ci/yaml/#includelocal
    """
    found: set[str] = set()
    is_pipeline = re.compile(patterns_expression(GITLAB.files)).fullmatch
    waiting = [path for path in files.paths() if is_pipeline(path)]
    while waiting:
        path = waiting.pop()
        for pattern in _includes_of(files.read(path)):
            new = set(_matching(pattern.lstrip("/"), files)) - found
            found |= new
            waiting += new
    return frozenset(found)


def _matching(pattern: str, files: Files) -> Iterator[str]:
    if "*" not in pattern:
        yield pattern
        return
    expression = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")  # `**` goes through folders
    matches = re.compile(expression, re.DOTALL).fullmatch
    yield from (path for path in files.paths() if matches(path))


def _includes_of(content: bytes | None) -> Iterator[str]:
    if content is None or b"include" not in content:
        return
    try:
        documents = read_documents(content, Syntax.YAML)
    except DocumentSyntaxError:
        return
    for document in documents:
        if isinstance(document, Mapping):
            triggers = (job.find("trigger") for _, job in document.mappings())  # child pipelines
            for part in (document, *(each for each in triggers if isinstance(each, Mapping))):
                include = part.find("include")
                for entry in include.items if isinstance(include, Sequence) else (include,):
                    yield from _local_paths(entry)


def _local_paths(entry: Node | None) -> Iterator[str]:
    if isinstance(entry, Scalar):
        if entry.value and "://" not in entry.value:
            yield entry.value
    elif isinstance(entry, Mapping) and (local := entry.find_scalar("local")):
        yield local.value

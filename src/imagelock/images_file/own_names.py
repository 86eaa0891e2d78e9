"""Names in documents that mean no image of a registry: build contexts, and images that the repository builds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Self

from imagelock.documents.formats import table
from imagelock.documents.formats.built_names import find_built_names
from imagelock.documents.formats.compose import find_context_names
from imagelock.documents.formats.format import Format
from imagelock.documents.references import Image, Reference, Unresolved
from imagelock.errors import InvalidReferenceError
from imagelock.images_file.foreign_folders import is_foreign
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, AnyRepository, split_reference

_CI_REGISTRY_IMAGE = re.compile(r"\$(?:CI_REGISTRY_IMAGE\b|\{CI_REGISTRY_IMAGE\})")
"""GitLab's name for the images of the repository in which a pipeline runs."""


@frozen
class OwnNames:
    """The names of one repository."""

    contexts: frozenset[str]
    """Names of build contexts. As in BuildKit, ``:latest`` is ignored, and every other tag counts."""
    built: frozenset[AnyRepository]
    """Repositories of the images that are built, under any tag."""

    @classmethod
    def of(cls, documents: Iterable[tuple[str, Format, bytes]]) -> Self:
        """Collect the names of all documents, each given by path, kind and content; foreign folders are passed over."""
        contexts: set[str] = set()
        built: set[AnyRepository] = set()
        for path, kind, content in documents:
            if is_foreign(path):
                continue
            if kind.name in (table.COMPOSE.name, table.BAKE.name, table.GITHUB.name):
                contexts.update(filter(_is_reference, find_context_names(content, kind.syntax)))
            built.update(
                split_reference(name).repository for name in find_built_names(content, kind) if _is_reference(name)
            )
        return cls(frozenset(contexts), frozenset(built))

    def covers(self, reference: Reference) -> bool:
        """Whether a reference means a build context or an image that the repository builds."""
        match reference.target:
            case Image(reference=image) as target:
                return self._is_context(target.text) or image.repository in self.built
            case Unresolved(text):
                return self._is_context(text) or _CI_REGISTRY_IMAGE.match(reference.text) is not None
            case _:
                return False

    def used(self, references: Iterable[Reference], locked: Iterable[tuple[AnyRepository, str | Digest]]) -> list[str]:
        """Return the names that references use, for ``[external]``; none of them covers an image to lock."""
        tags_by_repository: dict[AnyRepository, set[str | Digest]] = defaultdict(set)
        for repository, tag in locked:
            tags_by_repository[repository].add(tag)
        used = {name for reference in references for name in self._names_for(reference)}
        return sorted(each for name in used for each in _allowed(name, tags_by_repository))

    def _names_for(self, reference: Reference) -> Iterator[str]:
        if not self.covers(reference):
            return
        text = reference.target.text
        if match := _CI_REGISTRY_IMAGE.match(reference.text):
            yield f"{match[0]}**"
        elif self._is_context(text):
            yield text.removesuffix(f":{DEFAULT_TAG}")
        else:
            yield split_reference(text).name

    def _is_context(self, text: str) -> bool:
        return text.removesuffix(f":{DEFAULT_TAG}") in self.contexts


def _allowed(name: str, tags_by_repository: dict[AnyRepository, set[str | Digest]]) -> Iterator[str]:
    """Yield the name if it covers no image to lock, or else the name with ``:latest`` if that does not."""
    if not _is_reference(name):
        yield name
        return
    written = split_reference(name)
    tags: Collection[str | Digest] = tags_by_repository.get(written.repository, ())
    if not tags or written.tag not in (None, *tags):
        yield name
    elif written.tag is None and DEFAULT_TAG not in tags:
        yield f"{name}:{DEFAULT_TAG}"


def _is_reference(text: str) -> bool:
    try:
        split_reference(text)
    except InvalidReferenceError:
        return False
    return True

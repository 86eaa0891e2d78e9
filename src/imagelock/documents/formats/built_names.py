"""The images that a repository builds itself, by the files that say so: their names are no images of a registry yet.

compose (``build`` beside ``image``), Skaffold artifacts, bake targets, and the build step of GitHub's actions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from imagelock.documents.formats.format import Format
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, Sequence
from imagelock.documents.syntax.reader import read_documents

_SIGNS = (b"build", b"tags", b"artifacts")
"""Without one of these words, nothing is built."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*(?::[0-9]+/[A-Za-z0-9._/-]+)?")
_BUILD_ACTION = re.compile(r"docker/(build-push-action|bake-action)@|redhat-actions/buildah-build@")
_METADATA_ACTION = "docker/metadata-action@"


def find_built_names(content: bytes, kind: Format) -> frozenset[str]:
    """Return the names, without tags. Files that cannot be read have none; names with variables are left out."""
    find = _FINDERS.get(kind.name)
    if find is None or not any(sign in content for sign in _SIGNS):
        return frozenset()
    try:
        documents = read_documents(content, kind.syntax)
    except DocumentSyntaxError:
        return frozenset()
    texts = (text for document in documents if isinstance(document, Mapping) for text in find(document))
    return frozenset(name for text in texts if (name := _name_of(text)))


def _name_of(text: str) -> str | None:
    """Return the name without tag and digest; ``None`` if it has variables."""
    before_digest = text.strip().partition("@")[0]
    folders, slash, last = before_digest.rpartition("/")
    name = f"{folders}{slash}{last.partition(':')[0]}"
    return name if _NAME.fullmatch(name) else None


def _in_compose(document: Mapping) -> Iterator[str]:
    for _, service in document.find_mapping("services").mappings():
        image = service.find_scalar("image")
        if image is not None and service.find("build") is not None:
            yield image.value
        yield from _texts(service.find_mapping("build").find("tags"))


def _in_skaffold(document: Mapping) -> Iterator[str]:
    builds = [document.find_mapping("build")]
    builds += (it.find_mapping("build") for it in _mappings(document.find("profiles")))
    for build in builds:
        for artifact in _mappings(build.find("artifacts")):
            yield from _texts(artifact.find("image"))


def _in_bake(document: Mapping) -> Iterator[str]:
    for _, target in document.find_mapping("target").mappings():
        yield from _texts(target.find("tags"))


def _in_github(document: Mapping) -> Iterator[str]:
    for _, job in document.find_mapping("jobs").mappings():
        for step in _mappings(job.find("steps")):
            uses = step.find_scalar("uses")
            inputs = step.find_mapping("with")
            if uses is not None and _BUILD_ACTION.match(uses.value):
                for text in _texts(inputs.find("tags")):
                    yield from re.split(r"[\n,]+", text)
            elif uses is not None and uses.value.startswith(_METADATA_ACTION):
                for text in _texts(inputs.find("images")):
                    yield from re.split(r"[\n,]+", text)


def _mappings(node: Node | None) -> Iterator[Mapping]:
    if isinstance(node, Sequence):
        yield from (item for item in node.items if isinstance(item, Mapping))


def _texts(node: Node | None) -> Iterator[str]:
    """Yield the text of a scalar, or the texts of a list."""
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Scalar):
            yield item.value


_FINDERS: dict[str, Callable[[Mapping], Iterator[str]]] = {
    "compose": _in_compose,
    "skaffold": _in_skaffold,
    "bake": _in_bake,
    "github": _in_github,
}

"""Image names in manifests that kustomizations replace: ``controller:latest`` of a scaffold is no input then.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/. A name counts as replaced only if every
kustomization that leads to the manifest replaces it, itself or through the overlays above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from posixpath import basename, dirname, join, normpath

from imagelock.documents.formats.surrounding_files import Files
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, Sequence
from imagelock.documents.syntax.reader import Syntax, read_documents
from imagelock.model.frozen import frozen

_NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_LISTS = ("resources", "bases", "components", "patchesStrategicMerge")
_MAX_OVERLAYS = 20


@frozen
class _Kustomization:
    images: frozenset[str]
    """The names that it gives a tag or a digest."""
    targets: frozenset[str]
    """The files and folders that it includes."""
    components: frozenset[str]
    """The folders of its components, whose replacements count as its own."""


class KustomizeReplacements:
    """Finds the replaced names of manifests; each kustomization is read once, and only if a manifest is near it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._read: dict[str, _Kustomization] = {}
        self._replaced: dict[str, frozenset[str]] = {}

    def names_in(self, path: str) -> frozenset[str]:
        """Return the image names of a manifest that are replaced before anything runs."""
        above = [found for folder in _folders_above(path) if (found := self._by_folder.get(folder))]
        leading = [found for found in above if path in self._kustomization(found).targets]
        return _shared(self._replaced_by(found, 0) for found in leading)

    @cached_property
    def _by_folder(self) -> dict[str, str]:
        return {dirname(path): path for path in self._files.paths() if basename(path) in _NAMES}

    def _replaced_by(self, path: str, depth: int) -> frozenset[str]:
        """Return what a kustomization replaces, with what all overlays replace that take it in."""
        if path not in self._replaced:
            own = self._replaced[path] = self._own_images(path, 0)  # for those that lead to each other
            folder = dirname(path)
            overlays = [each for each in self._by_folder.values() if folder in self._kustomization(each).targets]
            if depth < _MAX_OVERLAYS:
                self._replaced[path] = own | _shared(self._replaced_by(each, depth + 1) for each in overlays)
        return self._replaced[path]

    def _own_images(self, path: str, depth: int) -> frozenset[str]:
        """Return what a kustomization replaces itself, or by the components that it uses."""
        kustomization = self._kustomization(path)
        used = [found for folder in kustomization.components if (found := self._by_folder.get(folder))]
        if depth >= _MAX_OVERLAYS:
            return kustomization.images
        return kustomization.images.union(*(self._own_images(each, depth + 1) for each in used))

    def _kustomization(self, path: str) -> _Kustomization:
        if path not in self._read:
            self._read[path] = _parse(dirname(path), self._files.read(path) or b"")
        return self._read[path]


def _folders_above(path: str) -> Iterable[str]:
    folder = dirname(path)
    while folder:
        yield folder
        folder = dirname(folder)
    yield ""


def _shared(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    every = list(sets)
    return frozenset.intersection(*every) if every else frozenset()


def _parse(folder: str, content: bytes) -> _Kustomization:
    try:
        documents = read_documents(content, Syntax.YAML)
    except DocumentSyntaxError:
        documents = ()
    roots = [document for document in documents if isinstance(document, Mapping)]
    images = {name for root in roots for entry in root.find_sequence("images").items if (name := _replaced(entry))}
    targets = {target for root in roots for key in _LISTS for target in _paths(root.find(key), folder)}
    targets |= {target for root in roots for target in _paths(root.find("patches"), folder)}
    components = {target for root in roots for target in _paths(root.find("components"), folder)}
    return _Kustomization(frozenset(images), frozenset(targets), frozenset(components))


def _paths(entries: Node | None, folder: str) -> Iterator[str]:
    """Yield the files and folders of a list, from the root of the project; a patch has its own under ``path``."""
    for entry in entries.items if isinstance(entries, Sequence) else ():
        path = entry.find_scalar("path") if isinstance(entry, Mapping) else entry
        if isinstance(path, Scalar) and path.value and "://" not in path.value and "\n" not in path.value:
            yield normpath(join(folder, path.value))


def _replaced(entry: Node) -> str | None:
    """Return the name that an entry of ``images`` gives a tag or digest; a suffix takes the digest away, too."""
    name = entry.find_scalar("name") if isinstance(entry, Mapping) else None
    if name is None or not isinstance(entry, Mapping):
        return None
    return name.value if any(entry.find_scalar(key) for key in ("newTag", "digest", "tagSuffix")) else None

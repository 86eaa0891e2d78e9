"""What the files of a project say about images: the input of the first images.toml."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from imagelock.documents.formats import table
from imagelock.documents.formats.compose import find_context_names
from imagelock.documents.formats.format import Format
from imagelock.documents.references import Image, NotEditable, Reference, Scan, Unresolved
from imagelock.documents.spans import Position
from imagelock.errors import InvalidReferenceError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.names import propose_names
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, AnyRepository, UnnormalizedReference, split_reference

ImageKey = tuple[AnyRepository, str | Digest]
"""What tells images apart, as images.toml does: a digest counts where no tag stands beside it."""


@frozen
class ScannedDocument:
    """A document, and what was found in it."""

    path: str
    """Relative to the folder of images.toml, with slashes."""
    kind: Format
    content: bytes
    scan: Scan

    @property
    def names_images(self) -> bool:
        """Whether there is anything in it that images.toml is about."""
        return any(isinstance(each.target, Image | Unresolved) for each in self.scan.references)

    def without(self, contexts: Collection[str]) -> ScannedDocument:
        """Leave out what is the name of a build context."""
        kept = (each for each in self.scan.references if not _is_context(each, contexts))
        return replace(self, scan=replace(self.scan, references=tuple(kept)))

    def images(self) -> Iterator[tuple[Reference, Image]]:
        """Give the references that are images."""
        for reference in self.scan.references:
            if isinstance(reference.target, Image):
                yield reference, reference.target


@frozen(kw_only=True)
class FoundImage:
    """One image, in as many documents as it may be."""

    alias: Alias
    key: ImageKey
    name: str
    """As first spelled, without tag and digest."""
    tag: str | None
    digests: tuple[Digest, ...]
    """Those that stand beside it, sorted; usually none."""
    paths: tuple[str, ...]

    @property
    def text(self) -> str:
        """The reference for images.toml; of several digests it can keep none."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}" + (f"@{self.digests[0]}" if len(self.digests) == 1 else "")


@frozen
class Unlockable:
    """Something in a document that nobody can lock, or that can't be pinned where it stands."""

    path: str
    position: Position
    text: str
    """As it is written there; empty where the document as a whole is meant."""
    reason: str

    def __str__(self) -> str:
        what = f"`{self.text}`: " if self.text else ""
        return f"{self.path}:{self.position.line}:{self.position.column}: {what}{self.reason}"


@frozen(kw_only=True)
class Survey:
    """Everything that was found, sorted."""

    images: tuple[FoundImage, ...] = ()
    pinnable: tuple[str, ...] = ()
    """The documents in which every reference can have its digest."""
    unresolved: tuple[Unlockable, ...] = ()
    """What names no image that could be locked."""
    not_editable: tuple[Unlockable, ...] = ()
    """Images that can be locked, but whose digest has no place where they stand."""
    external: tuple[str, ...] = ()
    """Names that look like images, and that builds bring their own content for."""
    unreadable: tuple[Unlockable, ...] = ()
    """Documents that don't parse, such as Helm's templates; nothing was taken from them."""

    def find(self, reference: Image) -> FoundImage | None:
        """Find what a reference of one of the documents became; None if it is the name of a build context."""
        return next((image for image in self.images if image.key == _key(reference)), None)


def survey(documents: Iterable[ScannedDocument]) -> Survey:
    """Collect the images of all documents under names of their own."""
    found = sorted(documents, key=lambda document: document.path)
    readable = [document for document in found if document.names_images and not document.scan.problems]
    contexts = _context_names(found)
    ours = [document.without(contexts) for document in readable]
    unresolved = [obstacle for document in ours for obstacle in _unresolved(document)]
    not_editable = [obstacle for document in ours for obstacle in _not_editable(document)]
    hindered = {obstacle.path for obstacle in (*unresolved, *not_editable)}
    images = _collect(ours)
    return Survey(
        images=images,
        pinnable=tuple(each.path for each in ours if each.names_images and each.path not in hindered),
        unresolved=tuple(unresolved),
        not_editable=tuple(not_editable),
        external=_external_names((name for name in contexts if _is_used(name, readable)), images),
        unreadable=tuple(obstacle for document in found for obstacle in _unreadable(document)),
    )


def _context_names(documents: Iterable[ScannedDocument]) -> frozenset[str]:
    composes = (document.content for document in documents if document.kind is table.COMPOSE)
    return frozenset(name for content in composes for name in find_context_names(content) if _is_reference(name))


def _external_names(contexts: Iterable[str], images: Collection[FoundImage]) -> tuple[str, ...]:
    """Return the contexts as names for ``[external]``, none of which covers an image that is to be locked."""
    tags_by_repository: dict[AnyRepository, set[str | Digest]] = defaultdict(set)
    for image in images:
        repository, tag = image.key
        tags_by_repository[repository].add(tag)
    names: list[str] = []
    for context in sorted(contexts):
        written = split_reference(context)
        tags = tags_by_repository[written.repository]
        if not tags or written.tag not in (None, *tags):
            names.append(context)
        elif written.tag is None and DEFAULT_TAG not in tags:
            names.append(f"{context}:{DEFAULT_TAG}")
    return tuple(names)


def _is_context(reference: Reference, names: Collection[str]) -> bool:
    """Whether a reference means one of the contexts, as BuildKit compares them: ``:latest`` makes no difference."""
    return reference.target.text.removesuffix(f":{DEFAULT_TAG}") in names


def _is_reference(text: str) -> bool:
    try:
        split_reference(text)
    except InvalidReferenceError:
        return False
    return True


def _is_used(name: str, documents: Iterable[ScannedDocument]) -> bool:
    """Whether anybody could take the name for an image's: most contexts are no more than folders."""
    return any(_is_context(reference, [name]) for document in documents for reference, _ in document.images())


def _collect(documents: Iterable[ScannedDocument]) -> tuple[FoundImage, ...]:
    places: dict[ImageKey, list[tuple[UnnormalizedReference, str]]] = defaultdict(list)
    for document in documents:
        for _, image in document.images():
            written = split_reference(image.text)
            places[_key(image)].append((written, document.path))
    firsts = [found[0][0] for found in places.values()]
    images = (
        FoundImage(
            alias=alias,
            key=key,
            name=first.name,
            tag=next((written.tag for written, _ in found if written.tag), None),
            digests=tuple(sorted({written.digest for written, _ in found if written.digest}, key=str)),
            paths=tuple(dict.fromkeys(path for _, path in found)),
        )
        for alias, first, (key, found) in zip(propose_names(firsts), firsts, places.items(), strict=True)
    )
    return tuple(sorted(images, key=lambda image: image.alias))


def _unreadable(document: ScannedDocument) -> Iterator[Unlockable]:
    for problem in document.scan.problems:
        yield Unlockable(document.path, problem.position, "", problem.reason)


def _unresolved(document: ScannedDocument) -> Iterator[Unlockable]:
    for reference in document.scan.references:
        if isinstance(reference.target, Unresolved):
            yield Unlockable(document.path, reference.position, reference.text, reference.target.reason)


def _not_editable(document: ScannedDocument) -> Iterator[Unlockable]:
    for reference, image in document.images():
        if isinstance(image.editing, NotEditable):
            yield Unlockable(document.path, reference.position, reference.text, image.editing.reason)


def _key(image: Image) -> ImageKey:
    written = split_reference(image.text)
    return written.repository, written.tag or written.digest or DEFAULT_TAG

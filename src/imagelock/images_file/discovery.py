"""Collects the images of a project's files, and compares them with images.toml."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from imagelock.documents.formats.format import Format
from imagelock.documents.references import Image, Marked, NotEditable, Reference, Scan, Unresolved
from imagelock.documents.spans import Position
from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.images_file.declared import DeclaredImages
from imagelock.images_file.foreign_folders import find_foreign_folders, is_in_folders
from imagelock.images_file.names import propose_names, taken_names
from imagelock.images_file.own_names import OwnNames
from imagelock.images_file.parser import ImagesFile
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, AnyRepository, UnnormalizedReference, split_reference

NOTHING_DECLARED = ImagesFile(())
ImageKey = tuple[AnyRepository, str | Digest]
"""The identity of an image: repository and tag, or repository and digest if it has no tag."""


@frozen
class ScannedDocument:
    """A document and its references."""

    path: str
    """Relative to the folder of images.toml, with slashes."""
    kind: Format
    content: bytes
    scan: Scan

    @property
    def names_images(self) -> bool:
        """Whether it has an image, an unresolved reference or a marker comment."""
        return any(isinstance(each.target, Image | Unresolved | Marked) for each in self.scan.references)

    def without(self, is_left_out: Callable[[Reference], bool]) -> ScannedDocument:
        """Return the document without some of its references."""
        kept = (each for each in self.scan.references if not is_left_out(each))
        return replace(self, scan=replace(self.scan, references=tuple(kept)))

    @property
    def is_pinnable(self) -> bool:
        """Whether at least one of its images can have a digest in place."""
        return any(not isinstance(image.editing, NotEditable) for _, image in self.images())

    def images(self) -> Iterator[tuple[Reference, Image]]:
        """Yield the references that are images."""
        for reference in self.scan.references:
            if isinstance(reference.target, Image):
                yield reference, reference.target


@frozen(kw_only=True)
class FoundImage:
    """One image, and the documents that have it."""

    alias: Alias
    key: ImageKey
    name: str
    """As first spelled, without tag and digest."""
    tag: str | None
    digests: tuple[Digest, ...]
    """The digests that documents have for it, sorted; usually none."""
    paths: tuple[str, ...]
    is_declared: bool = False
    """Whether images.toml declares it, under this name."""

    @property
    def text(self) -> str:
        """The reference for images.toml. Several digests for one tag contradict each other, so none of them is kept."""
        return self.tagged + (f"@{self.digests[0]}" if len(self.digests) == 1 else "")

    @property
    def tagged(self) -> str:
        """The reference without any digest."""
        return f"{self.name}:{self.tag}" if self.tag else self.name


@frozen
class Unlockable:
    """A reference that cannot be locked, or cannot be pinned in place."""

    path: str
    position: Position
    text: str
    """The reference as written; empty for the whole document."""
    reason: str
    name: str = ""
    """The whole reference, where only its tag is at the position."""

    @property
    def place(self) -> str:
        """Return ``FILE:LINE:COLUMN``."""
        return f"{self.path}:{self.position.line}:{self.position.column}"

    def __str__(self) -> str:
        what = f"`{self.name or self.text}`: " if self.text else ""
        return f"{self.place}: {what}{self.reason}"


@frozen(kw_only=True)
class Survey:
    """Everything that was found in the documents of a project, sorted."""

    images: tuple[FoundImage, ...] = ()
    """Images that images.toml does not declare."""
    declared: tuple[FoundImage, ...] = ()
    """Images that images.toml declares."""
    pinnable: tuple[str, ...] = ()
    """The documents in which at least one reference can have its digest."""
    unresolved: tuple[Unlockable, ...] = ()
    """References whose image is unknown."""
    not_editable: tuple[Unlockable, ...] = ()
    """Images that can be locked, in places where a digest cannot be written."""
    external: tuple[str, ...] = ()
    """Names of images that the repository builds, for ``[external] names``."""
    external_files: tuple[str, ...] = ()
    """Patterns of folders with vendored files or samples for tests, for ``[external] files``."""
    unreadable: tuple[Unlockable, ...] = ()
    """Syntax errors of documents, such as templates of Helm charts. Such documents have no references here."""

    def following_tags(self) -> Survey:
        """Return a copy in which new images with a tag have no digests."""
        images = (replace(image, digests=()) if image.tag else image for image in self.images)
        return replace(self, images=tuple(images))

    def find(self, reference: Image) -> FoundImage | None:
        """Return the image of a reference in one of the documents; ``None`` for the name of a build context."""
        key = _key(reference)
        return next((image for image in (*self.images, *self.declared) if image.key == key), None)


def survey(
    documents: Iterable[ScannedDocument], known: ImagesFile = NOTHING_DECLARED, *, names: OwnNames | None = None
) -> Survey:
    """Collect the images of all documents: declared ones under their names, new ones under names of their own.

    ``names`` are what the repository builds, where the documents are only some of its files.
    """
    found = sorted(documents, key=lambda document: document.path)
    named = [document for document in found if document.names_images]
    folders = find_foreign_folders(document.path for document in named)
    own = [document for document in named if not is_in_folders(document.path, folders)]
    names = names or OwnNames.of((document.path, document.kind, document.content) for document in found)
    external = known.external
    readable = [
        document.without(lambda each: external.covers(each.shown, each.target.text))
        for document in own
        if not document.scan.problems
    ]
    declared = DeclaredImages(known.images)
    ours = [document.without(lambda each: names.covers(each) and not declared.names(each)) for document in readable]
    images = _collect(ours, known)
    return Survey(
        images=tuple(image for image in images if not image.is_declared),
        declared=tuple(image for image in images if image.is_declared),
        pinnable=tuple(document.path for document in ours if document.is_pinnable),
        unresolved=tuple(obstacle for document in ours for obstacle in _unresolved(document)),
        not_editable=tuple(obstacle for document in ours for obstacle in _not_editable(document)),
        external=tuple(names.used(_references(readable), [*(image.key for image in images), *declared.keys()])),
        external_files=tuple(f"{folder}/**" for folder in folders),
        unreadable=tuple(obstacle for document in found for obstacle in _unreadable(document)),
    )


def _references(documents: Iterable[ScannedDocument]) -> Iterator[Reference]:
    return (reference for document in documents for reference in document.scan.references)


def _collect(documents: Iterable[ScannedDocument], known: ImagesFile) -> tuple[FoundImage, ...]:
    places: dict[ImageKey, list[tuple[UnnormalizedReference, str]]] = defaultdict(list)
    declared: dict[ImageKey, ImageDeclaration] = {}
    declarations = DeclaredImages(known.images)
    for document in documents:
        for _, image in document.images():
            key = _key(image)
            places[key].append((split_reference(image.text), document.path))
            if (declaration := declarations.find(image.reference)) is not None:
                declared[key] = declaration
    new = [key for key in places if key not in declared]
    names = propose_names([places[key][0][0] for key in new], taken=taken_names(known.images))
    images = [_found_image(alias, key, places[key]) for alias, key in zip(names, new, strict=True)]
    # A template renders to the spelling of images.toml.
    images += (
        replace(_found_image(it.alias, key, places[key]), name=it.name, is_declared=True)
        for key, it in declared.items()
    )
    return tuple(sorted(images, key=lambda image: image.alias))


def _found_image(alias: Alias, key: ImageKey, found: Sequence[tuple[UnnormalizedReference, str]]) -> FoundImage:
    return FoundImage(
        alias=alias,
        key=key,
        name=found[0][0].name,
        tag=next((written.tag for written, _ in found if written.tag), None),
        digests=tuple(sorted({written.digest for written, _ in found if written.digest}, key=str)),
        paths=tuple(dict.fromkeys(path for _, path in found)),
    )


def _unreadable(document: ScannedDocument) -> Iterator[Unlockable]:
    for problem in document.scan.problems:
        yield Unlockable(document.path, problem.position, "", problem.reason)


def _unresolved(document: ScannedDocument) -> Iterator[Unlockable]:
    for reference in document.scan.references:
        if isinstance(reference.target, Unresolved):
            yield _unlockable(document, reference, reference.target.reason)


def _not_editable(document: ScannedDocument) -> Iterator[Unlockable]:
    for reference, image in document.images():
        if isinstance(image.editing, NotEditable):
            yield _unlockable(document, reference, image.editing.reason)


def _unlockable(document: ScannedDocument, reference: Reference, reason: str) -> Unlockable:
    return Unlockable(document.path, reference.position, reference.text, reason, reference.shown)


def _key(image: Image) -> ImageKey:
    written = split_reference(image.text)
    return written.repository, written.tag or written.digest or DEFAULT_TAG

"""Find the places in a project's files that use an image: ``remove`` warns about them, ``add`` says what is next."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from imagelock.documents.kinds import find_references
from imagelock.documents.locked_references import LockedReferences, NotLocked
from imagelock.documents.references import Image, Marked, Target
from imagelock.errors import FileError
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import Lockfile
from imagelock.project.documents import ProjectDocuments
from imagelock.project.files import read_bytes
from imagelock.project.project import Project
from imagelock.rendering.pin_in_place import locked_references
from imagelock.rendering.pinned_files import external_files, select_pinned_files
from imagelock.rendering.template import Cursor, find_placeholders, images_to_render


def find_uses(project: Project, images_file: ImagesFile, lockfile: Lockfile, aliases: Collection[str]) -> Iterator[str]:
    """Yield the places in templates and pinned files that use one of the images, as ``FILE:LINE:COLUMN: …``.

    Pinned files say no names: only an image that is locked can be found there.
    """
    for template in dict.fromkeys(target.template for target in images_file.targets):
        with suppress(FileError):  # a template that is missing uses nothing; rendering reports it
            yield from _in_template(project.folder / template, aliases)
    locked = lockfile.by_alias()
    gone = tuple(image for image in images_file.images if image.alias in aliases and image.alias in locked)
    references = locked_references(images_to_render(replace(images_file, images=gone), lockfile).values())
    documents = ProjectDocuments(project.folder, images_file.documents)
    for file in select_pinned_files(project, images_file).files:
        with suppress(FileError):
            yield from _in_document(file.path, references, aliases, documents)


def is_used_elsewhere(project: Project, images_file: ImagesFile, lockfile: Lockfile, aliases: Collection[str]) -> bool:
    """Whether a file of the project that images.toml does not list has a reference to one of the images."""
    images = replace(images_file, images=tuple(image for image in images_file.images if image.alias in aliases))
    references = locked_references(images_to_render(images, lockfile).values())
    documents = ProjectDocuments(project.folder, images_file.documents)
    is_external = external_files(images_file.external.files)
    for path in documents.paths():
        with suppress(FileError):
            document = None if is_external(path) else documents.read(project.folder / path)
            found = () if document is None else find_references(document.content, document.kind).references
            if any(_means_any(reference.target, references, aliases) for reference in found):
                return True
    return False


def _in_template(path: Path, aliases: Collection[str]) -> Iterator[str]:
    content = read_bytes(path)
    cursor = Cursor(content)
    for placeholder in find_placeholders(content):
        if placeholder.alias in aliases:
            line, column = cursor.position(placeholder.start)
            text = content[placeholder.start : placeholder.end].decode()
            yield f"{path}:{line}:{column}: `{text}` is still there"


def _means_any(target: Target, gone: LockedReferences, aliases: Collection[str]) -> bool:
    if isinstance(target, Marked):
        return target.name in aliases
    return isinstance(target, Image) and not isinstance(gone.find(target.reference), NotLocked)


def _in_document(
    path: Path, gone: LockedReferences, aliases: Collection[str], documents: ProjectDocuments
) -> Iterator[str]:
    content = read_bytes(path)
    kind = documents.find_kind(path, content)
    for reference in () if kind is None else find_references(content, kind).references:
        if _means_any(reference.target, gone, aliases):
            place = f"{path}:{reference.position.line}:{reference.position.column}"
            yield f"{place}: `{reference.shown}` is still there"

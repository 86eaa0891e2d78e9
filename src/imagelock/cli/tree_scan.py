"""The documents of a project, scanned: all that git knows or would add, or those that the command line names."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from os.path import normpath
from pathlib import Path

from imagelock.cli.console import Console
from imagelock.cli.progress import watch
from imagelock.cli.reports.search_notes import Unread
from imagelock.cli.text import listing
from imagelock.documents.context import DocumentRules
from imagelock.documents.kinds import find_references
from imagelock.documents.unread import UnreadKind, find_unread_places
from imagelock.errors import DocumentError, FileError
from imagelock.images_file.discovery import ScannedDocument
from imagelock.images_file.own_names import OwnNames
from imagelock.images_file.parser import IMAGES_FILE_NAME, ImagesFile
from imagelock.model.frozen import frozen
from imagelock.project.documents import Document, ProjectDocuments
from imagelock.project.files import read_bytes
from imagelock.project.project import Project
from imagelock.project.work_tree import find_work_tree
from imagelock.rendering.pinned_files import external_files


@frozen
class TreeScan:
    """The documents of a tree, scanned, and what else in it may have images."""

    documents: tuple[ScannedDocument, ...]
    unread: Unread
    names: OwnNames
    """What all documents build, those included that are not shown."""

    @property
    def unreadable(self) -> list[str]:
        """The syntax errors of documents, as ``FILE:LINE:COLUMN: REASON``."""
        problems = ((each.path, problem) for each in self.documents for problem in each.scan.problems)
        return [f"{path}:{it.position.line}:{it.position.column}: {it.reason}" for path, it in problems]


def scan_tree(
    folder: Path,
    console: Console,
    *,
    wants: Callable[[str], bool] = lambda _: True,
    shows: Callable[[str], bool] = lambda _: True,
    rules: DocumentRules | None = None,
    templates: Collection[str] = (),
) -> TreeScan:
    """Scan every document that git knows or would add, by paths relative to the folder.

    Of the wanted files, only those that ``shows`` accepts are returned. ``templates`` are files that imagelock renders;
    what they hold is not called unread.
    """
    found = list(_examine(folder, console, wants=wants, rules=rules, templates=templates))
    documents = [(path, it) for path, it in found if isinstance(it, Document)]
    shown = [(path, it) for path, it in documents if shows(path)]
    unread = Unread(
        files=tuple((path, it.title) for path, it in found if isinstance(it, UnreadKind) and shows(path)),
        places=tuple((path, place) for path, it in shown for place in find_unread_places(it.content, it.kind)),
    )
    names = OwnNames.of((path, it.kind, it.content) for path, it in documents)
    return TreeScan(tuple(_scanned(path, it) for path, it in shown), unread, names)


def scan_project(
    project: Project,
    images_file: ImagesFile,
    console: Console,
    *,
    paths: Sequence[Path] = (),
    excluded: Sequence[str] = (),
    with_exports: bool = False,
) -> TreeScan:
    """Scan the documents of a project as its images.toml says, or those at the paths; nothing that is external."""
    is_external = external_files((*images_file.external.files, *excluded))
    exports = set() if with_exports else {normpath(target.output) for target in images_file.exports}
    tree = scan_tree(
        project.folder,
        console,
        wants=lambda path: path not in exports and not is_external(path),
        shows=below(project.folder, paths) if paths else lambda _: True,
        rules=images_file.documents,
        templates=frozenset(normpath(target.template) for target in images_file.targets),
    )
    places = tuple(each for each in tree.unread.places if not images_file.external.covers(each[1].text, each[1].text))
    return replace(tree, unread=replace(tree.unread, places=places))


def _examine(
    folder: Path,
    console: Console,
    *,
    wants: Callable[[str], bool],
    rules: DocumentRules | None,
    templates: Collection[str],
) -> Iterator[tuple[str, Document | UnreadKind]]:
    documents = ProjectDocuments(folder, rules)
    paths = [path for path in documents.searched_paths() if wants(path)]
    watcher = watch(console, "Searching")
    watcher.expect(paths)
    for path in paths:
        found = documents.examine(folder / path, wants_unread=path not in templates)
        watcher.done(path)
        if found is not None:
            yield path, found
    console.end_progress()


def scan_named(folder: Path, names: Sequence[str], *, rules: DocumentRules | None = None) -> Iterator[ScannedDocument]:
    """Scan files that are named as seen from the working directory; each must be a document that names images.

    ``DocumentError`` for one outside the work tree, which ``render`` would refuse.
    """
    documents = ProjectDocuments(folder, rules)
    tree = find_work_tree(folder) if names else None
    for name in names:
        path = Path(name)
        if tree and (objection := tree.objection(path)):
            raise DocumentError(f"cannot make a template of `{name}`: it {objection}")
        content = read_bytes(path)
        document = _scanned(
            Path(os.path.relpath(path, folder)).as_posix(), Document(content, documents.kind_of_named(path, content))
        )
        _refuse_without_images(document, name)
        yield document


def below(folder: Path, paths: Iterable[Path]) -> Callable[[str], bool]:
    """Return a predicate for paths, relative to the folder, that are one of those or below one of them."""
    wanted = [Path(os.path.relpath(path, folder)).as_posix() for path in paths]
    for path, seen in zip(paths, wanted, strict=True):
        if not path.exists():
            raise FileError(f"cannot scan `{path}`: there is no such file or directory")
        if seen.startswith("../"):
            raise FileError(f"`{path}` is outside the directory of images.toml")
        for parent in (Path(seen), *Path(seen).parents):
            if parent != Path() and (other := folder / parent / IMAGES_FILE_NAME).is_file():
                raise FileError(f"`{path}` belongs to another project, that of {other}", hint="scan it from there")
    return lambda path: any(it in (".", path) or path.startswith(f"{it}/") for it in wanted)


def searched_part(paths: Sequence[Path], excluded: Sequence[str]) -> str:
    """Return the words for the part of a project that was searched, such as `` in api``; nothing for all of it."""
    inside = f" in {listing([str(path) for path in paths])}" if paths else ""
    return f"{inside} outside {listing(excluded)}" if excluded else inside


def no_image(part: str) -> str:
    """Say that the part of the project that was searched has no image."""
    return f"no image{part or ' in any file'}"


def _scanned(path: str, document: Document) -> ScannedDocument:
    return ScannedDocument(path, document.kind, document.content, find_references(document.content, document.kind))


def _refuse_without_images(document: ScannedDocument, name: str) -> None:
    for problem in document.scan.problems:
        place = f"{name}:{problem.position.line}:{problem.position.column}"
        raise DocumentError(f"cannot read {name}", details=[f"{place}: {problem.reason}"])
    if not any(document.images()):
        raise DocumentError(f"the {document.kind.title} {name} names no image")

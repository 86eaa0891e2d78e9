"""The documents of a project: the files that may have references, read by their kinds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath

from imagelock.documents.context import DocumentContext, DocumentRules
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import has_known_name, marked_kind, refuse_unknown_kind
from imagelock.documents.unread import ABSENT, OUTSIDE_LINK, UNREADABLE, UnreadKind, find_unread_kind
from imagelock.errors import FileError
from imagelock.images_file.parser import IMAGES_FILE_NAME
from imagelock.model.frozen import frozen
from imagelock.project.files import read_bytes
from imagelock.project.tree import FileListing, list_files, list_tree

_LARGEST_MARKED = 1024 * 1024
_OWN_FILES = (IMAGES_FILE_NAME, "images.lock")


@frozen
class Document:
    """A file that may have references."""

    content: bytes
    kind: Format


def list_own_files(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, except in folders that have an images.toml of their own."""
    listed = list_files(folder)
    return iter(_own_files(listed, listed))


def _own_files(paths: tuple[str, ...], listed: tuple[str, ...]) -> tuple[str, ...]:
    others = {PurePosixPath(path).parent for path in listed if path.endswith(f"/{IMAGES_FILE_NAME}")}
    return tuple(path for path in paths if others.isdisjoint(PurePosixPath(path).parents)) if others else paths


class ProjectDocuments:
    """Reads documents and finds their kinds, by the rules of images.toml and the files beside each document."""

    def __init__(self, folder: Path, rules: DocumentRules | None = None, *, pending: Pending = None) -> None:
        """Take the folder of images.toml; ``pending`` returns the content of files that are about to be written."""
        self._folder = folder
        self._prefix = "" if folder == Path() else f"{folder.as_posix()}/"
        self._files = _FolderFiles(folder, pending)
        self._context = DocumentContext(self._files, rules or DocumentRules())
        self._elsewhere = DocumentContext()

    def read(self, path: Path) -> Document | None:
        """Return a file that may have references, recognized by its name and its first bytes; None for others."""
        found = self.examine(path, wants_unread=False)
        return found if isinstance(found, Document) else None

    def examine(self, path: Path, *, wants_unread: bool = True) -> Document | UnreadKind | None:
        """Return a document; or the kind of a file that may have references and cannot be read; else None."""
        context, name = self._place(path)
        if context is self._context and name in self._files.unreadable:
            return self._files.unreadable[name]
        may_be_document = context.may_be_document(name)
        content = _read_document(path, name) if may_be_document else _read_small(path)
        if content is None:
            return UNREADABLE if may_be_document and not context.is_passed_over(name) else None
        kind = context.find_kind(name, content) if may_be_document else marked_kind(PurePosixPath(name), content)
        if kind is not None:
            return Document(content, kind)
        return find_unread_kind(name, content) if wants_unread and not context.is_passed_over(name) else None

    def paths(self) -> tuple[str, ...]:
        """Return the project's own files, relative to its folder; they are listed once."""
        return self._files.paths()

    def searched_paths(self) -> tuple[str, ...]:
        """Return these paths, and those that cannot be read, for which ``examine`` returns a kind."""
        return (*self._files.paths(), *_own_files(tuple(self._files.unreadable), self._files.listed))

    def nested_projects(self) -> tuple[str, ...]:
        """List each images.toml further down."""
        return tuple(path for path in self._files.listed if path.endswith(f"/{IMAGES_FILE_NAME}"))

    def find_kind(self, path: Path, content: bytes) -> Format | None:
        """Return the kind of a file with this content; None if it is not a document."""
        context, name = self._place(path)
        return context.find_kind(name, content)

    def kind_of_named(self, path: Path, content: bytes) -> Format:
        """Return the kind of a file that is named in ``[pin]`` or on the command line; ``DocumentError`` if unknown."""
        return self.find_kind(path, content) or refuse_unknown_kind(path)

    def _place(self, path: Path) -> tuple[DocumentContext, str]:
        """Return the context and the name of a file; files outside the project have a context without other files."""
        text = path.as_posix()
        if text.startswith(self._prefix) and text[0] != "/" and os.pardir not in text:  # made of what was listed
            return self._context, text[len(self._prefix) :]
        relative = os.path.relpath(path, self._folder)
        if relative.split(os.sep, 1)[0] == os.pardir:
            return self._elsewhere, path.absolute().as_posix().lstrip("/")  # readers walk up to "", as in a project
        return self._context, Path(relative).as_posix()


Pending = Callable[[Path], bytes | None] | None


def _read_document(path: Path, name: str) -> bytes | None:
    """Return the content of what may be a document; None if it cannot be read and its name does not tell a kind.

    A data file that is too large or closed to this user does not end the search of all others.
    """
    try:
        return read_bytes(path)
    except FileError as error:
        if has_known_name(name):
            hint = "list it under `files` of [external] if it has no images"
            raise FileError(error.message, details=error.details, hint=hint) from error
        return None


def _read_small(path: Path) -> bytes | None:
    """Return a file of no known kind; None for our own files and for large ones, which have no marker comments."""
    if path.name in _OWN_FILES:
        return None
    try:
        return read_bytes(path, max_bytes=_LARGEST_MARKED)
    except FileError:
        return None


class _FolderFiles:
    """The files below a folder, for readers of formats that include other files."""

    def __init__(self, folder: Path, pending: Pending) -> None:
        self._folder = folder
        self._pending = pending
        self._names: dict[str, tuple[str, ...]] = {}

    def read(self, path: str) -> bytes | None:
        """Return a file; None if it cannot be read, or a link or ``..`` leads out of the folder."""
        where = self._folder / path
        if self._pending is not None and (content := self._pending(where)) is not None:
            return content
        folder, _, name = path.rpartition("/")
        if name not in self.names(folder) or not Path(os.path.realpath(where)).is_relative_to(self._root):
            return None
        try:
            return read_bytes(where)
        except FileError:
            return None

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names of the files in a folder, including ignored ones, which compose reads, too."""
        if folder not in self._names:
            try:
                with os.scandir(self._folder / folder) as entries:
                    self._names[folder] = tuple(sorted(entry.name for entry in entries if entry.is_file()))
            except OSError:
                self._names[folder] = ()
        return self._names[folder]

    def paths(self) -> tuple[str, ...]:
        """List the files that git knows or would add."""
        return self._paths

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        return _own_files(self.listed, self.listed)

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """All files that git knows or would add, those of other projects further down included."""
        return self._listing.files

    @cached_property
    def unreadable(self) -> Mapping[str, UnreadKind]:
        """Paths with names of documents that are not read: links to files outside of the work tree, absent files."""
        listing = self._listing
        return dict.fromkeys(listing.outside_links, OUTSIDE_LINK) | dict.fromkeys(listing.sparse, ABSENT)

    @cached_property
    def _listing(self) -> FileListing:
        return list_tree(self._folder)

    @cached_property
    def _root(self) -> Path:
        return Path(os.path.realpath(self._folder))

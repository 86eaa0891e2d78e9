"""The documents of a project: which of its files may have references, and everything that decides about those."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from imagelock.documents.context import DocumentContext, DocumentRules
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import marked_kind, refuse_unknown_kind
from imagelock.documents.unread import UnreadKind, find_unread_kind
from imagelock.errors import FileError
from imagelock.images_file.parser import IMAGES_FILE_NAME
from imagelock.model.frozen import frozen
from imagelock.project.files import read_bytes
from imagelock.project.tree import list_files

_LARGEST_MARKED = 1024 * 1024
_OWN_FILES = (IMAGES_FILE_NAME, "images.lock")


@frozen
class Document:
    """A file that may have references."""

    content: bytes
    kind: Format


def list_own_files(folder: Path) -> Iterator[str]:
    """List the files below a folder, except in folders with an images.toml of their own, whose business they are."""
    return iter(_own_files(list_files(folder)))


def _own_files(listed: tuple[str, ...]) -> tuple[str, ...]:
    others = {PurePosixPath(path).parent for path in listed if path.endswith(f"/{IMAGES_FILE_NAME}")}
    return tuple(path for path in listed if others.isdisjoint(PurePosixPath(path).parents)) if others else listed


class ProjectDocuments:
    """Reads documents and tells their kinds, by the rules of images.toml and the files around each of them."""

    def __init__(self, folder: Path, rules: DocumentRules | None = None, *, pending: Pending = None) -> None:
        """Take the folder of images.toml; ``pending`` gives what a file will hold that is going to be written."""
        self._folder = folder
        self._prefix = "" if folder == Path() else f"{folder.as_posix()}/"
        self._files = _FolderFiles(folder, pending)
        self._context = DocumentContext(self._files, rules or DocumentRules())
        self._elsewhere = DocumentContext()

    def read(self, path: Path) -> Document | None:
        """Read a file if it is, by its name or by what it begins with, one that may have references."""
        found = self.examine(path, wants_unread=False)
        return found if isinstance(found, Document) else None

    def examine(self, path: Path, *, wants_unread: bool = True) -> Document | UnreadKind | None:
        """Read a file if it may have references, and tell if it looks so although its kind is not read."""
        context, name = self._place(path)
        may_be_document = context.may_be_document(name)
        content = read_bytes(path) if may_be_document else _read_small(path)
        if content is None:
            return None
        kind = context.find_kind(name, content) if may_be_document else marked_kind(PurePosixPath(name), content)
        if kind is not None:
            return Document(content, kind)
        return find_unread_kind(name, content) if wants_unread and not context.is_passed_over(name) else None

    def paths(self) -> tuple[str, ...]:
        """List the project's own files, relative to its folder; the listing is made once."""
        return self._files.paths()

    def nested_projects(self) -> tuple[str, ...]:
        """List each images.toml further down."""
        return tuple(path for path in self._files.listed if path.endswith(f"/{IMAGES_FILE_NAME}"))

    def find_kind(self, path: Path, content: bytes) -> Format | None:
        """Tell the kind of a file that has this content; ``None``: it is no document."""
        context, name = self._place(path)
        return context.find_kind(name, content)

    def kind_of_named(self, path: Path, content: bytes) -> Format:
        """Tell the kind of a file that is named in ``[pin]`` or on the command line; ``DocumentError``: unknown."""
        return self.find_kind(path, content) or refuse_unknown_kind(path)

    def _place(self, path: Path) -> tuple[DocumentContext, str]:
        """Find out how the project calls a file; nothing is known about the files around one outside of its folder."""
        text = path.as_posix()
        if text.startswith(self._prefix) and text[0] != "/" and os.pardir not in text:  # made of what was listed
            return self._context, text[len(self._prefix) :]
        relative = os.path.relpath(path, self._folder)
        if relative.split(os.sep, 1)[0] == os.pardir:
            return self._elsewhere, path.absolute().as_posix()
        return self._context, Path(relative).as_posix()


Pending = Callable[[Path], bytes | None] | None


def _read_small(path: Path) -> bytes | None:
    """Read a file of no known kind; ``None`` for one of ours, and for a large one: none with marker comments is."""
    if path.name in _OWN_FILES:
        return None
    try:
        return read_bytes(path, max_bytes=_LARGEST_MARKED)
    except FileError:
        return None


class _FolderFiles:
    """The files below a folder, as the readers of formats ask for them."""

    def __init__(self, folder: Path, pending: Pending) -> None:
        self._folder = folder
        self._pending = pending
        self._names: dict[str, tuple[str, ...]] = {}

    def read(self, path: str) -> bytes | None:
        """Read a file; ``None`` if it can't be read, or a link or ``..`` leads out of the folder."""
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
        """List the names of the files in a folder; git may ignore them, compose reads them all the same."""
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
        return _own_files(self.listed)

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """All files that git knows or would add, those of other projects further down included."""
        return list_files(self._folder)

    @cached_property
    def _root(self) -> Path:
        return Path(os.path.realpath(self._folder))

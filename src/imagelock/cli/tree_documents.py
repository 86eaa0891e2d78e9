"""The documents in a project's tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from imagelock.documents.kinds import DocumentKind, detect_kind
from imagelock.files import read_bytes
from imagelock.images_file.parser import IMAGES_FILE_NAME
from imagelock.model.frozen import frozen
from imagelock.tree import list_files

_YAML_SUFFIXES = (".yml", ".yaml")


@frozen
class Document:
    """A file that may have references."""

    content: bytes
    kind: DocumentKind


def list_own_files(folder: Path) -> Iterator[str]:
    """List the files below a folder, except in folders with an images.toml of their own, whose business they are."""
    paths = [PurePosixPath(path) for path in list_files(folder)]
    others = {path.parent for path in paths if path.name == IMAGES_FILE_NAME and len(path.parts) > 1}
    return (str(path) for path in paths if others.isdisjoint(path.parents))


def read_document(path: Path) -> Document | None:
    """Read a file if it is, by its name or by what it begins with, one that may have references."""
    where = path.absolute()
    if path.suffix.lower() not in _YAML_SUFFIXES and detect_kind(where, b"") is None:
        return None
    content = read_bytes(path)
    kind = detect_kind(where, content)
    return None if kind is None else Document(content, kind)

"""What images.toml says about files that have no template: ``[pin]``, and what is none of our business: ``[external]``.

Paths are patterns, relative to the folder of images.toml: ``*`` stays in its folder, ``**`` goes through all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import normpath
from typing import Any

from imagelock.errors import InvalidReferenceError
from imagelock.images_file.toml import Problems, TableReader
from imagelock.model.frozen import frozen
from imagelock.model.reference import parse_reference


@frozen(kw_only=True)
class PinDeclaration:
    """The files whose plain references get their digests in place; a file may be in both lists."""

    files: tuple[str, ...] = ()
    digest_only: tuple[str, ...] = ()
    """Files whose readers refuse a tag beside a digest."""

    @property
    def names_files(self) -> bool:
        """Whether there is anything to pin."""
        return bool(self.files or self.digest_only)


@frozen(kw_only=True)
class ExternalDeclaration:
    """What looks like ours and is not."""

    names: tuple[str, ...] = ()
    """References that a build brings its own content for, such as BuildKit's named contexts."""
    files: tuple[str, ...] = ()
    """Files whose references nobody wants locked, such as those of tests."""


def read_pins(table: Mapping[str, Any], problems: Problems) -> PinDeclaration:
    """Read ``[pin]``."""
    reader = TableReader(table, ("pin",), problems)
    files, digest_only = _read_patterns(reader, "files"), _read_patterns(reader, "digest-only")
    reader.refuse_other_keys()
    return PinDeclaration(files=files, digest_only=digest_only)


def read_external(table: Mapping[str, Any], problems: Problems) -> ExternalDeclaration:
    """Read ``[external]``."""
    reader = TableReader(table, ("external",), problems)
    names, files = reader.texts("names") or (), _read_patterns(reader, "files")
    for name in names:
        _check_name(name, reader)
    reader.refuse_other_keys()
    return ExternalDeclaration(names=names, files=files)


def _check_name(name: str, reader: TableReader) -> None:
    try:
        parse_reference(name)
    except InvalidReferenceError as error:
        reader.add("names", error.message, hint=error.hint)


def _read_patterns(reader: TableReader, key: str) -> tuple[str, ...]:
    patterns: list[str] = []
    for text in reader.texts(key) or ():
        problem = _find_problem(text) or ("is there twice" if normpath(text) in patterns else None)
        if problem:
            reader.add(key, f'"{text}" {problem}')
        else:
            patterns.append(normpath(text))
    return tuple(patterns)


def _find_problem(text: str) -> str | None:
    if not text:
        return "names no file"
    if text.startswith("/"):
        return "is an absolute path: write it relative to the folder of this file"
    if "\\" in text:
        return "has a backslash: write `/` between folders"
    return f"names a folder: write `{text}**` for all files in it" if text.endswith("/") else None

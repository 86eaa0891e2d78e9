"""``[pin]`` of images.toml: files without a template, whose references get their digests in place.

Paths are patterns, relative to the folder of images.toml: ``*`` stays in its folder, ``**`` goes through all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import normpath
from typing import Any

from imagelock.images_file.toml import Problems, TableReader
from imagelock.model.frozen import frozen


@frozen(kw_only=True)
class PinDeclaration:
    """Patterns of the files whose references get their digests in place; a file may match both lists."""

    files: tuple[str, ...] = ()
    digest_only: tuple[str, ...] = ()
    """Files whose readers refuse a tag beside a digest."""

    @property
    def names_files(self) -> bool:
        """Whether there is anything to pin."""
        return bool(self.files or self.digest_only)


def read_pins(table: Mapping[str, Any], problems: Problems) -> PinDeclaration:
    """Read ``[pin]``."""
    reader = TableReader(table, ("pin",), problems)
    files, digest_only = read_patterns(reader, "files"), read_patterns(reader, "digest-only")
    reader.refuse_other_keys()
    return PinDeclaration(files=files, digest_only=digest_only)


def read_patterns(reader: TableReader, key: str) -> tuple[str, ...]:
    """Read an array of patterns for paths, normalized; each must stay below the folder of images.toml."""
    patterns: list[str] = []
    for text in reader.texts(key) or ():
        problem = find_pattern_problem(text) or ("is there twice" if normpath(text) in patterns else None)
        if problem:
            reader.add(key, f'"{text}" {problem}')
        else:
            patterns.append(normpath(text))
    return tuple(patterns)


def find_pattern_problem(text: str) -> str | None:
    """Return what is wrong with a pattern for paths, as words that follow it; ``None`` if it is right."""
    if not text:
        return "names no file"
    if text.startswith("/"):
        return "is an absolute path: write it relative to the directory of this file"
    if "\\" in text:
        return "has a backslash: write `/` between directories"
    return f"names a directory: write `{text}**` for all files in it" if text.endswith("/") else None

"""In which lines of a TOML text does a key stand? The standard library's parser doesn't tell.

It does tell whether some lines are a whole statement, though. So the parser itself is our tokenizer, exact for every
form that TOML has, and takes its time only where there is an error to report or a line to edit.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from imagelock.images_file.toml import Path
from imagelock.model.frozen import frozen

_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$", re.ASCII)


@frozen
class Statement:
    """A header, or a key and its value; a blank line or a comment, too, which is about no key."""

    first_line: int
    """Counted from 1."""
    last_line: int
    is_header: bool
    paths: tuple[Path, ...]
    """All keys that it sets, each behind the tables in which it stands."""


def find_lines(text: str) -> dict[Path, int]:
    """Map each key of a valid TOML text to the line, counted from 1, in which the first statement about it begins."""
    found: dict[Path, int] = {}
    for statement in find_statements(text):
        for path in statement.paths:
            found.setdefault(path, statement.first_line)
    return found


def nearest_line(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a key; of one that isn't written, the line of the table that lacks it."""
    return next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), 1)


def find_statements(text: str) -> Iterator[Statement]:
    """Split a valid TOML text where its statements end."""
    table: Path = ()
    for first_line, last_line, content in _split(text):
        is_header = content.lstrip().startswith("[")
        paths = tuple(_paths(tomllib.loads(content), () if is_header else table))
        if is_header:
            table = paths[-1]
        yield Statement(first_line, last_line, is_header, paths)


def split_position(error: Exception, text: str) -> tuple[str, int]:
    """Take the parser's message apart into what is wrong and in which line."""
    message = str(error)
    match = _POSITION.search(message)
    if match is None:
        return message, 1
    return message[: match.start()], int(match[1]) if match[1] else text.rstrip("\n").count("\n") + 1


def _split(text: str) -> Iterator[tuple[int, int, str]]:
    """Give the lines of each statement, and its text: no beginning of one that takes several is valid by itself."""
    content, first_line = "", 1
    for line, added in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        content += f"{added}\n"
        try:
            tomllib.loads(content)
        except tomllib.TOMLDecodeError:
            continue
        yield first_line, line, content
        content, first_line = "", line + 1


def _paths(value: Mapping[str, Any], parent: Path) -> Iterator[Path]:
    for key, child in value.items():
        yield (*parent, key)
        if isinstance(child, dict):
            yield from _paths(child, (*parent, key))

"""In which line of a TOML text does a key stand? The standard library's parser doesn't tell.

It does tell whether some lines are a whole statement, though. So the parser itself is our tokenizer, exact for every
form that TOML has, and takes its time only where there is an error to report.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from imagelock.toml_fields import Path

_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$", re.ASCII)


def find_lines(text: str) -> dict[Path, int]:
    """Map each key of a valid TOML text to the line, counted from 1, in which the first statement about it begins."""
    found: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        is_header = statement.lstrip().startswith("[")
        paths = list(_paths(tomllib.loads(statement), () if is_header else table))
        for path in paths:
            found.setdefault(path, line)
        if is_header:
            table = paths[-1]
    return found


def nearest_line(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a key; of one that isn't written, the line of the table that lacks it."""
    return next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), 1)


def split_position(error: Exception, text: str) -> tuple[str, int]:
    """Take the parser's message apart into what is wrong and in which line."""
    message = str(error)
    match = _POSITION.search(message)
    if match is None:
        return message, 1
    return message[: match.start()], int(match[1]) if match[1] else text.rstrip("\n").count("\n") + 1


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Split a text where its statements end: no beginning of one that takes several lines is valid by itself."""
    statement, first_line = "", 1
    for line, content in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        statement += f"{content}\n"
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        yield first_line, statement
        statement, first_line = "", line + 1


def _paths(value: Mapping[str, Any], parent: Path) -> Iterator[Path]:
    for key, child in value.items():
        yield (*parent, key)
        if isinstance(child, dict):
            yield from _paths(child, (*parent, key))

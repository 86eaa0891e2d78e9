"""In which line of a TOML text does a key stand? The standard library's parser doesn't tell.

It does tell whether a text is valid, though, and the first lines of a valid text are valid again wherever a statement
ends. A key stands right behind the longest such beginning that doesn't have it yet. So the parser itself is our
tokenizer, exact for every form that TOML has, and takes its time only where there is an error to report.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$", re.ASCII)


def line_of(text: str, path: Sequence[str]) -> int | None:
    """Return the line, counted from 1, in which the statement begins that first writes the key at ``path``."""
    lines = text.split("\n")

    def is_written_within(count: int) -> bool:
        return _holds(_longest_beginning(lines, count)[1], path)

    count = bisect_left(range(len(lines) + 1), True, key=is_written_within)  # noqa: FBT003  the value that is searched
    return None if count > len(lines) else _longest_beginning(lines, count - 1)[0] + 1


def split_position(error: tomllib.TOMLDecodeError, text: str) -> tuple[str, int]:
    """Take the parser's message apart into what is wrong and in which line."""
    message = str(error)
    match = _POSITION.search(message)
    if match is None:
        return message, 1
    return message[: match.start()], int(match[1]) if match[1] else text.rstrip("\n").count("\n") + 1


def _longest_beginning(lines: Sequence[str], count: int) -> tuple[int, Mapping[str, Any]]:
    """Find the longest valid TOML among the first ``count`` lines or fewer: its length, and what it says."""
    while True:
        try:
            return count, tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            count -= 1


def _holds(value: object, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True

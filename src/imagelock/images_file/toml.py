"""Typed reads from a parsed TOML table that collect every problem instead of stopping at the first."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from imagelock.errors import did_you_mean
from imagelock.model.frozen import frozen

Path = tuple[str, ...]
_FIRST_PRINTABLE = ord(" ")
_DELETE_AND_C1 = range(0x7F, 0xA0)
LONGEST_LINE = 100
"""Characters of a list on one line; longer ones get a line for each text."""


@frozen
class Problem:
    """A problem at a key, as a sentence that follows ``images.node.platforms:``."""

    path: Path
    sentence: str
    hint: str | None = None
    details: tuple[str, ...] = ()


class Problems:
    """Collects the problems of one file."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, path: Path, sentence: str, *, hint: str | None = None, details: Iterable[str] = ()) -> None:
        """Add a problem at a key."""
        self.found.append(Problem(path, sentence, hint, tuple(details)))


def refuse_control_characters(value: object, problems: Problems, path: Path = ()) -> None:
    """Add a problem for each key and text with a control character, which no reader of the file would see.

    Only the reason of a freeze may have several lines. A key with another problem gets no second one.
    """
    if problems.found and any(problem.path == path for problem in problems.found):
        return
    match value:
        case dict():
            for key, inner in value.items():
                if _has_control_character(key):
                    problems.add((*path, key), "has a control character")
                refuse_control_characters(inner, problems, (*path, key))
        case list():
            for inner in value:
                refuse_control_characters(inner, problems, path)
        case str() if _has_control_character(value.replace("\n", "") if path[-1:] == ("freeze",) else value):
            problems.add(path, "has a text with a control character")
        case _:
            pass


def _has_control_character(text: str) -> bool:
    return not text.isprintable() and any(ord(sign) < _FIRST_PRINTABLE or ord(sign) in _DELETE_AND_C1 for sign in text)


class TableReader:
    """Reads the keys of one table by their types; ``refuse_other_keys`` then reports the keys that are left."""

    def __init__(self, table: Mapping[str, Any], path: Path, problems: Problems) -> None:
        self._table = table
        self._known: list[str] = []
        self.path = path
        self.problems = problems

    def text(self, key: str) -> str | None:
        """Read a string, or None where the key is missing or is no string (then a problem is added)."""
        found: str | None = self._read(key, str, "a string")
        return found

    def boolean(self, key: str) -> bool | None:
        """Read ``true`` or ``false``, or None."""
        found: bool | None = self._read(key, bool, "true or false")
        return found

    def integer(self, key: str) -> int | None:
        """Read a whole number, or None."""
        found: int | None = self._read(key, int, "a whole number")
        return found

    def date(self, key: str) -> date | None:
        """Read a day, written without quotation marks, or None."""
        found: date | None = self._read(key, date, "a day such as 2027-01-31, without quotation marks")
        return found

    def table(self, key: str) -> Mapping[str, Any]:
        """Read a table; an empty one where the key is missing or is no table (then a problem is added)."""
        found: Mapping[str, Any] | None = self._read(key, dict, "a table")
        return found or {}

    def texts(self, key: str, *, what: str = "an array of strings") -> tuple[str, ...] | None:
        """Read an array of strings, or None."""
        values: list[object] | None = self._read(key, list, what)
        if values is None:
            return None
        if not all(isinstance(value, str) for value in values):
            self.add(key, f"must be {what}")
            return None
        return tuple(str(value) for value in values)

    def raw(self, key: str) -> object:
        """Read a value of whatever type; the caller looks at it."""
        self._known.append(key)
        return self._table.get(key)

    def has(self, key: str) -> bool:
        """Whether the table has the key."""
        return key in self._table

    def keys(self) -> tuple[str, ...]:
        """All keys, for tables whose keys are names."""
        return tuple(self._table)

    def items(self) -> Iterator[tuple[str, Any]]:
        """All keys with their values."""
        return iter(self._table.items())

    def add(self, key: str, sentence: str, *, hint: str | None = None, details: Iterable[str] = ()) -> None:
        """Add a problem at one of this table's keys."""
        self.problems.add((*self.path, key), sentence, hint=hint, details=details)

    def refuse_other_keys(self) -> None:
        """Add a problem for each key that was not read: a misspelled key must not be ignored silently."""
        for key in self._table:
            if key not in self._known:
                self.add(key, f"is not a known key{did_you_mean(key, self._known)}")

    def _read(self, key: str, wanted: type, what: str) -> Any:  # noqa: ANN401  the callers narrow it
        self._known.append(key)
        value = self._table.get(key)
        if value is None or type(value) is wanted:
            return value
        self.add(key, f"must be {what}")
        return None


_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$", re.ASCII)


def find_lines(text: str) -> dict[Path, int]:
    """Map each key of a valid TOML text to the line, counted from 1, in which the first statement about it begins."""
    found: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _split(text):
        is_header = statement.lstrip().startswith("[")
        paths = tuple(_paths(tomllib.loads(statement), () if is_header else table))
        if is_header:
            table = paths[-1]
        for path in paths:
            found.setdefault(path, line)
    return found


def nearest_line(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a key; of one that isn't written, the line of the table that lacks it."""
    return next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), 1)


def entry_line(text: str, first: int, entry: str) -> int:
    """Return the line of a string in the array that begins in line ``first``; that line if it is not found."""
    written = (quote(entry), f"'{entry}'")
    rest = enumerate(text.split("\n")[first - 1 :], start=first)
    return next((number for number, line in rest if any(each in line for each in written)), first)


def split_position(error: Exception, text: str) -> tuple[str, int]:
    """Split a message of the parser into what is wrong and the line."""
    message = str(error)
    match = _POSITION.search(message)
    if match is None:
        return message, 1
    return message[: match.start()], int(match[1]) if match[1] else text.rstrip("\n").count("\n") + 1


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Yield each statement with its first line: lines are joined until they are valid TOML."""
    content, first_line = "", 1
    for line, added in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        content += f"{added}\n"
        try:
            tomllib.loads(content)
        except tomllib.TOMLDecodeError:
            continue
        yield first_line, content
        content, first_line = "", line + 1


def _paths(value: Mapping[str, Any], parent: Path) -> Iterator[Path]:
    for key, child in value.items():
        yield (*parent, key)
        if isinstance(child, dict):
            yield from _paths(child, (*parent, key))


EXAMPLE = '# golang = "golang:1.22"'
"""What a first images.toml has in the place of images, where none was found."""


def quote(text: str) -> str:
    """Return a basic string of TOML, with line breaks escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if not escaped.isprintable():
        escaped = "".join(sign if sign.isprintable() else f"\\U{ord(sign):08X}" for sign in escaped)
    return f'"{escaped}"'


def array(texts: Iterable[str]) -> str:
    """Return an array of strings on one line."""
    return f"[{', '.join(map(quote, texts))}]"


def list_lines(key: str, texts: Sequence[str]) -> list[str]:
    """Yield a key with its list: on one line if it is short or has one text, else one text a line."""
    line = f"{key} = {array(texts)}"
    if len(texts) == 1 or (len(line) <= LONGEST_LINE and key != "files"):
        return [line]
    return [f"{key} = [", *(f"    {quote(text)}," for text in texts), "]"]

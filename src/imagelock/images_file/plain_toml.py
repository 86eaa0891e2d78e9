"""Reads TOML: in its plain form, which nearly all of our files have, in a fifth of the time of the general parser.

`tomllib` is written in Python, and reading a lock of 100 images with it took a fifth of ``imagelock check``. Plain are
tables, and keys on a line of their own with a string, a whole number, ``true`` or ``false``, an array of strings, or
braces around strings, numbers and such words. Strings are in double quotation marks and have no backslash. Any other
text is read by `tomllib`, and so is every text that is wrong in any way: that parser alone says what is valid and what
an error says.
"""

from __future__ import annotations

import re
from typing import Any

# No repetition gives back what it took (`*+`), so that the time grows with the text, not with its square.
_BLANKS = r"[ \t]*+"
_STRING = r'"[^"\\\n]*+"'
_BARE_KEY = r"[A-Za-z0-9_-]++"
_KEY = f"(?:{_BARE_KEY}|{_STRING})"
_SIMPLE = f"{_STRING}|[a-z0-9]++"
_ARRAY = rf"\[(?:[ \t\n,]++|{_STRING})*+\]"
_BRACES = rf'{{(?:[^"{{}}\n]++|{_STRING})*+}}'
_LINE = re.compile(
    rf"[ \t\n]*+(?:(?:({_KEY}){_BLANKS}={_BLANKS}({_SIMPLE}|{_ARRAY}|{_BRACES})|\[({_KEY}(?:\.{_KEY}){{0,3}}+)\])?+"
    rf"{_BLANKS}(?:#.*+)?+(?:\n|\Z)|(.))"
)
"""A line by its key and value, or by the name of its table; or the beginning of one that is not plain."""
_PAIR = re.compile(rf"{_BLANKS}({_BARE_KEY}){_BLANKS}={_BLANKS}({_SIMPLE}){_BLANKS}(?:,(?!\Z)|\Z)|(.)")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MOST_DIGITS = 18
_Table = dict[str, Any]


class _NotPlainError(Exception):
    """The text is not plain, or not valid."""


def load_toml(text: str) -> dict[str, Any]:
    """Read a TOML text: what ``tomllib.loads`` returns, and the errors that it raises."""
    try:
        return _load_plain(text.replace("\r\n", "\n"))
    except _NotPlainError:
        import tomllib  # noqa: PLC0415  most texts are plain

        return tomllib.loads(text)


def _load_plain(text: str) -> _Table:
    if _CONTROL_CHARACTER.search(text):
        raise _NotPlainError
    document: _Table = {}
    by_path: dict[tuple[str, ...], _Table] = {(): document}
    table = document
    for line in _LINE.finditer(text):
        key, value, header, rest = line.groups()
        if key:
            _add(table, _unquoted(key), value[1:-1] if value[0] == '"' else _read_value(value))
        elif header:
            table = _open_table(header, by_path)
        elif rest:
            raise _NotPlainError
    return document


def _unquoted(text: str) -> str:
    return text[1:-1] if text[0] == '"' else text


def _add(table: _Table, key: str, value: object) -> None:
    if key in table:
        raise _NotPlainError
    table[key] = value


def _open_table(header: str, by_path: dict[tuple[str, ...], _Table]) -> _Table:
    """Make the table of a header, and those around it that have no header; ``by_path`` has all of them."""
    path: tuple[str, ...] = ()
    keys = [_unquoted(key) for key in re.findall(_KEY, header)] if '"' in header else header.split(".")
    for depth, key in enumerate(keys, start=1):
        parent, path = by_path[path], (*path, key)
        if path not in by_path or depth == len(keys):
            by_path[path] = {}
            _add(parent, key, by_path[path])
    return by_path[path]


def _read_value(text: str) -> object:
    if text[0] == '"':
        return text[1:-1]
    if text[0] == "{":
        return _read_braces(text[1:-1])
    if text[0] == "[":
        return _read_array(text[1:-1])
    if text in ("true", "false"):
        return text == "true"
    if not text.isdecimal() or len(text) > _MOST_DIGITS or (text[0] == "0" and text != "0"):
        raise _NotPlainError
    return int(text)


def _read_braces(inside: str) -> _Table:
    table: _Table = {}
    for key, value, rest in _PAIR.findall(inside):
        if rest:
            raise _NotPlainError
        _add(table, key, _read_value(value))
    return table


def _read_array(inside: str) -> list[str]:
    """Read strings with a comma between them, and maybe one behind the last."""
    before, *parts = inside.split('"')
    texts, separators = parts[::2], [separator.strip(" \t\n") for separator in parts[1::2]]
    if before.strip(" \t\n") or set(separators[:-1]) - {","} or set(separators[-1:]) - {"", ","}:
        raise _NotPlainError
    return texts

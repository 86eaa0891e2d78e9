"""Glob patterns for paths, as in git and shells: ``*`` matches within a folder, ``**`` any number of folders."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPECIAL = re.compile(r"[*?\[\\]")
_SPECIAL_IN_A_SET = re.compile(r"[\[\]\\^&~|]")
_WILD = re.compile(r"[*?\[]")
_TOKEN = re.compile(r"(?P<any>\*+)|(?P<one>\?)|(?P<set>\[[!^]?\]?[^\]/]*\])|\\(?P<escaped>.)|(?P<plain>.)", re.DOTALL)


def is_wild(pattern: str) -> bool:
    """Return whether a pattern has wildcards."""
    return _WILD.search(pattern) is not None


def split_fixed(pattern: str) -> tuple[str, str]:
    """Return the leading folders without wildcards, perhaps empty, and the rest: ``("deploy", "**/*.yaml")``."""
    parts = pattern.split("/")
    fixed = next((index for index, part in enumerate(parts) if is_wild(part)), len(parts) - 1)
    return "/".join(parts[:fixed]), "/".join(parts[fixed:])


def compile_glob(pattern: str) -> re.Pattern[str]:
    """Return a regular expression for ``fullmatch`` on paths with slashes. Every pattern is valid."""
    return re.compile("".join(_pieces(pattern.split("/"))), re.DOTALL)


def escape_glob(path: str) -> str:
    """Return the pattern that matches this path alone."""
    return _SPECIAL.sub(_escape, path)


def _pieces(parts: list[str]) -> Iterator[str]:
    *folders, last = parts
    for part in folders:
        yield "(?:[^/]+/)*" if part == "**" else f"{_part(part)}/"
    yield ".+" if last == "**" else _part(last)


def _part(part: str) -> str:
    return "".join(map(_token, _TOKEN.finditer(part)))


def _token(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "any":
            return "[^/]*"
        case "one":
            return "[^/]"
        case "set":
            return _character_set(match["set"][1:-1])
        case name:
            return re.escape(match[name or 0])


def _character_set(inside: str) -> str:
    negation = "^/" if inside[0] in "!^" else ""
    members = inside[1:] if negation else inside
    expression = f"[{negation}{_SPECIAL_IN_A_SET.sub(_escape, members)}]"
    try:
        re.compile(expression)
    except re.error:  # such as [z-a], which matches nothing
        return "(?!)"
    return expression


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[0]}"

"""Patterns for paths, as git, editors and shells read them: ``*`` stays in its folder, ``**`` goes through all."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MEANS_SOMETHING = re.compile(r"[*?\[\\]")
_MEANS_SOMETHING_IN_A_SET = re.compile(r"[\[\]\\^&~|]")
_WILD = re.compile(r"[*?\[]")
_TOKEN = re.compile(r"(?P<any>\*+)|(?P<one>\?)|(?P<set>\[[!^]?\]?[^\]/]*\])|\\(?P<escaped>.)|(?P<plain>.)", re.DOTALL)


def is_wild(pattern: str) -> bool:
    """Whether it is more than the name of one file."""
    return _WILD.search(pattern) is not None


def split_fixed(pattern: str) -> tuple[str, str]:
    """Split off the folders in front that have no wildcard: ``("deploy", "**/*.yaml")``; the first may be empty."""
    parts = pattern.split("/")
    fixed = next((index for index, part in enumerate(parts) if is_wild(part)), len(parts) - 1)
    return "/".join(parts[:fixed]), "/".join(parts[fixed:])


def compile_glob(pattern: str) -> re.Pattern[str]:
    """Make a regular expression for ``fullmatch`` on paths with slashes. No pattern raises anything."""
    return re.compile("".join(_pieces(pattern.split("/"))), re.DOTALL)


def escape_glob(path: str) -> str:
    """Make a pattern that means just this path."""
    return _MEANS_SOMETHING.sub(_escape, path)


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
    expression = f"[{negation}{_MEANS_SOMETHING_IN_A_SET.sub(_escape, members)}]"
    try:
        re.compile(expression)
    except re.error:  # such as [z-a], which matches nothing
        return "(?!)"
    return expression


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[0]}"

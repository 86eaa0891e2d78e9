"""What .gitignore files say, for folders where git itself can't be asked (https://git-scm.com/docs/gitignore)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from imagelock.globs import compile_glob, escape_glob
from imagelock.model.frozen import frozen

_TRAILING_BLANKS = re.compile(r"(?<!\\)[ \t\r]+$")


@frozen
class IgnoreRule:
    """One line of a .gitignore."""

    pattern: re.Pattern[str]
    """For paths relative to the folder in which the walk began."""
    is_exception: bool
    is_for_folders: bool


def parse_ignore_rules(text: str, folder: str) -> tuple[IgnoreRule, ...]:
    """Read the .gitignore of a folder, which is ``""`` where the walk began, or a path."""
    lines = (_TRAILING_BLANKS.sub("", line) for line in text.split("\n"))
    return tuple(_parse_rule(line, folder) for line in lines if line.strip("/!") and not line.startswith("#"))


def is_ignored(path: str, rules: Iterable[IgnoreRule], *, is_folder: bool) -> bool:
    """Decide for a path by the last rule about it; nobody needs to ask for what lies in an ignored folder."""
    answer = False
    for rule in rules:
        if (is_folder or not rule.is_for_folders) and rule.pattern.fullmatch(path):
            answer = not rule.is_exception
    return answer


def _parse_rule(line: str, folder: str) -> IgnoreRule:
    is_exception = line.startswith("!")
    written = line.removeprefix("!")
    pattern = written.rstrip("/")
    if "/" not in pattern:
        pattern = f"**/{pattern}"
    below = f"{escape_glob(folder)}/" if folder else ""
    return IgnoreRule(compile_glob(below + pattern.removeprefix("/")), is_exception, written.endswith("/"))

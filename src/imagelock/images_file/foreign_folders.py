"""Folders whose files came from elsewhere or are the inputs of tests: their images are not the project's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

_FOREIGN = re.compile(
    r"vendor(ed)?|third[-_]?party|node_modules|bower_components|\.terraform"
    r"|tests?[-_]?(data|fixtures?|files|resources|inputs|cases)|(__)?fixtures?(__)?|(__)?snapshots?__|goldens?"
)
_TESTS = re.compile(r"tests?|testing|specs?|e2e")
_INPUTS = re.compile(r"data|examples?|samples?|files|resources|inputs|cases|corpus")
"""Names that say nothing by themselves, but are inputs below a folder of tests."""


def find_foreign_folders(paths: Iterable[str]) -> tuple[str, ...]:
    """Find the topmost such folder of each path, sorted."""
    found = (folder for path in paths if (folder := _foreign_folder(path)) is not None)
    return tuple(sorted(set(found)))


def is_foreign(path: str) -> bool:
    """Whether a path lies below such a folder."""
    return _foreign_folder(path) is not None


def is_in_folders(path: str, folders: Collection[str]) -> bool:
    """Whether a path lies below one of the folders."""
    return any(path.startswith(f"{folder}/") for folder in folders)


def _foreign_folder(path: str) -> str | None:
    parts = PurePosixPath(path).parts[:-1]
    is_below_tests = False
    for depth, part in enumerate(parts, start=1):
        name = part.lower()
        if _FOREIGN.fullmatch(name) or (is_below_tests and _INPUTS.fullmatch(name)):
            return "/".join(parts[:depth])
        is_below_tests = is_below_tests or _TESTS.fullmatch(name) is not None
    return None

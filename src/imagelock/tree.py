"""Which files belong to a project: what git tracks, or would track if it were added."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from imagelock.errors import FileError
from imagelock.git import run_git
from imagelock.ignore_rules import IgnoreRule, is_ignored, parse_ignore_rules

_NEVER_OURS = frozenset({".git", ".hg", ".svn", ".venv", "__pycache__", "node_modules"})


def list_files(folder: Path) -> tuple[str, ...]:
    """List the files below a folder, sorted, relative to it, with slashes.

    Links are left out, as are git's submodules: what they lead to belongs to somebody else, or is listed under its
    own name. ``.dockerignore`` is not read: it says what a build doesn't need, and often names the Dockerfile itself.
    """
    # git lists nothing where the whole folder is ignored; whoever works there still wants an answer.
    listed = _ask_git(folder) or _walk(folder, "", ())
    return tuple(sorted(set(listed)))


def _ask_git(folder: Path) -> list[str] | None:
    try:
        listing = run_git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except FileError:
        return None
    paths = map(os.fsdecode, (listing or b"").split(b"\0"))
    return [path for path in paths if path and _is_file(folder / path)]


def _walk(root: Path, folder: str, rules: tuple[IgnoreRule, ...]) -> Iterator[str]:
    here = root / folder
    rules += _rules_of(here, folder)
    for entry in _entries(here):
        path = f"{folder}/{entry.name}" if folder else entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_ignored(path, rules, is_folder=is_folder):
            continue
        if entry.is_file(follow_symlinks=False):
            yield path
        elif is_folder and entry.name not in _NEVER_OURS:
            yield from _walk(root, path, rules)


def _rules_of(here: Path, folder: str) -> tuple[IgnoreRule, ...]:
    try:
        return parse_ignore_rules((here / ".gitignore").read_text("utf-8", "replace"), folder)
    except OSError:
        return ()


def _entries(here: Path) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(here) as entries:
            return list(entries)
    except OSError:
        return ()  # a folder that can't be read, or has just gone, has no files for us


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()

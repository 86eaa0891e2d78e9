"""Whether git ignores images.lock, so that it is never committed.

Starting git takes longer than the rest of `check`, so it is started only if a line of an ignore file could match.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from imagelock.errors import FileError
from imagelock.project.files import read_bytes
from imagelock.project.work_tree import find_work_tree


def find_ignored(path: Path) -> str | None:
    """Return a warning if git ignores a lockfile; None if it does not, or git cannot say."""
    if not _is_ignored(path):
        return None
    return f"git ignores {path}, so that no commit has it: add `!{path.name}` at the end of .gitignore"


def _is_ignored(path: Path) -> bool:
    tree = find_work_tree(path.parent)
    if not tree.has_git:
        return False
    name = os.path.relpath(Path(os.path.realpath(path.parent)) / path.name, tree.root)
    if not _may_be_ignored(tree.root, name):
        return False
    from imagelock.project.git import run_git  # noqa: PLC0415  imports subprocess, for the few projects that need it

    try:
        # Unlike `git check-ignore`, this takes the path literally.
        answer = run_git(tree, ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", name])
        return bool(answer.stdout)
    except FileError:
        return False


def _may_be_ignored(root: Path, name: str) -> bool:
    """Whether a line of any ignore file could match; a wrong yes only costs time."""
    home = Path(os.environ.get("HOME") or root)
    if not (root / ".git").is_dir() or "excludesfile" in _read(home / ".gitconfig").lower():
        # In linked work trees and submodules, and with `core.excludesFile`, only git knows which files count.
        return True
    parts = Path(name).parts
    return any(_could_match(line, parts) for text in _ignore_files(root, parts, home) for line in text.splitlines())


def _ignore_files(root: Path, parts: tuple[str, ...], home: Path) -> Iterator[str]:
    for depth in range(len(parts)):
        yield _read(root.joinpath(*parts[:depth], ".gitignore"))
    yield _read(root / ".git/info/exclude")
    yield _read(Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "git/ignore"))


def _could_match(line: str, parts: tuple[str, ...]) -> bool:
    pattern = line.strip().strip("/").rpartition("/")[2]
    return bool(pattern) and not line.startswith("#") and any(fnmatchcase(part, pattern) for part in parts)


def _read(path: Path) -> str:
    try:
        return read_bytes(path).decode(errors="replace")
    except FileError:
        return ""

"""Whether git ignores images.lock: then it is never committed, and no other checkout has it.

Starting git takes longer than all else that `check` does, so it is asked only where a line of an ignore file could be
about the lock.
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
    """Say that git would not commit a lockfile, and what to do; None where it would, or git does not say."""
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
    """Whether a line of any ignore file could match; too many yes cost time only."""
    home = Path(os.environ.get("HOME") or root)
    if not (root / ".git").is_dir() or "excludesfile" in _read(home / ".gitconfig").lower():
        # A linked work tree or a submodule, or an ignore file of the user's own choice: git knows where to look.
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

"""The files of a project: those that git tracks or would add; without git, those that no ignore file excludes."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from imagelock.errors import FileError
from imagelock.model.frozen import frozen
from imagelock.model.globs import compile_glob, escape_glob
from imagelock.project.files import read_bytes
from imagelock.project.git import list_git_files, list_sparse_files
from imagelock.project.work_tree import find_work_tree

_NEVER_OURS = frozenset({".git", ".hg", ".svn", ".venv", "__pycache__", "node_modules"})


@frozen
class FileListing:
    """Paths below a folder, sorted, relative to it, with slashes."""

    files: tuple[str, ...]
    outside_links: tuple[str, ...] = ()
    """Links with names of documents that lead to files outside of the work tree, which are never read."""
    sparse: tuple[str, ...] = ()
    """Files with names of documents that git tracks and a sparse checkout leaves out."""


def list_files(folder: Path) -> tuple[str, ...]:
    """Return the files of ``list_tree``."""
    return list_tree(folder).files


def list_tree(folder: Path) -> FileListing:
    """List the files below a folder, and the links that lead out of the project.

    Submodules and most links are left out: their files are in another repository, or listed under their own names.
    A link is listed if its name tells a kind and the name of its target does not: a builder reads `Dockerfile`, also
    where it is a link to `docker/production`. ``.dockerignore`` is not read: it excludes what a build does not need,
    often the Dockerfile itself.
    """
    # git lists nothing where the whole folder is ignored; a command that was run there still needs its files.
    present, absent = _ask_git(folder)
    listed = set(present or _walk(folder))
    sparse = _sparse_documents(folder, absent)
    links = {path for path in listed if os.path.islink(folder / path)}  # noqa: PTH114  thousands of strings, no paths
    if not links:
        return FileListing(tuple(sorted(listed)), sparse=sparse)
    files = listed - links
    inside, outside = _useful_links(folder, links, files)
    return FileListing(tuple(sorted((*files, *inside))), tuple(sorted(outside)), sparse)


def _useful_links(folder: Path, links: Iterable[str], files: Container[str]) -> tuple[list[str], list[str]]:
    """Find the links to documents that are not listed by themselves, and those that lead outside."""
    from imagelock.documents.kinds import may_be_document  # noqa: PLC0415  few projects have links

    tree = find_work_tree(folder)
    real_folder = os.path.realpath(folder)
    inside, outside = [], []
    for link in links:
        target = os.path.relpath(os.path.realpath(folder / link), real_folder)
        if not may_be_document(link) or not (folder / link).is_file():
            continue
        if tree.objection(folder / link) is not None:
            outside.append(link)
        elif target not in files or not may_be_document(target):
            inside.append(link)
    return inside, outside


def _sparse_documents(folder: Path, absent: Iterable[str]) -> tuple[str, ...]:
    """Find the absent documents that git has left out itself; others were deleted."""
    if not absent:
        return ()
    from imagelock.documents.kinds import may_be_document  # noqa: PLC0415  as above

    documents = {path for path in absent if may_be_document(path)}
    return tuple(sorted(documents.intersection(list_sparse_files(folder)))) if documents else ()


def _ask_git(folder: Path) -> tuple[list[str], list[str]]:
    """Return the paths that git lists: those that are there, and those that are not."""
    listed = list_git_files(folder) or []
    parents = {os.path.dirname(path) for path in listed}  # noqa: PTH120  thousands of strings, no paths
    real_folder = os.path.realpath(folder)
    real = {parent for parent in parents if os.path.realpath(folder / parent) == f"{real_folder}/{parent}".rstrip("/")}
    inside = [path for path in listed if _is_inside(path, real)]
    present = [path for path in inside if (folder / path).is_file()]
    missing = () if len(present) == len(inside) else set(inside).difference(present)
    return present, [path for path in missing if not os.path.lexists(folder / path)]


def _is_inside(path: str, real_folders: Container[str]) -> bool:
    """Whether a listed path is inside: a forged index may list paths that lead out or into git's own folder."""
    return {"", "..", ".git"}.isdisjoint(path.split("/")) and os.path.dirname(path) in real_folders  # noqa: PTH120  as above


def _walk(root: Path) -> Iterator[str]:
    """Walk without recursion: an archive may nest folders deeper than Python's stack."""
    waiting: list[tuple[str, tuple[IgnoreRule, ...]]] = [("", ())]
    while waiting:
        folder, rules = waiting.pop()
        rules += _rules_of(root / folder, folder)
        for entry in _entries(root / folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_ignored(path, rules, is_folder=is_folder):
                continue
            if entry.is_symlink() or entry.is_file(follow_symlinks=False):
                yield path
            elif is_folder and entry.name not in _NEVER_OURS and not os.path.lexists(root / path / ".git"):
                waiting.append((path, rules))


def _rules_of(here: Path, folder: str) -> tuple[IgnoreRule, ...]:
    try:
        text = read_bytes(here / ".gitignore").decode("utf-8", "replace")
    except FileError:
        return ()
    return parse_ignore_rules(text, folder)


def _entries(here: Path) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(here) as entries:
            return list(entries)
    except OSError:
        return ()  # a folder that cannot be read, or was just removed


_TRAILING_BLANKS = re.compile(r"(?<!\\)[ \t\r]+$")


@frozen
class IgnoreRule:
    """One line of a .gitignore."""

    pattern: re.Pattern[str]
    """Matches paths relative to the folder in which the walk began."""
    is_exception: bool
    is_for_folders: bool


def parse_ignore_rules(text: str, folder: str) -> tuple[IgnoreRule, ...]:
    """Parse the .gitignore of a folder, named relative to where the walk began."""
    lines = (_TRAILING_BLANKS.sub("", line) for line in text.split("\n"))
    return tuple(_parse_rule(line, folder) for line in lines if line.strip("/!") and not line.startswith("#"))


def is_ignored(path: str, rules: Iterable[IgnoreRule], *, is_folder: bool) -> bool:
    """Return whether the last matching rule ignores a path; files in ignored folders are not passed here."""
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

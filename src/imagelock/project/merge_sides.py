"""Both sides of a merge, a rebase or a cherry-pick, as git has them: before, or after, it has merged the lines.

https://git-scm.com/docs/gitrevisions has the names of commits that git keeps while it is at work.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from imagelock.errors import FileError
from imagelock.project.files import read_text
from imagelock.project.git import run_git
from imagelock.project.revisions import find_commit, name_in, read_blob
from imagelock.project.work_tree import WorkTree, find_work_tree

_SQUASHED = "commit "
_MAX_COMMITS = 50
"""In which a readable version is looked for: behind a merge, it is the first or the second."""


def read_merged_sides(path: Path) -> tuple[str, str] | None:
    """Read both sides of a conflict as git's index has them, ours and theirs; None where it has no such conflict."""
    tree = find_work_tree(path.parent)
    if not tree.has_git:
        return None
    name = name_in(tree, path)
    try:
        sides = [run_git(tree, ["cat-file", "blob", f":{stage}:{name}"]) for stage in (2, 3)]
    except FileError:
        return None
    if any(side.exit_code for side in sides):
        return None
    ours, theirs = (side.stdout.decode("utf-8-sig", errors="replace") for side in sides)
    return ours, theirs


def read_merge_parents(path: Path) -> tuple[str, str] | None:
    """Read a file as both sides had it; None where git does not know the two commits from which the file was merged.

    They are known while a merge, a rebase, a cherry-pick or a squash is not committed, and afterwards as long as the
    file is as the last commit has it, if that is a merge or ends a rebase.
    """
    tree = find_work_tree(path.parent)
    if not tree.has_git:
        return None
    name = name_in(tree, path)
    try:
        revisions = _find_unfinished(tree) or _find_committed(tree, name, path)
        if revisions is None:
            return None
        ours, theirs = (read_blob(tree, revision, name) for revision in revisions)
    except FileError:
        return None
    return None if ours is None or theirs is None else (ours, theirs)


def find_readable(path: Path, is_readable: Callable[[str], bool]) -> str | None:
    """Return the abbreviated digest of the newest commit that has a readable version of a file; None without one."""
    tree = find_work_tree(path.parent)
    if not tree.has_git:
        return None
    name = name_in(tree, path)
    try:
        listed = run_git(tree, ["rev-list", f"--max-count={_MAX_COMMITS}", "--abbrev-commit", "HEAD", "--", name])
        for commit in listed.stdout.decode().split():
            text = read_blob(tree, commit, name)
            if text is not None and is_readable(text):
                return commit
    except FileError:
        return None
    return None


def _find_unfinished(tree: WorkTree) -> tuple[str, str] | None:
    """Find the sides of what git has begun: it names the other commit until it is done."""
    for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD"):
        if find_commit(tree, name) is not None:
            return "HEAD", name
    if any(_git_path(tree, folder).is_dir() for folder in ("rebase-merge", "rebase-apply")):
        return ("HEAD", "REBASE_HEAD") if find_commit(tree, "REBASE_HEAD") is not None else None
    squashed = _find_squashed(tree)
    return None if squashed is None else ("HEAD", squashed)


def _find_squashed(tree: WorkTree) -> str | None:
    """Find the tip of a branch that `git merge --squash` has brought in, in the message that it has prepared."""
    try:
        lines = read_text(_git_path(tree, "SQUASH_MSG")).splitlines()
    except FileError:
        return None
    tip = next((line.removeprefix(_SQUASHED) for line in lines if line.startswith(_SQUASHED)), "")
    return find_commit(tree, tip)


def _find_committed(tree: WorkTree, name: str, path: Path) -> tuple[str, str] | None:
    """Find the sides of the last commit, if the file is as it has it."""
    if read_blob(tree, "HEAD", name) != read_text(path):
        return None
    if find_commit(tree, "HEAD^2") is not None:
        return "HEAD^1", "HEAD^2"
    # A rebase keeps author, date and message of the commit that it writes anew, and leaves that one as ORIG_HEAD.
    last, before = (_describe(tree, revision) for revision in ("HEAD", "ORIG_HEAD"))
    if last is None or last != before:
        return None
    # After anything but a rebase, such as a merge, ORIG_HEAD is behind HEAD.
    is_behind = not run_git(tree, ["merge-base", "--is-ancestor", "ORIG_HEAD", "HEAD"]).exit_code
    return None if is_behind else ("HEAD^", "ORIG_HEAD")


def _describe(tree: WorkTree, revision: str) -> tuple[str, str] | None:
    """Return what a rebase keeps of a commit: the line of its author, and its message."""
    # `git log` would check signatures with a program that a configuration may name.
    answer = run_git(tree, ["cat-file", "commit", revision])
    head, _, message = answer.stdout.decode(errors="replace").partition("\n\n")
    author = next((line for line in head.splitlines() if line.startswith("author ")), None)
    return None if answer.exit_code or author is None else (author, message)


def _git_path(tree: WorkTree, name: str) -> Path:
    """Return where git keeps a file of its own, which linked work trees have elsewhere."""
    answer = run_git(tree, ["rev-parse", "--git-path", name])
    return tree.root / answer.stdout.decode(errors="surrogateescape").rstrip("\n")

"""The sides of a merge, a rebase or a cherry-pick, as git has them: before, or after, it has merged the lines.

https://git-scm.com/docs/gitrevisions has the names of commits that git keeps while it is at work.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from imagelock.errors import FileError
from imagelock.project.files import read_text
from imagelock.project.git import run_git
from imagelock.project.revisions import find_commit, name_in, read_blob, read_text_at
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


def read_merge_parents(path: Path) -> tuple[str, ...] | None:
    """Read a file as each side had it, ours first; None where git does not know the commits that were merged.

    They are known while a merge, a rebase, a cherry-pick, a revert or a squash is not committed, and afterwards as long
    as the file is as the last commit has it, if that is a merge or ends a rebase. A merge may have more than two sides;
    those without the file are left out. A file that was renamed is read under the name that a side has for it.
    """
    tree = find_work_tree(path.parent)
    if not tree.has_git:
        return None
    try:
        revisions = _find_unfinished(tree) or _find_committed(tree, name_in(tree, path), path)
        texts = [read_text_at(revision, path) for revision in revisions]
    except FileError:
        return None
    sides = tuple(text for text in texts if text is not None)
    return sides if len(sides) > 1 else None


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


def _find_unfinished(tree: WorkTree) -> tuple[str, ...]:
    """Find the sides of what git has begun: it names the other commits until it is done."""
    heads = _find_heads(tree)
    if heads:
        return "HEAD", *heads
    for name, theirs in (("CHERRY_PICK_HEAD", "CHERRY_PICK_HEAD"), ("REVERT_HEAD", "REVERT_HEAD^")):
        if _may_have(tree, name) and find_commit(tree, name) is not None:
            return "HEAD", theirs
    if any((_own_folder(tree) / folder).is_dir() for folder in ("rebase-merge", "rebase-apply")):
        return ("HEAD", "REBASE_HEAD") if find_commit(tree, "REBASE_HEAD") is not None else ()
    squashed = _find_squashed(tree)
    return () if squashed is None else ("HEAD", squashed)


def _find_heads(tree: WorkTree) -> tuple[str, ...]:
    """Find the commits that are being merged into the last one, of which there may be several."""
    try:
        lines = read_text(_own_folder(tree) / "MERGE_HEAD").split()
    except FileError:
        return ()
    commits = [find_commit(tree, line) for line in lines]
    return tuple(commit for commit in commits if commit is not None)


def _find_squashed(tree: WorkTree) -> str | None:
    """Find the tip of a branch that `git merge --squash` has brought in, in the message that it has prepared."""
    try:
        lines = read_text(_own_folder(tree) / "SQUASH_MSG").splitlines()
    except FileError:
        return None
    tip = next((line.removeprefix(_SQUASHED) for line in lines if line.startswith(_SQUASHED)), "")
    return find_commit(tree, tip)


def _find_committed(tree: WorkTree, name: str, path: Path) -> tuple[str, ...]:
    """Find the sides of the last commit, if the file is as it has it."""
    parents = run_git(tree, ["rev-parse", "HEAD^@"]).stdout.decode().split()
    sides = tuple(parents) if len(parents) > 1 else _find_rebased(tree)
    if not sides:
        return ()
    committed, now = read_blob(tree, "HEAD", name), read_text(path)
    # A checkout may have other line ends than the commit.
    is_same = committed is not None and committed.replace("\r\n", "\n") == now.replace("\r\n", "\n")
    return sides if is_same else ()


def _find_rebased(tree: WorkTree) -> tuple[str, ...]:
    """Find the sides of a commit that a rebase has written anew.

    It keeps author, date and message of the commit, and leaves that one as ORIG_HEAD.
    """
    if not _may_have(tree, "ORIG_HEAD"):
        return ()
    last, before = (_describe(tree, revision) for revision in ("HEAD", "ORIG_HEAD"))
    if last is None or last != before:
        return ()
    # After anything but a rebase, such as a merge, ORIG_HEAD is behind HEAD.
    is_behind = not run_git(tree, ["merge-base", "--is-ancestor", "ORIG_HEAD", "HEAD"]).exit_code
    return () if is_behind else ("HEAD^", "ORIG_HEAD")


def _describe(tree: WorkTree, revision: str) -> tuple[str, str] | None:
    """Return what a rebase keeps of a commit: the line of its author, and its message."""
    # `git log` would check signatures with a program that a configuration may name.
    answer = run_git(tree, ["cat-file", "commit", revision])
    head, _, message = answer.stdout.decode(errors="replace").partition("\n\n")
    author = next((line for line in head.splitlines() if line.startswith("author ")), None)
    return None if answer.exit_code or author is None else (author, message)


def _own_folder(tree: WorkTree) -> Path:
    """Return where git keeps what it is at work on: a linked work tree has a folder of its own for that."""
    return tree.git_folders[:2][-1]


def _may_have(tree: WorkTree, name: str) -> bool:
    """Whether git may have one of the names of commits that it keeps for itself, in a file or in a table."""
    return (_own_folder(tree) / name).exists() or (tree.git_folders[-1] / "reftable").exists()

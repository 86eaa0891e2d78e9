"""Reading a file at a git revision, even if it had another name or folder then."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from imagelock.errors import FileError
from imagelock.model.frozen import frozen
from imagelock.project.git import run_git
from imagelock.project.work_tree import WorkTree, find_work_tree

_LINK_MODE = "120000"
_TWO_LOCKFILES = "name two lockfiles, as in `imagelock diff OLD.lock NEW.lock`"


@frozen
class FileAtRevision:
    """One file in one commit."""

    revision: str
    name: str
    """Relative to the root of the work tree."""
    text: str | None
    """None if the commit does not have the file."""
    has_other_name: bool = False
    """Whether it was renamed or moved since."""


def is_revision(text: str, folder: Path) -> bool:
    """Whether this is a commit of the repository around a folder."""
    tree = find_work_tree(folder)
    return tree.has_git and find_commit(tree, text) is not None


def split_range(text: str, folder: Path) -> tuple[str, str] | None:
    """Parse ``OLD..NEW``, or ``OLD...NEW`` from the merge base; a missing side is HEAD. None for other texts."""
    old, dots, new = text.partition("...") if "..." in text else text.partition("..")
    if not dots or "/" in (old[-1:], new[:1]):
        return None
    old, new = old or "HEAD", new or "HEAD"
    if dots == "..":
        return old, new
    tree = find_work_tree(folder)
    commits = [_demand_commit(tree, revision) for revision in (old, new)]
    answer = run_git(tree, ["merge-base", *commits])
    if answer.exit_code:
        raise FileError(f"`{old}` and `{new}` have no common ancestor here")
    return answer.stdout.decode().strip(), new


def read_text_at(revision: str, path: Path) -> str | None:
    """Return a file at a revision; None if the revision does not have it."""
    return read_at(revision, path).text


def read_at(revision: str, path: Path, *, later: FileAtRevision | None = None) -> FileAtRevision:
    """Return a file at a revision.

    ``path`` is where the file is now. Where git sees that it was renamed or moved since then, or since the revision of
    ``later``, it is read under its old name.
    """
    tree = find_work_tree(path.parent)
    commit = _demand_commit(tree, revision)
    name = name_in(tree, path) if later is None else later.name
    known_at = None if later is None else later.revision
    old_name = name
    text = read_blob(tree, commit, name)
    if text is None:
        old_name = _find_old_name(tree, commit, name, known_at) or name
        text = None if old_name == name else read_blob(tree, commit, old_name)
    return FileAtRevision(revision, old_name, text, has_other_name=text is not None and old_name != name)


def _demand_commit(tree: WorkTree, revision: str) -> str:
    """Find a commit; ``FileError`` says why there is none, as far as git tells."""
    if not tree.has_git:
        is_bare = (tree.root / "HEAD").is_file() and (tree.root / "objects").is_dir()
        where = "a bare git repository, which has no files" if is_bare else "in no git repository"
        raise FileError(f"`{revision}` is not a file, and {tree.root} is {where}", hint=_TWO_LOCKFILES)
    try:
        commit = find_commit(tree, revision)
    except FileError as error:
        if revision == "HEAD":
            raise
        raise FileError(f"`{revision}` is not a file, and {error.message}", hint=_TWO_LOCKFILES) from error
    if commit is not None:
        return commit
    refused = run_git(tree, ["rev-parse", "--git-dir"])
    if refused.exit_code:
        said = refused.stderr.decode(errors="replace").strip().splitlines()
        hint = "run `git status` there, which says what to do"
        raise FileError(f"git cannot read the repository in {tree.root}", details=said[:1], hint=hint)
    raise FileError(f"`{revision}` is neither a file nor a git revision here", hint=_hint_without(tree))


def _hint_without(tree: WorkTree) -> str:
    """Return the hint for a repository that does not have a commit."""
    if not run_git(tree, ["rev-list", "--all", "--max-count=1"]).stdout:
        return "commit images.lock first: the repository has no commit yet"
    if run_git(tree, ["rev-parse", "--is-shallow-repository"]).stdout.strip() == b"true":
        return "run `git fetch --unshallow`, if it is a commit that this shallow clone lacks"
    return "name a lockfile, as in `imagelock diff OLD.lock`, or a commit of this repository"


def find_commit(tree: WorkTree, revision: str) -> str | None:
    """Return the digest of the commit that a revision names; None where there is none."""
    if not revision or revision.startswith("-"):
        return None
    answer = run_git(tree, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
    return None if answer.exit_code else answer.stdout.decode().strip()


def name_in(tree: WorkTree, path: Path) -> str:
    """Return the name that git has for a file: relative to the root of the work tree."""
    return os.path.relpath(Path(os.path.realpath(path.parent)) / path.name, tree.root)


def read_blob(tree: WorkTree, commit: str, name: str) -> str | None:
    """Return what a commit stores, without the filters of `git show`; symbolic links are followed."""
    listed = run_git(tree, ["ls-tree", "-z", commit, "--", name]).stdout.decode(errors="surrogateescape")
    mode = listed.partition(" ")[0]
    answer = run_git(tree, ["cat-file", "blob", f"{commit}:{name}"])
    if answer.exit_code:
        return None
    text = answer.stdout.decode("utf-8-sig", errors="replace")
    if mode != _LINK_MODE:
        return text
    target = os.path.normpath(str(PurePosixPath(name).parent / text))
    answer = run_git(tree, ["cat-file", "blob", f"{commit}:{target}"])
    return None if answer.exit_code else answer.stdout.decode("utf-8-sig", errors="replace")


def _find_old_name(tree: WorkTree, commit: str, name: str, known_at: str | None) -> str | None:
    """Return the name of a file in a commit: by git's detection of renames, else by its last component."""
    # Both compare stored content: a comparison with files on disk would run configured filters.
    options = ["-r", "-z", "-M", "--name-status", "--diff-filter=R"]
    if known_at is None:
        answer = run_git(tree, ["diff-index", "--cached", *options, commit, "--"])
    else:
        answer = run_git(tree, ["diff-tree", *options, commit, _demand_commit(tree, known_at), "--"])
    fields = os.fsdecode(answer.stdout).split("\0")
    renamed = dict(zip(fields[2::3], fields[1::3], strict=False))
    if name in renamed:
        return renamed[name]
    listed = os.fsdecode(run_git(tree, ["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]).stdout)
    alike = [other for other in listed.split("\0") if PurePosixPath(other).name == PurePosixPath(name).name]
    gone = [other for other in alike if not (tree.root / other).exists()]
    return gone[0] if known_at is None and len(gone) == 1 else None

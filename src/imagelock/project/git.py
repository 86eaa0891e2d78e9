"""Running git in a work tree, safely: from its root only, and without programs that the repository configures.

A checkout that came as an archive brings its own `.git/config`, and may have folders that git takes for repositories.
Every setting that can start a program for the commands used here is overridden on the command line, which has priority
over all files, or in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from imagelock.errors import FileError
from imagelock.project.files import MAX_FILE_BYTES
from imagelock.project.programs import Finished, ProgramError, find_program, run_program
from imagelock.project.work_tree import WorkTree, find_work_tree

_TIME_LIMIT_SECONDS = 20.0
"""Git waits for ever for a FIFO that is included by a configuration."""
_MAX_LISTING_BYTES = 256 * 1024 * 1024
_CONFIGURATION = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.attributesFile=/dev/null",
    "diff.external=",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
)
_READ_BY_GIT = ("HEAD", "config", "config.worktree", "index", "info/exclude", "packed-refs", "commondir")
"""Files of a repository that git opens without a check: it would wait for a FIFO."""
_READ_IN_FOLDERS = (".gitignore", ".gitattributes")
_MAX_FOLDERS = 100_000
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",  # nothing is written, not even a fresher index
    "GIT_NO_LAZY_FETCH": "1",  # a partial clone would fetch what is missing, by a program that its configuration names
    "GIT_ALLOW_PROTOCOL": "",  # the same for versions of git that do not know the line above
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
}
_KEPT = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})
"""Variables of git that are passed on: where the user's settings are. Others could name another repository."""


_silent: set[Path] = set()
"""Work trees in which git has timed out in this process: it is not run there again."""


def list_git_files(folder: Path) -> list[str] | None:
    """Return the files that git tracks or would add below a folder, relative to it; None if git cannot list them.

    Submodules and repositories inside the tree are one entry each, without their files.
    """
    return _list(folder, ["--cached", "--others", "--exclude-standard"])


def list_sparse_files(folder: Path) -> list[str]:
    """Return the tracked files below a folder that a sparse checkout leaves out, relative to it."""
    return _list(folder, ["--cached", "-t"], tag="S ") or []


def _list(folder: Path, options: list[str], *, tag: str = "") -> list[str] | None:
    """List with options of ``git ls-files``; with ``-t``, the paths that have one tag before them."""
    tree = find_work_tree(folder)
    if not tree.has_git:
        return None
    if tree.root in _silent:
        return None
    prefix = os.path.relpath(os.path.realpath(folder), tree.root)
    below = [] if prefix == "." else ["--", f"{prefix}/"]
    try:
        answer = run_git(
            tree,
            ["ls-files", "-z", *options, *below],
            max_bytes=_MAX_LISTING_BYTES,
        )
    except FileError:
        _silent.add(tree.root)
        return None
    if answer.exit_code:
        return None
    cut = len(tag) + (len(prefix) + 1 if below else 0)
    return [os.fsdecode(path)[cut:] for path in answer.stdout.split(b"\0") if path and path.startswith(tag.encode())]


def run_git(tree: WorkTree, arguments: list[str], *, max_bytes: int = MAX_FILE_BYTES) -> Finished:
    """Run git at the root of a work tree; ``FileError`` if it is not installed or does not end in time."""
    program = find_program("git", os.environ)
    if program is None:
        raise FileError("git is not installed")
    for file in (folder / name for folder in tree.git_folders for name in _READ_BY_GIT):
        if file.is_fifo() or file.is_char_device():
            raise FileError(f"git would not end: {file} is not a file")
    settings = [word for setting in _CONFIGURATION for word in ("-c", setting)]
    try:
        return run_program(
            [program, "--no-pager", *settings, *arguments],
            folder=tree.root,
            environment=_environment(os.environ, tree.root),
            time_limit_seconds=_TIME_LIMIT_SECONDS,
            max_bytes=max_bytes,
            find_obstacle=partial(_find_pipe, tree.root),
        )
    except ProgramError as error:
        raise FileError(f"git {error}") from error


def _find_pipe(root: Path) -> str | None:
    """Return a message about a FIFO that git opens while it lists a work tree; None if there is none."""
    for number, (folder, folders, names) in enumerate(os.walk(root)):
        if number > _MAX_FOLDERS:
            return None
        if ".git" in folders:
            folders.remove(".git")
        for name in _READ_IN_FOLDERS:
            if name in names and (path := Path(folder, name)).is_fifo():
                return f"would not end: {path} is not a file"
    return None


def _environment(environment: Mapping[str, str], root: Path) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_") or name in _KEPT}
    # If `.git` is not a repository, git must not use one further up.
    return kept | _ENVIRONMENT | {"GIT_WORK_TREE": str(root), "GIT_CEILING_DIRECTORIES": str(root.parent)}

"""Asking git, for what it alone knows about a folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

from imagelock.errors import FileError

_TIME_LIMIT_SECONDS = 30.0


def run_git(folder: Path, *arguments: str) -> bytes | None:
    """Run git in a folder and return what it prints; None where it says no, ``FileError`` where it says nothing."""
    try:
        result = subprocess.run(  # noqa: S603  the callers see to it that nothing of a user's is taken for an option
            ["git", *arguments],  # noqa: S607  the git that the user has on PATH
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=_TIME_LIMIT_SECONDS,
        )
    except FileNotFoundError as error:
        raise FileError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise FileError(f"git gave no answer within {_TIME_LIMIT_SECONDS:.0f} seconds") from error
    return result.stdout if result.returncode == 0 else None


def read_text_at(revision: str, path: Path) -> str | None:
    """Read a file as it was at a revision; None where the revision doesn't have it."""
    if not revision or revision.startswith("-"):
        raise FileError(f"`{revision}` is neither a file nor a git revision")
    if run_git(path.parent, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        raise FileError(
            f"`{revision}` is neither a file nor a git revision here",
            hint="name a lockfile, as in `imagelock diff OLD.lock`, or a commit of this folder's repository",
        )
    content = run_git(path.parent, "show", f"{revision}:./{path.name}")
    return None if content is None else content.decode("utf-8-sig", errors="replace")

"""Files as git has them at some revision."""

from __future__ import annotations

from pathlib import Path

from imagelock.errors import FileError
from imagelock.git import run_git


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

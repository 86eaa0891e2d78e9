"""Files as git has them at some revision."""

from __future__ import annotations

import subprocess
from pathlib import Path

from imagelock.errors import FileError

_TIME_LIMIT_SECONDS = 30.0


def read_text_at(revision: str, path: Path) -> str | None:
    """Read a file as it was at a revision; None where the revision doesn't have it."""
    if not revision or revision.startswith("-"):
        raise FileError(f"`{revision}` is neither a file nor a git revision")
    if _git(path.parent, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        raise FileError(f"`{revision}` is neither a file nor a git revision here")
    return _git(path.parent, "show", f"{revision}:./{path.name}")


def _git(folder: Path, *arguments: str) -> str | None:
    """Run git in a folder; None where it says no."""
    try:
        result = subprocess.run(  # noqa: S603  the arguments are ours, and a revision can't be taken for an option
            ["git", *arguments],  # noqa: S607  the git that the user has on PATH
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=_TIME_LIMIT_SECONDS,
        )
    except FileNotFoundError as error:
        raise FileError("cannot read revisions: git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise FileError(f"git gave no answer within {_TIME_LIMIT_SECONDS:.0f} seconds") from error
    return result.stdout.decode("utf-8-sig", errors="replace") if result.returncode == 0 else None

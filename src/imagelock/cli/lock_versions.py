"""The two lockfiles that ``diff`` compares: files, or what git has at a revision, each with its place."""

from __future__ import annotations

from pathlib import Path

from imagelock.cli.options import Settings
from imagelock.errors import FileError
from imagelock.locking.lockfile import Lockfile, is_ours, parse_lockfile
from imagelock.model.frozen import frozen
from imagelock.project.files import read_text
from imagelock.project.project import find_project
from imagelock.project.revisions import FileAtRevision, is_revision, read_at, split_range


@frozen
class LockVersion:
    """A lockfile at one place or moment."""

    where: str
    lockfile: Lockfile | None
    """None where there is no lockfile."""
    note: str | None = None
    """What a reader should know about where it was found."""


def read_versions(settings: Settings, old: str | None, new: str | None) -> tuple[LockVersion, LockVersion]:
    """Read both sides; ``FileError`` where neither has a lockfile.

    Without ``old``, what HEAD has; a file of that name is none. images.toml, which tells where the lockfile is, is
    looked for only where a side is no file.
    """
    if old is not None and new is None and not Path(old).exists():
        old, new = split_range(old, _find_lock_path(settings).parent) or (old, None)
    after, later = (_read_now(settings), None) if new is None else _read(settings, new)
    before = _read_commit(settings, "HEAD")[0] if old is None else _read(settings, old, later=later)[0]
    if before.lockfile is None and after.lockfile is None:
        raise FileError(
            f"there is no lockfile to compare: {before.where} does not exist, nor does {after.where}",
            hint="name the lockfile with `--lockfile`, or two files, as in `imagelock diff OLD.lock NEW.lock`",
        )
    return before, after


def _find_lock_path(settings: Settings) -> Path:
    return settings.lock_path or find_project(settings.images_path).lock_path


def _read_now(settings: Settings) -> LockVersion:
    path = _find_lock_path(settings)
    if not path.exists():
        return LockVersion(str(path), None)
    return LockVersion(str(path), parse_lockfile(read_text(path), file_name=str(path)))


_Found = tuple[LockVersion, FileAtRevision | None]
"""A version, and where git had it."""


def _read(settings: Settings, source: str, *, later: FileAtRevision | None = None) -> _Found:
    """Read a lockfile of that name, or else the project's lockfile at that revision."""
    path = Path(source)
    is_commit = path.is_file() and is_revision(source, Path())
    if _is_lockfile(source) or (path.is_file() and not is_commit):
        note = f"`{source}` is a git revision, too: the file is read" if is_commit else None
        return LockVersion(source, parse_lockfile(read_text(path), file_name=source), note), None
    return _read_commit(settings, source, later=later)


def _read_commit(settings: Settings, revision: str, *, later: FileAtRevision | None = None) -> _Found:
    lock_path = _find_lock_path(settings)
    found = read_at(revision, lock_path, later=later)
    where = f"{revision}:{found.name}"
    if found.text is None:
        return LockVersion(where, None), found
    note = f"{lock_path} was {found.name} in {revision}" if found.has_other_name else None
    return LockVersion(where, parse_lockfile(found.text, file_name=where), note), found


def _is_lockfile(source: str) -> bool:
    try:
        return Path(source).is_file() and is_ours(read_text(Path(source)))
    except FileError:
        return False

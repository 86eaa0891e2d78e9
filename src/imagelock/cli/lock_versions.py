"""The two lockfiles that ``diff`` compares: files, or what git has at a revision, each told where it was found."""

from __future__ import annotations

from pathlib import Path

from imagelock.cli.options import Settings
from imagelock.errors import FileError
from imagelock.locking.lockfile import Lockfile, is_ours, parse_lockfile
from imagelock.model.frozen import frozen
from imagelock.project.files import read_text
from imagelock.project.project import find_project
from imagelock.project.revisions import is_revision, read_at, split_range


@frozen
class LockVersion:
    """A lockfile at one place or moment."""

    where: str
    lockfile: Lockfile | None
    """None where there is no lockfile."""
    note: str | None = None
    """What a reader should know about where it was found."""


def read_versions(settings: Settings, old: str, new: str | None) -> tuple[LockVersion, LockVersion]:
    """Read both sides; ``FileError`` where neither has a lockfile.

    images.toml, which tells where the lockfile is, is looked for only where a side is no file.
    """
    if new is None and not Path(old).exists():
        old, new = split_range(old, _find_lock_path(settings).parent) or (old, None)
    after = _read_now(settings) if new is None else _read(settings, new, known_at=None)
    before = _read(settings, old, known_at=None if new is None or _is_lockfile(new) else new)
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


def _read(settings: Settings, source: str, *, known_at: str | None) -> LockVersion:
    """Read a lockfile of that name, or else the project's lockfile at that revision."""
    path = Path(source)
    is_commit = path.is_file() and is_revision(source, Path())
    if _is_lockfile(source) or (path.is_file() and not is_commit):
        note = f"`{source}` is a git revision, too: the file is read" if is_commit else None
        return LockVersion(source, parse_lockfile(read_text(path), file_name=source), note)
    lock_path = _find_lock_path(settings)
    found = read_at(source, lock_path, known_at=known_at)
    where = f"{source}:{found.name}"
    if found.text is None:
        return LockVersion(where, None)
    note = f"{lock_path} was {found.name} in {source}" if found.has_other_name else None
    return LockVersion(where, parse_lockfile(found.text, file_name=where), note)


def _is_lockfile(source: str) -> bool:
    try:
        return Path(source).is_file() and is_ours(read_text(Path(source)))
    except FileError:
        return False

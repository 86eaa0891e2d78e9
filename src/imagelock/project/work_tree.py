"""The work tree of a project, inside which all its files must be, outside of git's own folders, links resolved."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from imagelock.errors import FileError
from imagelock.model.frozen import frozen
from imagelock.project.files import read_text

_GIT = ".git"


@frozen
class WorkTree:
    """The folder in which all files of a project are; ``root`` has no links in it."""

    root: Path
    has_git: bool
    git_folders: tuple[Path, ...]
    """Git's own folders: `.git`, and those that the `.git` file of a linked work tree or submodule names."""

    def objection_to_named(self, path: Path) -> str | None:
        """Return an objection to a file that the user has named: it may be outside, but not through a link inside."""
        inside = _is_below(os.path.abspath(path), str(self.root))  # noqa: PTH100  links stay
        return self.objection(path) if inside else None

    def objection(self, path: Path) -> str | None:
        """Return why a path is not allowed for a file of the project, as the end of a sentence; None if it is."""
        if "\0" in str(path):
            return "has a NUL character, which no name of a file has"
        real = os.path.realpath(path)
        if _is_loop(path):
            return "is a link that leads to itself"
        if not _is_below(real, str(self.root)):
            what = f"outside the {'git work tree' if self.has_git else 'directory'} {self.root}"
            return f"leads {what}, to {real}" if path.is_symlink() or os.path.abspath(path) != real else f"lies {what}"  # noqa: PTH100  links stay
        parts = real[len(str(self.root)) :].split("/")
        if any(part.casefold() == _GIT for part in parts) or any(_is_below(real, str(own)) for own in self.git_folders):
            return "lies in git's own directory"
        return None


def find_work_tree(folder: Path) -> WorkTree:
    """Return the work tree around a folder: that of the nearest `.git` above its real path, else the folder itself."""
    here = Path(os.path.realpath(folder))
    for root in (here, *here.parents):
        if os.path.lexists(root / _GIT):
            return WorkTree(root, has_git=True, git_folders=tuple(_git_folders(root)))
    return WorkTree(here, has_git=False, git_folders=())


def _git_folders(root: Path) -> list[Path]:
    entry = root / _GIT
    folders = [Path(os.path.realpath(entry))]
    with suppress(OSError, FileError):
        if stat.S_ISREG(entry.stat().st_mode):
            named = read_text(entry).strip().removeprefix("gitdir:").strip()
            folders.append(Path(os.path.realpath(root / named)))
            common = folders[-1] / read_text(folders[-1] / "commondir").strip()
            folders.append(Path(os.path.realpath(common)))
    return folders


def _is_loop(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


Identity = tuple[object, ...]
"""A value that is equal for two paths exactly if they lead to the same file."""


def identify(path: Path) -> Identity:
    """Return the identity of a file: device and inode, or for a new file the identity of its folder and its name.

    Names that the file system does not distinguish (case, Unicode normalization) have the same identity.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):
        real = Path(os.path.realpath(path))
        if real.parent == real:
            return (str(real),)
        name = _fold(real.name) if _folds_case(real.parent) else real.name
        return (*identify(real.parent), name)
    return (status.st_dev, status.st_ino)


def _folds_case(folder: Path) -> bool:
    """Whether the file system ignores case, tried with existing names; nothing is written."""
    for each in (folder, *folder.parents):
        swapped = each.with_name(each.name.swapcase())
        if swapped.name == each.name or not each.exists():
            continue
        try:
            return swapped.samefile(each)
        except OSError:
            return False
    return False


def _fold(name: str) -> str:
    import unicodedata  # noqa: PLC0415  only such file systems need it

    return unicodedata.normalize("NFC", name).casefold()

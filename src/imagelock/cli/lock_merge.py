"""Merging both sides of an images.lock that git left in conflict or mixed (kept apart: start-up, few runs need it)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from shlex import quote

from imagelock.cli.text import count
from imagelock.errors import LockfileError, NewerLockfileError
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.clean_merge import mend_clean_merge, settle_mixture
from imagelock.locking.lockfile import Lockfile, is_ours, is_readable
from imagelock.locking.merge import Merged, merge_conflict
from imagelock.model.conflict_markers import has_conflict_markers
from imagelock.project.merge_sides import find_readable, read_merge_parents, read_merged_sides
from imagelock.project.project import Project


def merge_text(project: Project, images_file: ImagesFile, text: str) -> Merged | None:
    """Merge what git left unmerged, or merged into something that is no lockfile; None where it is something else."""
    name = str(project.lock_path)
    if has_conflict_markers(text):
        return merge_conflict(
            text, images_file, file_name=name, read_originals=partial(read_merged_sides, project.lock_path)
        )
    if not is_ours(text):
        return None
    read_parents = partial(read_merge_parents, project.lock_path)
    return mend_clean_merge(text, images_file, file_name=name, read_parents=read_parents)


def settle(project: Project, images_file: ImagesFile, lockfile: Lockfile) -> Merged | None:
    """Return what is to be done about entries that git has mixed; None if there are none, or git has no sides."""
    return settle_mixture(
        lockfile,
        images_file,
        file_name=str(project.lock_path),
        read_parents=partial(read_merge_parents, project.lock_path),
        is_declared_since=lambda: read_merge_parents(project.images_path) is None,
    )


def tell_merge(merged: Merged, lock_path: Path, *, is_dry_run: bool) -> str:
    """Return one sentence: what was merged, and which images were chosen again."""
    names = sorted(merged.unsettled.other_index)
    chosen = f" ({count(len(names))} chosen again, since the sides lock different content: {', '.join(names)})"
    verb = "Would merge" if is_dry_run else "Merged"
    what = (
        f"conflict markers in {lock_path}"
        if merged.had_markers
        else f"{lock_path} again, where git had mixed both sides"
    )
    return f"{verb} {what}{chosen if names else ''}"


def with_way_back(error: LockfileError, project: Project, text: str) -> LockfileError:
    """Add the newest commit that has a readable lockfile to the error for a damaged one of ours."""
    if isinstance(error, NewerLockfileError):
        return error  # what an older commit has would undo what others have locked
    commit = find_readable(project.lock_path, is_readable) if is_ours(text) else None
    if commit is None:
        return error
    command = f"git checkout {commit} -- {quote(str(project.lock_path))}"
    return LockfileError(error.message, details=error.details, hint=f"run `{command}`, then `imagelock lock`")

"""Merging both sides of an images.lock that git left in conflict or mixed (kept apart: start-up, few runs need it)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from imagelock.cli.text import count
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import Lockfile, is_ours
from imagelock.locking.merge import Merged, mend_clean_merge, merge_conflict, settle_mixture
from imagelock.model.conflict_markers import has_conflict_markers
from imagelock.project.project import Project
from imagelock.project.revisions import read_merge_parents, read_merged_sides


def merge_text(project: Project, images_file: ImagesFile, text: str) -> Merged | None:
    """Merge what git left unmerged, or merged into something that is no lockfile; None where it is something else."""
    name = str(project.lock_path)
    if has_conflict_markers(text):
        return merge_conflict(text, images_file, file_name=name, read_originals=partial(_ask_git, project, "unmerged"))
    if not is_ours(text):
        return None
    return mend_clean_merge(text, images_file, file_name=name, read_parents=partial(_ask_git, project, "merged"))


def settle(project: Project, images_file: ImagesFile, lockfile: Lockfile) -> Merged | None:
    """Merge the damaged entries again from both sides; None where git has none."""
    read_parents = partial(_ask_git, project, "merged")
    return settle_mixture(lockfile, images_file, file_name=str(project.lock_path), read_parents=read_parents)


def _ask_git(project: Project, state: Literal["unmerged", "merged"]) -> tuple[str, str] | None:
    return (read_merged_sides if state == "unmerged" else read_merge_parents)(project.lock_path)


def tell_merge(merged: Merged, lock_path: Path, *, is_dry_run: bool) -> str:
    """Say in one sentence what was merged, and which images were chosen again."""
    names = sorted(merged.unsettled.other_index)
    chosen = f" ({count(len(names))} chosen again, since the sides lock different content: {', '.join(names)})"
    verb = "Would merge" if is_dry_run else "Merged"
    what = (
        f"conflict markers in {lock_path}"
        if merged.had_markers
        else f"{lock_path} again, where git had mixed both sides"
    )
    return f"{verb} {what}{chosen if names else ''}"

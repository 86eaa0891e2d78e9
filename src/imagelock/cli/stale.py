"""``lock --check``: does images.lock answer images.toml? One line a reason, no network."""

from __future__ import annotations

from imagelock.cli.options import Settings
from imagelock.errors import CheckFailedError
from imagelock.locking.freshness import find_mismatches
from imagelock.project.project import find_project


def refuse_stale_lock(settings: Settings, *, output_format: str) -> None:
    """Say yes, or fail with every reason why not."""
    project = find_project(settings.images_path, settings.lock_path)
    images_file, lockfile = project.read_images_file(), project.read_lockfile()
    mismatches = find_mismatches(images_file, lockfile)
    if output_format == "json":
        problems = [{"name": mismatch.alias, "reason": str(mismatch)} for mismatch in mismatches]
        settings.console.json({"ok": not mismatches, "problems": problems})
    if mismatches:
        raise CheckFailedError(
            f"{project.lock_path} does not match {project.images_path}",
            details=[f"{mismatch.alias}: {mismatch}" for mismatch in mismatches],
            hint="run `imagelock lock`",
        )
    if output_format == "text":
        settings.console.say(f"{project.lock_path} matches {project.images_path}")

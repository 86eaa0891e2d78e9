"""What ``lock`` and ``update`` share: read both files, run a plan, write the lock, tell what happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

from imagelock.cli.console import Console, count_done
from imagelock.cli.options import Settings
from imagelock.cli.reports.changes import change_document, change_lines
from imagelock.cli.sources import open_sources
from imagelock.cli.text import count, duration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.changes import Change, find_changes
from imagelock.locking.conflict_markers import has_conflict_markers
from imagelock.locking.lockfile import Lockfile, dump_lockfile
from imagelock.locking.merge import Repair, merge_conflict
from imagelock.locking.plan import LockResult, plan_lock, run_steps
from imagelock.locking.steps import KeepLocked, Step
from imagelock.model.frozen import frozen
from imagelock.project.files import write_changed
from imagelock.project.project import Project, find_project

Planner = Callable[[ImagesFile, Lockfile], Sequence[Step]]


@frozen(kw_only=True)
class Outcome:
    """What a run did, or would do, to images.lock."""

    result: LockResult
    changes: Sequence[Change]
    seconds: float
    is_dry_run: bool
    repair: str | None = None
    """What was done about conflict markers, if there were any."""


def run_plan(settings: Settings, plan: Planner, *, is_dry_run: bool) -> Outcome:
    """Carry out a plan and write images.lock, unless this is a dry run or nothing differs."""
    project = find_project(settings.images_path, settings.lock_path)
    return run_plan_in(settings, project, project.read_images_file(), plan, is_dry_run=is_dry_run)


def run_plan_in(
    settings: Settings,
    project: Project,
    images_file: ImagesFile,
    plan: Planner,
    *,
    is_dry_run: bool = False,
    beside: Mapping[Path, bytes] = MappingProxyType({}),
) -> Outcome:
    """Carry out a plan for an images file that may not be written yet: files ``beside`` the lock are written with it.

    All of them are, or none.
    """
    started = time.monotonic()
    repair = _repair(project, images_file)
    before = project.read_lockfile() if repair is None else repair.lockfile
    steps = plan(images_file, before)
    with open_sources(settings, project.folder, images_file.registries) as sources:
        asked = sum(not isinstance(step, KeepLocked) for step in steps)
        result = run_steps(steps, sources, on_done=count_done(settings.console, "Locking", total=asked))
    if not is_dry_run:
        write_changed({**beside, **lock_to_write(project, result.lockfile)})
    return Outcome(
        result=result,
        changes=find_changes(before.replacing(result.old), result.lockfile),
        seconds=time.monotonic() - started,
        is_dry_run=is_dry_run,
        repair=None if repair is None else _tell_repair(repair, project.lock_path, is_dry_run=is_dry_run),
    )


def lock_images(settings: Settings, *, is_dry_run: bool, output_format: str) -> None:
    """Make images.lock answer images.toml, and tell."""
    outcome = run_plan(settings, partial(plan_lock, now=datetime.now(UTC)), is_dry_run=is_dry_run)
    images = count(len(outcome.result.lockfile.images))
    if not outcome.changes:
        summary = f"{images} already locked"
    elif is_dry_run:
        summary = f"Would lock {images}; nothing was written"
    else:
        summary = f"Locked {images} in {duration(outcome.seconds)}"
    report(settings.console, outcome, summary, output_format=output_format)


def report(console: Console, outcome: Outcome, summary: str, *, output_format: str) -> None:
    """Tell people on stderr, or scripts on stdout, what happened."""
    if outcome.repair is not None:
        console.say(outcome.repair)
    if output_format == "json":
        console.json(
            {
                "images": len(outcome.result.lockfile.images),
                "dry_run": outcome.is_dry_run,
                "changes": [change_document(change) for change in outcome.changes],
                "notes": [{"name": alias, "note": note} for alias, note in outcome.result.notes],
                "warnings": [{"name": alias, "warning": warning} for alias, warning in outcome.result.warnings],
            }
        )
        return
    console.say(summary)
    for alias, reason in outcome.result.reasons:
        console.detail(f"{alias}: {reason}")
    for line in change_lines(outcome.changes, is_dry_run=outcome.is_dry_run):
        console.say(line)
    for alias, note in outcome.result.notes:
        console.note(f"{alias}: {note}")
    for alias, warning in outcome.result.warnings:
        console.warn(f"{alias}: {warning}")


def _repair(project: Project, images_file: ImagesFile) -> Repair | None:
    text = project.read_lock_text()
    if text is None or not has_conflict_markers(text):
        return None
    return merge_conflict(text, images_file, file_name=str(project.lock_path))


def _tell_repair(repair: Repair, lock_path: Path, *, is_dry_run: bool) -> str:
    lost = f" ({count(len(repair.lost))} locked again: {', '.join(repair.lost)})" if repair.lost else ""
    return f"{'Would merge' if is_dry_run else 'Merged'} conflict markers in {lock_path}{lost}"


def lock_to_write(project: Project, lockfile: Lockfile) -> dict[Path, bytes]:
    """Give images.lock with its bytes, or nothing where it says the same already."""
    text = dump_lockfile(lockfile)
    current = project.read_lock_text()
    # A checkout with CRLF has the same lock; writing it anew would show a change where none is.
    is_same = current is not None and current.replace("\r\n", "\n") == text
    return {} if is_same else {project.lock_path: text.encode()}

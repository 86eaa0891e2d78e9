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
from imagelock.cli.transactions import begin
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.changes import Change, find_changes
from imagelock.locking.conflict_markers import has_conflict_markers
from imagelock.locking.lockfile import Lockfile, dump_lockfile
from imagelock.locking.merge import Repair, merge_conflict
from imagelock.locking.plan import LockResult, plan_lock, run_steps
from imagelock.locking.steps import KeepLocked, Step
from imagelock.model.frozen import frozen
from imagelock.project.project import Project, find_project
from imagelock.project.transaction import Transaction

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


@frozen
class _Read:
    """Both files as they belong together."""

    images_file: ImagesFile
    lockfile: Lockfile
    repair: Repair | None


def run_plan(settings: Settings, plan: Planner, *, is_dry_run: bool) -> Outcome:
    """Carry out a plan and write images.lock, unless this is a dry run or nothing differs."""
    project = find_project(settings.images_path, settings.lock_path)
    if is_dry_run:
        with project.reading():
            read = _read(project, project.read_images_file())
        return _carry_out(settings, project, read, plan)
    with begin(settings.console, project) as transaction:
        return run_plan_in(settings, project, project.read_images_file(), plan, transaction=transaction)


def run_plan_in(
    settings: Settings,
    project: Project,
    images_file: ImagesFile,
    plan: Planner,
    *,
    transaction: Transaction,
    beside: Mapping[Path, bytes] = MappingProxyType({}),
) -> Outcome:
    """Carry out a plan for an images file that may not be written yet: files ``beside`` the lock are written with it.

    All of them are, or none.
    """
    return _carry_out(settings, project, _read(project, images_file), plan, transaction=transaction, beside=beside)


def _read(project: Project, images_file: ImagesFile) -> _Read:
    repair = _repair(project, images_file)
    return _Read(images_file, project.read_lockfile() if repair is None else repair.lockfile, repair)


def _carry_out(
    settings: Settings,
    project: Project,
    read: _Read,
    plan: Planner,
    *,
    transaction: Transaction | None = None,
    beside: Mapping[Path, bytes] = MappingProxyType({}),
) -> Outcome:
    """Resolve what the plan asks for, and write the result; without a transaction nothing is written."""
    started = time.monotonic()
    steps = plan(read.images_file, read.lockfile)
    with open_sources(settings, project.folder, read.images_file.registries) as sources:
        asked = sum(not isinstance(step, KeepLocked) for step in steps)
        result = run_steps(steps, sources, on_done=count_done(settings.console, "Locking", total=asked))
    if transaction is not None:
        transaction.write({**beside, **lock_to_write(project, result.lockfile)})
    is_dry_run = transaction is None
    return Outcome(
        result=result,
        changes=find_changes(read.lockfile.replacing(result.old), result.lockfile),
        seconds=time.monotonic() - started,
        is_dry_run=is_dry_run,
        repair=None if read.repair is None else _tell_repair(read.repair, project.lock_path, is_dry_run=is_dry_run),
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

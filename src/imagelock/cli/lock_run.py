"""What ``lock`` and ``update`` share: read both files, run a plan, write the lock, tell what happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from imagelock.cli.options import Settings
from imagelock.cli.reports.outcome import Outcome, report
from imagelock.cli.text import NO_IMAGE, count, duration
from imagelock.cli.transactions import begin, run_again_if_changed
from imagelock.errors import LockfileError
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.changes import find_changes
from imagelock.locking.freshness import declares_platforms
from imagelock.locking.identity import find_lost
from imagelock.locking.keep_step import KeepLocked
from imagelock.locking.lockfile import Lockfile, dump_lockfile, find_heading, parse_lockfile
from imagelock.locking.plan import SETTLED, LockResult, Unsettled, keep_locked, plan_lock
from imagelock.model.conflict_markers import conflict_sides, has_conflict_markers
from imagelock.model.frozen import frozen
from imagelock.project.project import Project, find_project
from imagelock.project.transaction import Transaction, refuse_changed

if TYPE_CHECKING:
    from imagelock.locking.merge import Merged  # 3 ms that only a merge needs
    from imagelock.locking.update_step import Step  # 12 ms that only a run with questions needs, as the next
    from imagelock.registry.sources import Sources

Write = Callable[[Transaction, Mapping[Path, bytes], Lockfile], object]
"""Writes what a run made, and whatever else the new lock changes."""
Planner = Callable[[ImagesFile, Lockfile, Unsettled], Sequence["Step"]]


@frozen
class _Read:
    """Both files as they belong together."""

    images_file: ImagesFile
    lock_text: str
    lockfile: Lockfile
    merged: Merged | None


def plan_smallest(images_file: ImagesFile, lockfile: Lockfile, unsettled: Unsettled) -> Sequence[Step]:
    """Plan what ``lock`` does."""
    return plan_lock(images_file, lockfile, now=datetime.now(UTC), unsettled=unsettled)


def run_plan(settings: Settings, plan: Planner, *, is_dry_run: bool) -> Outcome:
    """Carry out a plan and write images.lock, unless this is a dry run or nothing differs."""
    project = find_project(settings.images_path, settings.lock_path)
    if is_dry_run:
        with project.reading():
            read = _read(project, project.read_images_file())
        return _carry_out(settings, project, read, plan)

    def run() -> Outcome:
        with begin(settings.console, project) as transaction:
            return run_plan_in(settings, project, project.read_images_file(), plan, transaction=transaction)

    return run_again_if_changed(settings.console, run)


def run_plan_in(  # noqa: PLR0913  each is an object of its own
    settings: Settings,
    project: Project,
    images_file: ImagesFile,
    plan: Planner,
    *,
    transaction: Transaction | None,
    beside: Mapping[Path, bytes] = MappingProxyType({}),
    write: Write = lambda transaction, contents, _: transaction.write(contents),
    sources: Sources | None = None,
) -> Outcome:
    """Carry out a plan for an images file that may not be written yet: files ``beside`` the lock are written with it.

    All of them are, or none; ``write`` may add others. Without a transaction nothing is written. ``sources`` that are
    open already are asked, and stay open.
    """
    read = _read(project, images_file)
    return _carry_out(
        settings, project, read, plan, transaction=transaction, beside=beside, write=write, sources=sources
    )


def _read(project: Project, images_file: ImagesFile) -> _Read:
    text = project.read_lock_text() or ""
    try:
        lockfile = parse_lockfile(text, file_name=str(project.lock_path))
        merged = _settle(project, images_file, lockfile) if _may_be_mixed(project, images_file, lockfile) else None
    except LockfileError as error:
        from imagelock.cli.lock_merge import merge_text, with_way_back  # noqa: PLC0415  only a damaged file needs it

        merged = merge_text(project, images_file, text)
        if merged is None:
            raise with_way_back(error, project, text) from error
    return _Read(images_file, text, merged.lockfile if merged else lockfile, merged)


def _may_be_mixed(project: Project, images_file: ImagesFile, lockfile: Lockfile) -> bool:
    """Whether git may have combined entries of both sides of a merge, or lost one: a checksum tells it at most."""
    if any(image.is_damaged for image in lockfile.images):
        return True
    is_uncovered = declares_platforms(lockfile) or any(image.labels for image in lockfile.images)
    if not (is_uncovered or find_lost(images_file.images, lockfile.images)):
        return False
    from imagelock.project.merge_traces import may_have_merged  # noqa: PLC0415  without any of these it says nothing

    return may_have_merged(project.lock_path.parent)


def _settle(project: Project, images_file: ImagesFile, lockfile: Lockfile) -> Merged | None:
    from imagelock.cli.lock_merge import settle  # noqa: PLC0415  only what git has merged needs it

    # Git cannot have lost what this run declares: that is locked as it is now.
    declared = project.read_images_file() if project.images_path.exists() else images_file
    return settle(project, declared, lockfile)


def _carry_out(  # noqa: PLR0913  as above
    settings: Settings,
    project: Project,
    read: _Read,
    plan: Planner,
    *,
    transaction: Transaction | None = None,
    beside: Mapping[Path, bytes] = MappingProxyType({}),
    write: Write = lambda transaction, contents, _: transaction.write(contents),
    sources: Sources | None = None,
) -> Outcome:
    """Resolve what the plan asks for, and write the result; without a transaction nothing is written."""
    started = time.monotonic()
    merged = read.merged
    steps = plan(read.images_file, read.lockfile, merged.unsettled if merged else SETTLED)
    result = _run(settings, project, read.images_file, steps, sources)
    written = lock_to_write(project, result.lockfile, current=read.lock_text)
    changes = find_changes(merged.before if merged else read.lockfile, result.lockfile, told=result.told)
    is_new = not project.lock_path.exists()
    rewrites_form = bool(written) and not changes and not is_new
    if transaction is not None:
        write(transaction, {**beside, **written}, result.lockfile)
        refuse_changed({} if written or beside else transaction.seen)
    return Outcome(
        result=result,
        changes=changes,
        seconds=time.monotonic() - started,
        is_dry_run=transaction is None,
        rewrites_form=rewrites_form,
        merged=merged,
        lock_path=project.lock_path,
        is_new=is_new,
        images_file=read.images_file,
        project=project,
    )


def _run(
    settings: Settings, project: Project, images_file: ImagesFile, steps: Sequence[Step], sources: Sources | None
) -> LockResult:
    """Run the steps; where nothing is to be asked, nothing that asks is imported."""
    kept = [step for step in steps if isinstance(step, KeepLocked)]
    if len(kept) == len(steps):
        return keep_locked(kept)
    from imagelock.cli.lock_questions import run_with_questions  # noqa: PLC0415

    return run_with_questions(settings, project, images_file, steps, sources)


def lock_images(settings: Settings, *, is_dry_run: bool, output_format: str) -> None:
    """Update images.lock to match images.toml, and print what changed."""
    outcome = run_plan(settings, plan_smallest, is_dry_run=is_dry_run)
    total = len(outcome.result.lockfile.images)
    unchanged = f"{count(total)} already locked" if total else NO_IMAGE
    done = f"Locked {outcome.changed} in {duration(outcome.seconds)}"
    if is_dry_run:
        done = f"Would lock {outcome.changed}; nothing was written"
    report(settings.console, outcome, outcome.summary(done, unchanged), output_format=output_format)


def lock_to_write(project: Project, lockfile: Lockfile, *, current: str) -> dict[Path, bytes]:
    """Return the path and the new bytes of images.lock; empty if its current text is the same."""
    # A checkout with CRLF has the same lock; writing it anew would show a change where none is.
    current = current.replace("\r\n", "\n")
    ours = conflict_sides(current)[0] if has_conflict_markers(current) else current
    text = dump_lockfile(lockfile, heading=find_heading(ours))
    is_same = current == text
    return {} if is_same else {project.lock_path: text.encode()}

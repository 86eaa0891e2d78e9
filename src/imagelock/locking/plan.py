"""What ``lock`` and ``update`` are going to do to images.lock, planned from the two files alone.

``lock`` is the smallest change that makes the lock answer images.toml; it never moves a digest that still answers.
``update`` moves images to what their tags give today. Both change everything that was asked for, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from imagelock.errors import BatchError
from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import (
    AllPlatformsChanged,
    Mismatch,
    PlatformNotLocked,
    RepositoryChanged,
    SelectorChanged,
    compare,
)
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.locking.parallel import DEFAULT_MAX_WORKERS, run_all
from imagelock.locking.select import parse_requested
from imagelock.locking.source import ManifestSource
from imagelock.locking.steps import (
    AddPlatforms,
    KeepLocked,
    LockRequested,
    OnlineStep,
    Repair,
    Resolve,
    Step,
    StepResult,
    Update,
)
from imagelock.model.frozen import frozen
from imagelock.model.selector import ExactDigest


def plan_lock(images_file: ImagesFile, lockfile: Lockfile, *, now: datetime | None = None) -> tuple[Step, ...]:
    """Choose the smallest step for each image; where all are ``KeepLocked``, locking asks nobody.

    ``now`` is what declarations with a minimum age have to know.
    """
    return plan_update(images_file, lockfile, aliases=(), now=now)


def plan_update(
    images_file: ImagesFile,
    lockfile: Lockfile,
    *,
    aliases: Collection[str],
    takes_every_index: bool = False,
    now: datetime | None = None,
) -> tuple[Step, ...]:
    """Refresh the named images, except frozen ones, and choose the smallest step for the others."""
    locked_images = lockfile.by_alias()
    steps: list[Step] = []
    for declaration in images_file.images:
        step = _smallest_step(declaration, locked_images.get(declaration.alias), now=now)
        if declaration.alias in aliases:
            step = _refreshing(step, takes_every_index=takes_every_index, now=now)
        steps.append(step)
    return tuple(steps)


def plan_requested(images_file: ImagesFile, lockfile: Lockfile, *, alias: str, wanted: str) -> tuple[Step, ...]:
    """Lock for one image what a person named, if its declaration allows it, and choose the smallest step for others."""
    locked_images = lockfile.by_alias()
    steps: list[Step] = []
    for declaration in images_file.images:
        locked = locked_images.get(declaration.alias)
        if declaration.alias == alias:
            reference = parse_requested(wanted, declaration, locked_tag=None if locked is None else locked.tag)
            steps.append(LockRequested(declaration, reference))
        else:
            steps.append(_smallest_step(declaration, locked, now=None))
    return tuple(steps)


def _refreshing(step: Step, *, takes_every_index: bool, now: datetime | None) -> Step:
    if isinstance(step, KeepLocked) and step.locked.lacks_checksum:
        # Nothing says yet that its platforms are those of its index.
        step = Repair(step.declaration, step.locked)
    match step:
        case KeepLocked(declaration) | Repair(declaration) if isinstance(declaration.selector, ExactDigest):
            return step
        case KeepLocked(declaration) if declaration.freeze is not None:
            return replace(step, notes=(f"frozen: {declaration.freeze}",))
        case KeepLocked(declaration) | Repair(declaration) | AddPlatforms(declaration) if declaration.freeze is None:
            return Update(step, takes_every_index, now)
        case _:
            return step


def _smallest_step(declaration: ImageDeclaration, locked: LockedImage | None, *, now: datetime | None) -> Step:
    if locked is None:
        return Resolve(declaration, now)
    mismatches = tuple(compare(declaration, locked))
    if any(map(_needs_other_content, mismatches)):
        return Resolve(declaration, now)
    if locked.is_damaged:
        return Repair(declaration, locked)
    if any(map(_needs_more_platforms, mismatches)):
        return AddPlatforms(declaration, locked)
    return KeepLocked(declaration, locked)


def _needs_other_content(mismatch: Mismatch) -> bool:
    match mismatch:
        case RepositoryChanged():
            return True
        case SelectorChanged():
            return not mismatch.is_accepted
        case _:
            return False


def _needs_more_platforms(mismatch: Mismatch) -> bool:
    match mismatch:
        case PlatformNotLocked():
            return True
        case AllPlatformsChanged():
            return mismatch.wants_all
        case _:
            return False


@frozen
class LockResult:
    """The new lock, and what its owner should know about single images."""

    lockfile: Lockfile
    notes: tuple[tuple[Alias, str], ...] = ()
    warnings: tuple[tuple[Alias, str], ...] = ()
    reasons: tuple[tuple[Alias, str], ...] = ()
    """What only those want to read who ask why."""
    old: tuple[LockedImage, ...] = ()
    """Images as they were locked, of which more was learned than the lockfile says."""


def run_steps(
    steps: Sequence[Step],
    source: ManifestSource,
    *,
    max_workers: int = DEFAULT_MAX_WORKERS,
    on_done: Callable[[str], None] = lambda _: None,
) -> LockResult:
    """Run every step; ``BatchError`` names all that failed. The source is asked only if it must be."""
    results = [step.run() for step in steps if isinstance(step, KeepLocked)]
    online = [step for step in steps if not isinstance(step, KeepLocked)]
    if online:
        results += _run_online(online, source, total=len(steps), max_workers=max_workers, on_done=on_done)
    results.sort(key=lambda result: result.image.alias)
    return LockResult(
        Lockfile(tuple(result.image for result in results)),
        notes=tuple((result.image.alias, note) for result in results for note in result.notes),
        warnings=tuple((result.image.alias, warning) for result in results for warning in result.warnings),
        reasons=tuple((result.image.alias, reason) for result in results for reason in result.reasons),
        old=tuple(result.old for result in results if result.old is not None),
    )


def _run_online(
    steps: Sequence[OnlineStep],
    source: ManifestSource,
    *,
    total: int,
    max_workers: int,
    on_done: Callable[[str], None],
) -> list[StepResult]:
    source.prepare(step.declaration.repository for step in steps)
    questions = {str(step.declaration.alias): partial(step.run, source) for step in steps}
    answers = run_all(questions, max_workers=max_workers, on_done=on_done)
    if answers.failures:
        count = f"{len(answers.failures)} of {total} image{'s' if total > 1 else ''}"
        raise BatchError(f"cannot lock {count}; images.lock is unchanged", answers.failures)
    return list(answers.found.values())

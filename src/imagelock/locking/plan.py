"""The steps of ``lock`` and ``update``: planned from the two files without network, then run together.

``lock`` makes the smallest change after which images.lock matches images.toml, and keeps every digest that satisfies
it. ``update`` moves images to the current content of their tags. If a step fails, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from imagelock.errors import BatchError
from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import (
    AllPlatformsChanged,
    BuildsChanged,
    Mismatch,
    PlatformNotLocked,
    RepositoryChanged,
    SelectorChanged,
    SeveralPlatforms,
    compare,
)
from imagelock.locking.identity import match_entries
from imagelock.locking.keep_step import KeepLocked, StepResult
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.frozen import frozen
from imagelock.model.selector import ExactDigest

# The steps that ask a registry take 12 ms to import: only the functions that plan or run one do it.
if TYPE_CHECKING:
    from imagelock.locking.parallel import Watcher
    from imagelock.locking.source import ManifestSource
    from imagelock.locking.update_step import OnlineStep, Step

_INCOMPLETE = "the locked index lists other platforms than were locked"
_MERGED = "both sides lock the same index: its platforms were read from it"


@frozen(kw_only=True)
class Unsettled:
    """The images for which a merge of two lockfiles has no entry that can be kept as it is, by alias."""

    same_index: frozenset[Alias] = frozenset()
    """Both sides lock the same index with different platforms, which are read from it."""
    other_index: frozenset[Alias] = frozenset()
    """The sides lock different content that satisfies images.toml: it is chosen again, as by an update."""
    uncompared: frozenset[Alias] = frozenset()
    """The merge may have combined the index with labels, or declared platforms, of another side: it is read again."""


SETTLED = Unsettled()


def plan_lock(
    images_file: ImagesFile, lockfile: Lockfile, *, now: datetime, unsettled: Unsettled = SETTLED
) -> tuple[Step, ...]:
    """Return the smallest step for each image; if all are ``KeepLocked``, no registry is asked."""
    return plan_update(images_file, lockfile, aliases=(), now=now, unsettled=unsettled)


def plan_update(
    images_file: ImagesFile,
    lockfile: Lockfile,
    *,
    aliases: Collection[str],
    now: datetime,
    takes_every_index: bool = False,
    unsettled: Unsettled = SETTLED,
) -> tuple[Step, ...]:
    """Return an update for each named image that is not frozen, and the smallest step for the others."""
    steps: list[Step] = []
    for declaration, locked in _with_entries(images_file, lockfile):
        step = _smallest_step(declaration, locked, now=now, unsettled=unsettled)
        if declaration.alias in aliases:
            step = _updating(step, takes_every_index=takes_every_index, now=now)
        elif declaration.alias in unsettled.other_index:
            step = _updating(step, takes_every_index=False, now=now)
        steps.append(step)
    return tuple(steps)


def plan_requested(
    images_file: ImagesFile,
    lockfile: Lockfile,
    *,
    alias: str,
    wanted: str,
    now: datetime,
    unsettled: Unsettled = SETTLED,
) -> tuple[Step, ...]:
    """Return the step that locks ``wanted`` for one image, if allowed, and the smallest step for others."""
    from imagelock.locking.requested import parse_requested  # noqa: PLC0415  as above
    from imagelock.locking.steps import LockRequested  # noqa: PLC0415  as above

    steps = {step.declaration.alias: step for step in plan_lock(images_file, lockfile, now=now, unsettled=unsettled)}
    for declaration, locked in _with_entries(images_file, lockfile):
        if declaration.alias == alias:
            reference = parse_requested(wanted, declaration, locked_tag=None if locked is None else locked.tag)
            steps[declaration.alias] = LockRequested(declaration, reference, locked)
    return tuple(steps.values())


def _with_entries(images_file: ImagesFile, lockfile: Lockfile) -> Iterator[tuple[ImageDeclaration, LockedImage | None]]:
    entries = match_entries(images_file.images, lockfile.images)
    return ((declaration, entries.get(declaration.alias)) for declaration in images_file.images)


def _updating(step: Step, *, takes_every_index: bool, now: datetime) -> Step:
    from imagelock.locking.steps import AddPlatforms, CompareWithIndex, Repair  # noqa: PLC0415  as above
    from imagelock.locking.update_step import Update  # noqa: PLC0415  as above

    if isinstance(step, CompareWithIndex):
        step = Repair(step.declaration, step.locked)
    elif isinstance(step, KeepLocked) and takes_every_index:
        if step.declaration.freeze is not None:
            frozen = (_frozen_note(step.declaration),)
            return CompareWithIndex(step.declaration, step.locked, notes=frozen, note=_INCOMPLETE)
        if isinstance(step.declaration.selector, ExactDigest):
            return CompareWithIndex(step.declaration, step.locked, note=_INCOMPLETE)
        step = Repair(step.declaration, step.locked, note=_INCOMPLETE)
    match step:
        case KeepLocked(declaration) | Repair(declaration) if isinstance(declaration.selector, ExactDigest):
            return step
        case KeepLocked(declaration) if declaration.freeze is not None:
            return replace(step, notes=(_frozen_note(declaration),))
        case KeepLocked(declaration) | Repair(declaration) | AddPlatforms(declaration) if declaration.freeze is None:
            return Update(step, takes_every_index, now)
        case _:
            return step


def _frozen_note(declaration: ImageDeclaration) -> str:
    return f"frozen: {declaration.freeze}"


def _smallest_step(
    declaration: ImageDeclaration, locked: LockedImage | None, *, now: datetime, unsettled: Unsettled
) -> Step:
    mismatches = () if locked is None else tuple(compare(declaration, locked))
    if locked is not None and not mismatches and declaration.alias not in unsettled.same_index:
        return _keep(declaration, locked, unsettled)
    from imagelock.locking.steps import AddPlatforms, Repair, Resolve  # noqa: PLC0415  as above

    if locked is None or any(map(needs_other_content, mismatches)):
        return Resolve(declaration, now)
    if declaration.alias in unsettled.same_index:
        return Repair(declaration, locked, note=_MERGED)
    if locked.is_damaged:
        return Repair(declaration, locked)
    if any(map(_needs_more_platforms, mismatches)):
        return AddPlatforms(declaration, locked)
    return _keep(declaration, locked, unsettled)


def _keep(declaration: ImageDeclaration, locked: LockedImage, unsettled: Unsettled) -> Step:
    """Return the step that keeps an entry; what is written without proof is compared with its index first."""
    if not locked.lacks_checksum and declaration.alias not in unsettled.uncompared:
        return KeepLocked(declaration, locked)
    from imagelock.locking.steps import CompareWithIndex  # noqa: PLC0415  as above

    return CompareWithIndex(declaration, locked)


def needs_other_content(mismatch: Mismatch) -> bool:
    """Whether the locked content does not satisfy the declaration, so that it has to move."""
    match mismatch:
        case RepositoryChanged():
            return True
        case SelectorChanged():
            return not mismatch.is_accepted
        case _:
            return False


def _needs_more_platforms(mismatch: Mismatch) -> bool:
    match mismatch:
        case PlatformNotLocked() | SeveralPlatforms():
            return True
        case BuildsChanged():
            return bool(mismatch.loosened)
        case AllPlatformsChanged():
            return mismatch.wants_all
        case _:
            return False


@frozen
class LockResult:
    """The new lock, with messages about single images."""

    lockfile: Lockfile
    notes: tuple[tuple[Alias, str], ...] = ()
    warnings: tuple[tuple[Alias, str], ...] = ()
    reasons: tuple[tuple[Alias, str], ...] = ()
    """Messages for ``--verbose``."""
    told: tuple[tuple[LockedImage, LockedImage], ...] = ()
    """Images before and after a move, with labels for the report that are not recorded."""


def run_steps(
    steps: Sequence[Step],
    source: ManifestSource,
    *,
    max_workers: int | None = None,
    watcher: Watcher | None = None,
) -> LockResult:
    """Run every step; ``BatchError`` names all that failed. The source is opened only for steps that need it."""
    results = [step.run() for step in steps if isinstance(step, KeepLocked)]
    online = [step for step in steps if not isinstance(step, KeepLocked)]
    if online:
        results += _run_online(online, source, total=len(steps), max_workers=max_workers, watcher=watcher)
    return _collect(results)


def keep_locked(steps: Sequence[KeepLocked]) -> LockResult:
    """Run steps that ask nothing."""
    return _collect([step.run() for step in steps])


def _collect(results: list[StepResult]) -> LockResult:
    results.sort(key=lambda result: result.image.alias)
    return LockResult(
        Lockfile(tuple(result.image for result in results)),
        notes=tuple((result.image.alias, note) for result in results for note in result.notes),
        warnings=tuple((result.image.alias, warning) for result in results for warning in result.warnings),
        reasons=tuple((result.image.alias, reason) for result in results for reason in result.reasons),
        told=tuple(result.told for result in results if result.told is not None),
    )


def _run_online(
    steps: Sequence[OnlineStep],
    source: ManifestSource,
    *,
    total: int,
    max_workers: int | None,
    watcher: Watcher | None,
) -> list[StepResult]:
    from imagelock.locking.parallel import UNWATCHED, run_all  # noqa: PLC0415  as above

    source.prepare(step.declaration.repository for step in steps)
    questions = {str(step.declaration.alias): partial(step.run, source) for step in steps}
    answers = run_all(questions, max_workers=max_workers, watcher=watcher or UNWATCHED)
    if answers.failures:
        count = f"{len(answers.failures)} of {total} image{'s' if total > 1 else ''}"
        raise BatchError(f"cannot lock {count}; images.lock is unchanged", answers.failures, action="cannot lock")
    return list(answers.found.values())

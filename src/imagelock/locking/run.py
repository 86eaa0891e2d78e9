"""Running the steps of a plan: a bounded number at a time, all of them or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from imagelock.errors import BatchError
from imagelock.images_file.declaration import Alias
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.locking.parallel import DEFAULT_MAX_WORKERS, ask_all
from imagelock.locking.resolve import ManifestSource
from imagelock.locking.steps import Keep, OnlineStep, Step, StepResult
from imagelock.model.frozen import frozen


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
    results = [step.run() for step in steps if isinstance(step, Keep)]
    online = [step for step in steps if not isinstance(step, Keep)]
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
    source.expect(step.declaration.repository for step in steps)
    questions = {str(step.declaration.alias): partial(step.run, source) for step in steps}
    answers = ask_all(questions, max_workers=max_workers, on_done=on_done)
    if answers.failures:
        count = f"{len(answers.failures)} of {total} image{'s' if total > 1 else ''}"
        raise BatchError(f"cannot lock {count}; images.lock is unchanged", answers.failures)
    return list(answers.found.values())

"""Running the steps of a plan: a bounded number at a time, all of them or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagelock.declaration import Alias
from imagelock.errors import BatchError, ImagelockError
from imagelock.lock_steps import Keep, OnlineStep, Step, StepResult
from imagelock.lockfile import Lockfile
from imagelock.resolving import ManifestSource

DEFAULT_MAX_WORKERS = 8


@dataclass(frozen=True, slots=True)
class LockResult:
    """The new lock, and what its owner should know about single images."""

    lockfile: Lockfile
    notes: tuple[tuple[Alias, str], ...] = ()
    warnings: tuple[tuple[Alias, str], ...] = ()


def run_steps(
    steps: Sequence[Step],
    source: ManifestSource,
    *,
    max_workers: int = DEFAULT_MAX_WORKERS,
    on_done: Callable[[Alias], None] = lambda _: None,
) -> LockResult:
    """Run every step; ``BatchError`` names all that failed. The source is asked only if it must be."""
    results = [step.run() for step in steps if isinstance(step, Keep)]
    online = [step for step in steps if not isinstance(step, Keep)]
    if online:
        results += _run_online(online, source, total=len(steps), max_workers=max_workers, on_done=on_done)
    results.sort(key=lambda result: result.image.alias)
    notes = tuple((result.image.alias, result.note) for result in results if result.note)
    warnings = tuple((result.image.alias, result.warning) for result in results if result.warning)
    return LockResult(Lockfile(tuple(result.image for result in results)), notes, warnings)


def _run_online(
    steps: Sequence[OnlineStep],
    source: ManifestSource,
    *,
    total: int,
    max_workers: int,
    on_done: Callable[[Alias], None],
) -> list[StepResult]:
    from concurrent.futures import ThreadPoolExecutor, as_completed  # noqa: PLC0415  only a lock that asks needs threads

    results: list[StepResult] = []
    failures: list[tuple[str, ImagelockError]] = []
    source.expect(step.declaration.repository for step in steps)
    executor = ThreadPoolExecutor(max_workers)
    try:
        futures = {executor.submit(step.run, source): step.declaration.alias for step in steps}
        for future in as_completed(futures):
            try:
                results.append(future.result())
            except ImagelockError as error:
                failures.append((futures[future], error))
            on_done(futures[future])
    finally:
        # An interrupt must not wait for what is still in the queue.
        executor.shutdown(wait=False, cancel_futures=True)
    if failures:
        count = f"{len(failures)} of {total} image{'s' if total > 1 else ''}"
        raise BatchError(f"cannot lock {count}; images.lock is unchanged", failures)
    return results

"""What ``lock`` and ``update`` are going to do to images.lock, planned from the two files alone.

``lock`` is the smallest change that makes the lock answer images.toml; it never moves a digest that still answers.
``update`` moves images to what their tags give today. Both change everything that was asked for, or nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from imagelock.images_file.declaration import ImageDeclaration
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
from imagelock.locking.steps import AddPlatforms, Keep, Refresh, Resolve, Step, Take
from imagelock.locking.taking import read_allowed
from imagelock.model.selector import ExactDigest


def plan_lock(images_file: ImagesFile, lockfile: Lockfile, *, now: datetime | None = None) -> tuple[Step, ...]:
    """Choose the smallest step for each image; where all are ``Keep``, locking asks nobody.

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


def plan_take(images_file: ImagesFile, lockfile: Lockfile, *, alias: str, wanted: str) -> tuple[Step, ...]:
    """Lock for one image what a person named, if its declaration allows it, and choose the smallest step for others."""
    locked_images = lockfile.by_alias()
    steps: list[Step] = []
    for declaration in images_file.images:
        locked = locked_images.get(declaration.alias)
        if declaration.alias == alias:
            reference = read_allowed(wanted, declaration, locked_tag=None if locked is None else locked.tag)
            steps.append(Take(declaration, reference))
        else:
            steps.append(_smallest_step(declaration, locked, now=None))
    return tuple(steps)


def _refreshing(step: Step, *, takes_every_index: bool, now: datetime | None) -> Step:
    match step:
        case Keep(declaration) if isinstance(declaration.selector, ExactDigest):
            return step
        case Keep(declaration) if declaration.freeze is not None:
            return replace(step, notes=(f"frozen: {declaration.freeze}",))
        case Keep(declaration) | AddPlatforms(declaration) if declaration.freeze is None:
            return Refresh(step, takes_every_index, now)
        case _:
            return step


def _smallest_step(declaration: ImageDeclaration, locked: LockedImage | None, *, now: datetime | None) -> Step:
    if locked is None:
        return Resolve(declaration, now)
    mismatches = tuple(compare(declaration, locked))
    if any(map(_needs_other_content, mismatches)):
        return Resolve(declaration, now)
    if any(map(_needs_more_platforms, mismatches)):
        return AddPlatforms(declaration, locked)
    return Keep(declaration, locked)


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

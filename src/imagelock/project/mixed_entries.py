"""Entries in which git has combined both sides of a merge, found without a registry, for as long as git has the sides.

No checksum covers what was declared: an entry that is to have every platform may have the fewer of the other side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imagelock.errors import LockfileError
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import PlatformNotLocked
from imagelock.locking.identity import match_entries
from imagelock.locking.lockfile import LockedImage, Lockfile, parse_lockfile
from imagelock.locking.uncovered import find_lacking, has_unsure_platforms
from imagelock.model.frozen import frozen
from imagelock.project.merge_sides import read_merge_parents


@frozen
class Mixed:
    """What a merge has left of the entries for which every platform is declared."""

    lacking: tuple[PlatformNotLocked, ...] = ()
    """The platforms that a side of the merge has with the same index."""
    notes: tuple[str, ...] = ()
    """Messages about entries for which only the index can tell."""


def find_mixed(images_file: ImagesFile, lockfile: Lockfile, lock_path: Path) -> Mixed:
    """Compare entries with those of all sides of a merge that git is at, or that made the last commit."""
    sides = list(_entries_of_sides(lock_path))
    lacking: list[PlatformNotLocked] = []
    notes: list[str] = []
    entries = match_entries(images_file.images, lockfile.images)
    for declaration in images_file.images:
        image = entries.get(declaration.alias)
        if image is None or image.is_damaged or image.all_platforms == bool(declaration.platforms):
            continue  # these mismatches are reported anyway
        added = find_lacking(image, sides)
        lacking += (PlatformNotLocked(declaration.alias, entry.platform) for entry in added)
        if not added and has_unsure_platforms(image, sides):
            notes.append(
                f"{declaration.alias}: git merged what one side declared with what another one locked; "
                "`imagelock lock` compares its platforms with the locked index"
            )
    return Mixed(tuple(lacking), tuple(notes))


def _entries_of_sides(lock_path: Path) -> Iterator[LockedImage]:
    for text in read_merge_parents(lock_path) or ():
        try:
            yield from parse_lockfile(text).images
        except LockfileError:
            continue

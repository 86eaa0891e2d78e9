"""Merging what git could not: entries are independent, so most of a conflicted images.lock can be kept."""

from __future__ import annotations

from imagelock.images_file.declaration import Alias
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.conflict_markers import conflict_sides
from imagelock.locking.freshness import compare
from imagelock.locking.lockfile import LOCKFILE_NAME, LockedImage, Lockfile, parse_lockfile
from imagelock.model.frozen import frozen


@frozen
class Repair:
    """What could be kept of both sides, and the images that have to be locked again."""

    lockfile: Lockfile
    lost: tuple[Alias, ...]


def merge_conflict(text: str, images_file: ImagesFile, *, file_name: str = LOCKFILE_NAME) -> Repair:
    """Keep each entry that answers its declaration and on which the sides don't disagree.

    An entry on which they do is lost even if only one side answers: git may have taken its index digest from one side
    and left the conflict to its platforms.
    """
    ours, theirs = (parse_lockfile(side, file_name=file_name).by_alias() for side in conflict_sides(text))
    kept: list[LockedImage] = []
    lost: list[Alias] = []
    for declaration in images_file.images:
        candidates = [side[declaration.alias] for side in (ours, theirs) if declaration.alias in side]
        if not candidates:
            continue
        if candidates[0] == candidates[-1] and not any(compare(declaration, candidates[0])):
            kept.append(candidates[0])
        else:
            lost.append(declaration.alias)
    return Repair(Lockfile(tuple(kept)), tuple(lost))

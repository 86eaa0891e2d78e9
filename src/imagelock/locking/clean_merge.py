"""What git has merged without a conflict, and yet into a damaged images.lock, or into one that no side had.

Git merges lines, also within one entry. The files of all sides before the merge, which git still has, tell what an
entry was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from imagelock.errors import LockfileError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.identity import find_lost, identities
from imagelock.locking.lockfile import LOCKFILE_NAME, LockedImage, Lockfile, parse_lockfile
from imagelock.locking.merge import Merged, merge_sides, with_uncompared
from imagelock.locking.merged_text import parse_repeated, with_declared
from imagelock.locking.uncovered import has_other_labels, has_unsure_platforms, settle_uncovered


def mend_clean_merge(
    text: str,
    images_file: ImagesFile,
    *,
    file_name: str = LOCKFILE_NAME,
    read_parents: Callable[[], Sequence[str] | None] = lambda: None,
) -> Merged | None:
    """Merge again a file that git merged without a conflict and that is not TOML, such as one with a table twice.

    ``read_parents`` returns the files of all sides before the merge, or None where git does not know them. Then the
    entries are kept if each checksum is right, and an image that is there several times is one of so many sides. None
    if some are wrong.
    """
    parents = read_parents()
    try:
        sides = [parse_lockfile(it, file_name=file_name) for it in parents] if parents else parse_repeated(text)
    except LockfileError:
        return None
    return replace(merge_sides(sides, images_file, file_name), had_markers=False)


def settle_mixture(
    lockfile: Lockfile,
    images_file: ImagesFile,
    *,
    file_name: str = LOCKFILE_NAME,
    read_parents: Callable[[], Sequence[str] | None] = lambda: None,
    is_declared_since: Callable[[], bool] = lambda: False,
) -> Merged | None:
    """Return what is to be done about entries that a clean merge has mixed; None if there are none, or no sides.

    Damaged entries are merged again from all sides: without these, the locked index is not known, since git may have
    taken that of another image. So are declared images whose entries git has lost, as where names have changed, unless
    images.toml was edited after the merge (``is_declared_since``). What no checksum covers is compared with the index,
    which stays.
    """
    try:
        sides = [parse_lockfile(text, file_name=file_name).images for text in read_parents() or ()]
    except LockfileError:
        return None
    known = [image for side in sides for image in side]
    damaged = {image.alias for image in lockfile.images if image.is_damaged} if sides else set()
    whole = Lockfile(tuple(image for image in lockfile.images if image.alias not in damaged))
    settled = settle_uncovered(whole, known)
    unsure = {image.alias for image in whole.images if has_other_labels(image, known)}
    unsure |= {image.alias for image in settled.images if has_unsure_platforms(image, known)}
    lost = find_lost(images_file.images, lockfile.images) & identities(known)
    lost = set() if lost and is_declared_since() else lost
    if not (damaged or lost or unsure or settled != whole):
        return None
    if damaged or lost:
        merged = merge_sides(list(_with_whole(settled.images, sides, damaged, images_file)), images_file, file_name)
        # What is not damaged is reported as it is in the file.
        merged = merged if damaged else replace(merged, before=lockfile)
    else:
        merged = Merged(lockfile, settled, is_mixed=settled != whole)
    return with_uncompared(replace(merged, had_markers=False), images_file, unsure)


def _with_whole(
    whole: tuple[LockedImage, ...],
    sides: Iterable[tuple[LockedImage, ...]],
    damaged: AbstractSet[Alias],
    images_file: ImagesFile,
) -> Iterator[Lockfile]:
    """Yield each side, with the entries that are whole instead of its own."""
    declared = identities(images_file.images)
    for side in sides:
        own = (image for image in side if image.alias in damaged)
        yield Lockfile(with_declared((*whole, *own), side, declared))

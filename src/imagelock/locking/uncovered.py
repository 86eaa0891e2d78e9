"""What no checksum covers in an entry that git has merged: its labels, and what of the platforms was declared.

Git merges line by line. With a right checksum, index and platforms are those of one side of the merge; labels may be of
another image, and `platforms = "all"` may be of a side that locked more platforms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.labels import NO_LABELS
from imagelock.model.platforms import PlatformDigest


def settle_uncovered(lockfile: Lockfile, sides: Sequence[LockedImage]) -> Lockfile:
    """Return the lockfile with the labels and platforms that the sides of a merge have with the content of an entry.

    Labels that no side has with it are replaced by those that one has, or none where the sides disagree. ``sides`` are
    the entries of all sides. Content that no side has was locked since the merge, with its labels.
    """
    return Lockfile(tuple(_with_platforms_of(_with_labels_of(image, sides), sides) for image in lockfile.images))


def has_other_labels(image: LockedImage, sides: Iterable[LockedImage]) -> bool:
    """Whether the labels are of no side that has the content, so that only the index tells where they are from."""
    found = [it.labels for it in _with_same_content(image, sides)]
    return bool(found) and image.labels not in found


def has_unsure_platforms(image: LockedImage, sides: Sequence[LockedImage]) -> bool:
    """Whether what was declared may be of another side than index and platforms, so that only the index tells."""
    if any(side.platform_digests != image.platform_digests for side in _complete_entries(image, sides)):
        return True
    same = [it for it in _with_same_content(image, sides) if it.platform_digests == image.platform_digests]
    has_all_of_another = image.all_platforms and not any(it.all_platforms for it in same)
    has_builds_of_another = all(it.declared_builds != image.declared_builds for it in same)
    return bool(same) and (has_all_of_another or has_builds_of_another)


def find_lacking(image: LockedImage, sides: Iterable[LockedImage]) -> tuple[PlatformDigest, ...]:
    """Return the platforms that a side has beside those of the entry, where both are to have all of one index."""
    for side in _complete_entries(image, sides):
        lacking = tuple(entry for entry in side.platform_digests if entry not in image.platform_digests)
        if len(lacking) + len(image.platform_digests) == len(side.platform_digests):
            return lacking
    return ()


def _complete_entries(image: LockedImage, sides: Iterable[LockedImage]) -> Iterator[LockedImage]:
    """Yield the entries that have every platform of the index, where the image is to have these."""
    for side in _with_same_content(image, sides):
        if image.all_platforms and side.all_platforms and not (side.is_damaged or side.lacks_checksum):
            yield side


def _with_platforms_of(image: LockedImage, sides: Iterable[LockedImage]) -> LockedImage:
    added = find_lacking(image, sides)
    if not added:
        return image
    together = sorted((*image.platform_digests, *added), key=lambda entry: str(entry.platform))
    return replace(image, platform_digests=tuple(together))


def _with_labels_of(image: LockedImage, sides: Sequence[LockedImage]) -> LockedImage:
    if not has_other_labels(image, sides):
        return image
    found = [it.labels for it in _with_same_content(image, sides)]
    is_one = all(labels == found[0] for labels in found)
    return replace(image, labels=found[0] if is_one else NO_LABELS)


def _with_same_content(image: LockedImage, sides: Iterable[LockedImage]) -> Iterator[LockedImage]:
    content = (image.repository, image.digest)
    return (it for it in sides if (it.repository, it.digest) == content)

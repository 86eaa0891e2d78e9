"""What no checksum covers in an entry that git has merged: its labels, and what of the platforms was declared.

Git merges line by line. With a right checksum, index and platforms are those of one side of the merge; labels may be of
another image, and `platforms = "all"` may be of a side that locked more platforms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.labels import NO_LABELS


def settle_labels(lockfile: Lockfile, sides: Sequence[LockedImage]) -> Lockfile:
    """Return the lockfile; labels that no side has with the content are replaced by those that one has.

    Where the sides have several, or none, the entry gets no labels. ``sides`` are the entries of all sides. Content
    that no side has was locked since the merge, with its labels.
    """
    return Lockfile(tuple(_with_labels_of(image, sides) for image in lockfile.images))


def is_unsure(image: LockedImage, sides: Iterable[LockedImage]) -> bool:
    """Whether a merge may have combined the content of one side with labels, or declared platforms, of another.

    Only the index of the entry can tell: a run of this program may have written what no side has.
    """
    same = list(_with_same_content(image, sides))
    if not same:
        return False
    has_other_labels = all(it.labels != image.labels for it in same)
    same_platforms = [it for it in same if it.platform_digests == image.platform_digests]
    has_all_of_another = image.all_platforms and not any(it.all_platforms for it in same_platforms)
    has_builds_of_another = all(it.declared_builds != image.declared_builds for it in same_platforms)
    return has_other_labels or (bool(same_platforms) and (has_all_of_another or has_builds_of_another))


def _with_labels_of(image: LockedImage, sides: Iterable[LockedImage]) -> LockedImage:
    found = [it.labels for it in _with_same_content(image, sides)]
    if not found or image.labels in found:
        return image
    is_one = all(labels == found[0] for labels in found)
    return replace(image, labels=found[0] if is_one else NO_LABELS)


def _with_same_content(image: LockedImage, sides: Iterable[LockedImage]) -> Iterator[LockedImage]:
    content = (image.repository, image.digest)
    return (it for it in sides if (it.repository, it.digest) == content)

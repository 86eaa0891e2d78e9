"""The differences between two lockfiles, image by image: added, removed, or updated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from imagelock.images_file.declaration import Alias
from imagelock.locking.identity import match_entries
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform


@frozen
class Added:
    """An image that was not locked before."""

    image: LockedImage

    @property
    def alias(self) -> Alias:
        """Whose change this is."""
        return self.image.alias


@frozen
class Removed:
    """An image that is no longer locked."""

    image: LockedImage

    @property
    def alias(self) -> Alias:
        """Whose change this is."""
        return self.image.alias


@frozen
class Updated:
    """An image whose entry differs: other content, platforms or name, or only another copy of its declaration."""

    old: LockedImage
    new: LockedImage

    @property
    def alias(self) -> Alias:
        """Whose change this is."""
        return self.new.alias

    @property
    def moved_platforms(self) -> tuple[Platform, ...]:
        """Platforms that were locked before and have other content now."""
        old = {entry.platform: entry.digest for entry in self.old.platform_digests}
        return tuple(
            entry.platform
            for entry in self.new.platform_digests
            if old.get(entry.platform, entry.digest) != entry.digest
        )

    @property
    def gained_platforms(self) -> tuple[Platform, ...]:
        """Platforms that were not locked before."""
        return _platforms_beyond(self.new, self.old)

    @property
    def lost_platforms(self) -> tuple[Platform, ...]:
        """Platforms that are no longer locked."""
        return _platforms_beyond(self.old, self.new)

    @property
    def is_repair(self) -> bool:
        """Whether the old entry was damaged, and the new one has the same index."""
        return self.old.is_damaged and not self.new.is_damaged and self.old.digest == self.new.digest

    @property
    def is_rename(self) -> bool:
        """Whether nothing but the name differs."""
        return self.old.alias != self.new.alias and _is_same(replace(self.old, alias=self.new.alias), self.new)


Change = Added | Updated | Removed
_Told = Iterable[tuple[LockedImage, LockedImage]]


def find_changes(old: Lockfile, new: Lockfile, *, told: _Told = ()) -> tuple[Change, ...]:
    """List what happened to each image that differs, sorted by its new name; a renamed image is one change.

    ``told`` has both sides of images that moved, with more labels than the lockfiles have.
    """
    more = {after.alias: Updated(before, after) for before, after in told}
    changes = (_with_labels(change, more.get(change.alias)) for change in _changes(old, new))
    return tuple(sorted(changes, key=lambda change: change.alias))


def _with_labels(change: Change, told: Updated | None) -> Change:
    """Return the change with the labels of ``told``; a merge may have moved another entry than the lockfile has."""
    if not isinstance(change, Updated) or told is None:
        return change
    is_same = (told.old.tag, told.old.digest) == (change.old.tag, change.old.digest)
    return Updated(told.old if is_same else change.old, told.new)


def _changes(old: Lockfile, new: Lockfile) -> Iterator[Change]:
    entries = match_entries(new.images, old.images)
    for image in new.images:
        previous = entries.get(image.alias)
        if previous is None:
            yield Added(image)
        elif not _is_same(previous, image):
            yield Updated(previous, image)
    known = {entry.alias for entry in entries.values()}
    yield from (Removed(image) for image in old.images if image.alias not in known)


def _is_same(old: LockedImage, new: LockedImage) -> bool:
    builds = old.declared_builds or new.declared_builds  # a lockfile of an earlier version has none
    return replace(old, lacks_checksum=new.lacks_checksum, declared_builds=builds) == new


def _platforms_beyond(image: LockedImage, other: LockedImage) -> tuple[Platform, ...]:
    known = {entry.platform for entry in other.platform_digests}
    return tuple(entry.platform for entry in image.platform_digests if entry.platform not in known)

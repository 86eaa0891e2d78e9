"""What differs between two lockfiles, in the terms in which people read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imagelock.images_file.declaration import Alias
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
    """An image whose entry differs: other content, other platforms, or only another copy of its declaration."""

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


Change = Added | Updated | Removed


def find_changes(old: Lockfile, new: Lockfile) -> tuple[Change, ...]:
    """List what happened to each image that differs, sorted by alias."""
    return tuple(sorted(_changes(old, new), key=lambda change: change.alias))


def _changes(old: Lockfile, new: Lockfile) -> Iterator[Change]:
    before = old.by_alias()
    for image in new.images:
        previous = before.pop(image.alias, None)
        if previous is None:
            yield Added(image)
        elif replace(previous, lacks_checksum=image.lacks_checksum) != image:
            yield Updated(previous, image)
    yield from map(Removed, before.values())


def _platforms_beyond(image: LockedImage, other: LockedImage) -> tuple[Platform, ...]:
    known = {entry.platform for entry in other.platform_digests}
    return tuple(entry.platform for entry in image.platform_digests if entry.platform not in known)

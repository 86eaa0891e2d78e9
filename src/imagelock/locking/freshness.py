"""Whether images.lock matches images.toml, with a reason for each difference.

A pure function of the two files, without network or clock: a tag that moved in its registry never makes a lock stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.identity import match_entries
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform, choose_platforms
from imagelock.model.reference import AnyRepository
from imagelock.model.selector import ExactDigest, Selector, accepts


@frozen
class NotLocked:
    """An image that images.toml declares and images.lock lacks."""

    alias: Alias

    def __str__(self) -> str:
        return "declared, but not locked"


@frozen
class NotDeclared:
    """An image in images.lock that images.toml no longer has."""

    alias: Alias

    def __str__(self) -> str:
        return "locked, but no longer declared"


@frozen
class Damaged:
    """An entry whose checksum is wrong: its platforms may not be those of its index."""

    alias: Alias

    def __str__(self) -> str:
        return "damaged: its checksum does not match its digests, as after a hand edit or a merge of two updates"


@frozen
class Renamed:
    """An image that is locked under another name."""

    alias: Alias
    locked: Alias

    def __str__(self) -> str:
        return f"locked under the name `{self.locked}`"


@frozen
class RepositoryChanged:
    """The declared image has another repository than the locked one."""

    alias: Alias
    locked: AnyRepository
    declared: AnyRepository

    def __str__(self) -> str:
        return f"the image is now {self.declared}; {self.locked} is locked"


@frozen
class SelectorChanged:
    """The tag, digest or range in images.toml is not the one that was declared when the image was locked."""

    alias: Alias
    locked: LockedImage
    declared: Selector
    is_accepted: bool
    """Whether the locked content satisfies the new declaration, too, so that nothing has to move."""

    def __str__(self) -> str:
        locked = f"tag `{self.locked.tag}`" if self.locked.tag else f"digest `{self.locked.digest.short}`"
        return f"images.toml now has {self.declared}; {locked} is locked" + " and satisfies it" * self.is_accepted


@frozen
class PlatformNotLocked:
    """A declared platform that the entry does not have."""

    alias: Alias
    platform: Platform

    def __str__(self) -> str:
        return f"platform {self.platform} declared, but not locked"


@frozen
class PlatformNotDeclared:
    """A locked platform that is no longer declared."""

    alias: Alias
    platform: Platform

    def __str__(self) -> str:
        return f"platform {self.platform} locked, but no longer declared"


@frozen
class SeveralPlatforms:
    """A declared platform that names more than one of the locked ones."""

    alias: Alias
    platform: Platform
    locked: tuple[Platform, ...]

    def __str__(self) -> str:
        return f"platform {self.platform} declared, and several locked: {', '.join(map(str, self.locked))}"


@frozen
class BuildsChanged:
    """images.toml names other builds of Windows than it did when the image was locked, or none."""

    alias: Alias
    loosened: tuple[Platform, ...]
    """Declared platforms that name less of a build than before: the index may offer several."""

    def __str__(self) -> str:
        if not self.loosened:
            return "images.toml names other Windows builds"
        return f"platform {', '.join(map(str, self.loosened))} declared, a build of it locked by its name"


@frozen
class AllPlatformsChanged:
    """Every platform of the index is wanted now and was not before, or the other way round."""

    alias: Alias
    wants_all: bool

    def __str__(self) -> str:
        if self.wants_all:
            return "every platform declared, a list of platforms locked"
        return "a list of platforms declared, every platform locked"


Mismatch = (
    NotLocked
    | NotDeclared
    | Damaged
    | RepositoryChanged
    | SelectorChanged
    | PlatformNotLocked
    | PlatformNotDeclared
    | SeveralPlatforms
    | Renamed
    | BuildsChanged
    | AllPlatformsChanged
)


def find_mismatches(images_file: ImagesFile, lockfile: Lockfile) -> tuple[Mismatch, ...]:
    """Return every difference between the lock and the images file, sorted by alias; empty if they match."""
    entries = match_entries(images_file.images, lockfile.images)
    found: list[Mismatch] = []
    for declaration in images_file.images:
        locked = entries.get(declaration.alias)
        found += [NotLocked(declaration.alias)] if locked is None else compare(declaration, locked)
    known = {entry.alias for entry in entries.values()}
    found += [NotDeclared(image.alias) for image in lockfile.images if image.alias not in known]
    return tuple(sorted(found, key=lambda mismatch: mismatch.alias))


def declares_platforms(lockfile: Lockfile) -> bool:
    """Whether an entry says what was declared of its platforms, which no checksum covers."""
    return any(image.all_platforms or image.declared_builds for image in lockfile.images)


def compare(declaration: ImageDeclaration, locked: LockedImage) -> Iterator[Mismatch]:
    """Yield every difference between one locked image and its declaration."""
    alias = declaration.alias
    if locked.alias != alias:
        yield Renamed(alias, locked.alias)
    if locked.is_damaged:
        yield Damaged(alias)
    if declaration.repository != locked.repository:
        yield RepositoryChanged(alias, locked.repository, declaration.repository)
    wanted = declaration.selector
    is_accepted = accepts(wanted, tag=locked.tag, digest=locked.digest)
    has_other_tag = isinstance(wanted, ExactDigest) and locked.tag != wanted.tag
    # An entry that was edited by hand may have the declaration of images.toml and content that does not satisfy it.
    if wanted != locked.selector or not is_accepted or has_other_tag:
        yield SelectorChanged(alias, locked, wanted, is_accepted)
    if locked.all_platforms == bool(declaration.platforms):
        yield AllPlatformsChanged(alias, wants_all=not declaration.platforms)
    elif locked.declared_builds not in ((), declaration.builds):
        # Without builds, an index could only offer one platform, or a lockfile of an earlier version has none.
        yield BuildsChanged(alias, tuple(_loosened(declaration.platforms, locked.declared_builds)))
    yield from _compare_platforms(declaration, locked)


def _loosened(declared: Iterable[Platform], builds: Sequence[Platform]) -> Iterator[Platform]:
    """Yield declared platforms that match one of the builds, and name less of it."""
    for platform in declared:
        if platform not in builds and any(map(platform.matches, builds)):
            yield platform


def _compare_platforms(declaration: ImageDeclaration, locked: LockedImage) -> Iterator[Mismatch]:
    choice = choose_platforms(declaration.platforms, locked.platform_digests)
    if (choice.chosen, choice.missing, choice.ambiguous) == (locked.platform_digests, (), ()):
        return  # the usual case, for which no platform is hashed
    yield from (PlatformNotLocked(declaration.alias, platform) for platform in choice.missing)
    known = {entry.platform for entry in choice.chosen}
    for platform, matches in choice.ambiguous:
        yield SeveralPlatforms(declaration.alias, platform, matches)
        known.update(matches)
    for entry in locked.platform_digests:
        if entry.platform not in known:
            yield PlatformNotDeclared(declaration.alias, entry.platform)

"""What ``lock`` and ``update`` do to images.lock: first a plan, from the two files alone, then its steps.

``lock`` is the smallest change that makes the lock answer images.toml; it never moves a digest that still answers.
``update`` moves images to what their tags give today. Both change everything that was asked for, or nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from imagelock.declaration import ImageDeclaration
from imagelock.errors import ImageNotFoundError
from imagelock.freshness import (
    AllPlatformsChanged,
    Mismatch,
    PlatformNotLocked,
    RepositoryChanged,
    SelectorChanged,
    compare,
)
from imagelock.images_file import ImagesFile
from imagelock.lockfile import LockedImage, Lockfile
from imagelock.platform_selection import select_platforms
from imagelock.platforms import PlatformDigest
from imagelock.reference import ImageReference, PinnedReference, TagReference
from imagelock.resolving import ManifestSource, resolve_image
from imagelock.selectors import ExactDigest, ExactTag


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one image, and what its owner should know beyond the change itself."""

    image: LockedImage
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing needs to move; at most the copy of the declaration is written anew, or a platform's line dropped."""

    declaration: ImageDeclaration
    locked: LockedImage
    note: str | None = None

    def run(self) -> StepResult:
        """Answer the declaration from what is locked."""
        platforms = self.declaration.platforms
        kept = tuple(
            entry
            for entry in self.locked.platform_digests
            if not platforms or any(platform.matches(entry.platform) for platform in platforms)
        )
        return StepResult(_restate(self.declaration, self.locked, kept), self.note)


@dataclass(frozen=True, slots=True)
class AddPlatforms:
    """Read more platforms out of the index that is locked: its tag may have moved since, and must not matter."""

    declaration: ImageDeclaration
    locked: LockedImage

    @property
    def reference(self) -> ImageReference:
        """What the source is going to be asked for."""
        return PinnedReference(self.declaration.repository, self.locked.digest, self.locked.tag)

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the locked index once more."""
        try:
            resolved = resolve_image(self.reference, source)
        except ImageNotFoundError as error:
            raise ImageNotFoundError(
                f"{self.reference} is no longer served, so that no platform can be added to it",
                details=[error.message],
                hint=f"run `imagelock update {self.declaration.alias}`",
            ) from error
        chosen = select_platforms(self.declaration.platforms, resolved, self.reference)
        return StepResult(_restate(self.declaration, self.locked, chosen))


@dataclass(frozen=True, slots=True)
class Resolve:
    """Lock what the declaration selects today."""

    declaration: ImageDeclaration

    @property
    def reference(self) -> ImageReference:
        """What the source is going to be asked for."""
        return _reference(self.declaration)

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the declared tag or digest."""
        return StepResult(_resolve(self.declaration, source))


@dataclass(frozen=True, slots=True)
class Refresh:
    """Move a locked image to what its declaration selects today, if that is something else for its platforms."""

    declaration: ImageDeclaration
    locked: LockedImage
    takes_every_index: bool

    @property
    def reference(self) -> ImageReference:
        """What the source is going to be asked for."""
        return _reference(self.declaration)

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the digest first, which costs no pull, and for the content only where it moved."""
        if source.fetch_digest(self.reference) == self.locked.digest:
            return Keep(self.declaration, self.locked).run()
        new = _resolve(self.declaration, source)
        if new.platform_digests != self.locked.platform_digests or self.takes_every_index:
            return StepResult(new)
        if _is_served(self.locked, source):
            note = "index re-pushed, your platforms are unchanged (use --index to take it)"
            return StepResult(replace(new, digest=self.locked.digest), note)
        return StepResult(new, "index re-pushed, and the locked one is no longer served: taken")


OfflineStep = Keep
OnlineStep = AddPlatforms | Resolve | Refresh
Step = OfflineStep | OnlineStep


def plan_lock(images_file: ImagesFile, lockfile: Lockfile) -> tuple[Step, ...]:
    """Choose the smallest step for each image; where all are ``Keep``, locking asks nobody."""
    return plan_update(images_file, lockfile, aliases=())


def plan_update(
    images_file: ImagesFile, lockfile: Lockfile, *, aliases: Collection[str], takes_every_index: bool = False
) -> tuple[Step, ...]:
    """Refresh the named images, except frozen ones, and choose the smallest step for the others."""
    locked_images = lockfile.by_alias()
    steps: list[Step] = []
    for declaration in images_file.images:
        locked = locked_images.get(declaration.alias)
        step = _smallest_step(declaration, locked)
        if declaration.alias in aliases and isinstance(step, Keep | AddPlatforms):
            if declaration.freeze is None:
                step = Refresh(declaration, step.locked, takes_every_index)
            elif isinstance(step, Keep):
                step = replace(step, note=f"frozen: {declaration.freeze}")
        steps.append(step)
    return tuple(steps)


def _smallest_step(declaration: ImageDeclaration, locked: LockedImage | None) -> Step:
    if locked is None:
        return Resolve(declaration)
    mismatches = tuple(compare(declaration, locked))
    if any(map(_needs_other_content, mismatches)):
        return Resolve(declaration)
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


def _resolve(declaration: ImageDeclaration, source: ManifestSource) -> LockedImage:
    reference = _reference(declaration)
    resolved = resolve_image(reference, source)
    return LockedImage(
        alias=declaration.alias,
        repository=declaration.repository,
        selector=declaration.selector,
        all_platforms=not declaration.platforms,
        tag=reference.tag,
        digest=resolved.digest,
        platform_digests=select_platforms(declaration.platforms, resolved, reference),
    )


def _restate(
    declaration: ImageDeclaration, locked: LockedImage, platform_digests: tuple[PlatformDigest, ...]
) -> LockedImage:
    """Copy the declaration into a locked image whose content stays."""
    tag = declaration.selector.tag if isinstance(declaration.selector, ExactDigest) else locked.tag
    return replace(
        locked,
        selector=declaration.selector,
        all_platforms=not declaration.platforms,
        tag=tag,
        platform_digests=platform_digests,
    )


def _reference(declaration: ImageDeclaration) -> ImageReference:
    match declaration.selector:
        case ExactTag(tag):
            return TagReference(declaration.repository, tag)
        case ExactDigest(digest, tag):
            return PinnedReference(declaration.repository, digest, tag)


def _is_served(locked: LockedImage, source: ManifestSource) -> bool:
    try:
        source.fetch_digest(PinnedReference(locked.repository, locked.digest, locked.tag))
    except ImageNotFoundError:
        return False
    return True

"""The step that needs no registry, and the result of any step: all that ``lock`` loads if nothing is stale."""

from __future__ import annotations

from dataclasses import replace

from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.lockfile import LockedImage
from imagelock.model.frozen import frozen
from imagelock.model.platforms import PlatformDigest, choose_platforms
from imagelock.model.selector import ExactDigest


@frozen
class StepResult:
    """The new entry of one image, with messages about it."""

    image: LockedImage
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """Messages for ``--verbose``."""
    told: tuple[LockedImage, LockedImage] | None = None
    """The image before and after a move, with labels for the report that are not recorded."""


@frozen
class KeepLocked:
    """Keep the locked content; only the copy of the declaration may change, and platforms may be dropped."""

    declaration: ImageDeclaration
    locked: LockedImage
    notes: tuple[str, ...] = ()

    def run(self) -> StepResult:
        """Return the entry with the declared platforms; no registry is asked."""
        kept = choose_platforms(self.declaration.platforms, self.locked.platform_digests).chosen
        return StepResult(copy_declaration(self.declaration, self.locked, kept), self.notes)


def copy_declaration(
    declaration: ImageDeclaration, locked: LockedImage, platform_digests: tuple[PlatformDigest, ...]
) -> LockedImage:
    """Return a locked image with a new copy of its declaration, and the same index."""
    tag = declaration.selector.tag if isinstance(declaration.selector, ExactDigest) else locked.tag
    return replace(
        locked,
        alias=declaration.alias,
        selector=declaration.selector,
        all_platforms=not declaration.platforms,
        declared_builds=declaration.builds,
        tag=tag,
        platform_digests=platform_digests,
    )

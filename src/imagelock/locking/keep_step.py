"""The step that asks nothing, and what a step gives; with nothing stale, ``lock`` loads no other."""

from __future__ import annotations

from dataclasses import replace

from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.lockfile import LockedImage
from imagelock.model.frozen import frozen
from imagelock.model.platforms import PlatformDigest, choose_platforms
from imagelock.model.selector import ExactDigest


@frozen
class StepResult:
    """What became of one image, and what its owner should know beyond the change itself."""

    image: LockedImage
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """What only those want to read who ask why."""
    told: tuple[LockedImage, LockedImage] | None = None
    """The image before and after a move, with labels that are told and not recorded."""


@frozen
class KeepLocked:
    """Nothing needs to move; at most the copy of the declaration is written anew, or a platform's line dropped."""

    declaration: ImageDeclaration
    locked: LockedImage
    notes: tuple[str, ...] = ()

    def run(self) -> StepResult:
        """Answer the declaration from what is locked."""
        kept = choose_platforms(self.declaration.platforms, self.locked.platform_digests).chosen
        return StepResult(copy_declaration(self.declaration, self.locked, kept), self.notes)


def copy_declaration(
    declaration: ImageDeclaration, locked: LockedImage, platform_digests: tuple[PlatformDigest, ...]
) -> LockedImage:
    """Copy the declaration into a locked image whose content stays."""
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

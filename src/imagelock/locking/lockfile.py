"""What every image in images.toml was when it was locked: the values of images.lock."""

from __future__ import annotations

from collections.abc import Iterable

from imagelock.images_file.declaration import Alias
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.image_config import NO_LABELS, Labels
from imagelock.model.platforms import PlatformDigest
from imagelock.model.reference import AnyRepository
from imagelock.model.selector import Selector


@frozen(kw_only=True)
class LockedImage:
    """One image as it was locked, beside a copy of what selected it."""

    alias: Alias
    repository: AnyRepository
    selector: Selector
    all_platforms: bool = False
    """Whether every platform of the index was wanted, not a list of them."""
    tag: str | None
    digest: Digest
    """The image index's digest, or the manifest's where the image has no index."""
    platform_digests: tuple[PlatformDigest, ...]
    """Sorted by the platform's name."""
    labels: Labels = NO_LABELS
    """What the image said about itself; for readers, and never compared with anything."""


@frozen
class Lockfile:
    """All locked images, sorted by alias."""

    images: tuple[LockedImage, ...] = ()

    def replacing(self, images: Iterable[LockedImage]) -> Lockfile:
        """Return the same lockfile with some of its images in another version."""
        return Lockfile(tuple((self.by_alias() | {image.alias: image for image in images}).values()))

    def by_alias(self) -> dict[str, LockedImage]:
        """Index the images by their aliases."""
        return {image.alias: image for image in self.images}

"""The version behind a floating tag, from the labels of the image.

Locking uses what needs no request: an index of Docker's official images has the labels of its entries, and a single
image's configuration was read for its platform. Where an update has found new content, the configurations of the first
locked platform are fetched, old and new, with two requests each, so that the report can name both versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imagelock.errors import RegistryError
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.resolve import fetch_image
from imagelock.locking.source import ManifestSource
from imagelock.model.image_config import Labels
from imagelock.model.platforms import PlatformDigest
from imagelock.model.reference import ImageReference, PinnedReference
from imagelock.model.tags.guess import guess_pattern

_EXACT_NUMBERS = 3


def learn_labels(image: LockedImage, source: ManifestSource) -> LockedImage:
    """Add what a locked image's configuration says where no version is known of it; never fails."""
    reference = PinnedReference(image.repository, image.digest, image.tag)
    return replace(image, labels=find_labels(reference, image.labels, image.platform_digests, source))


def find_labels(
    reference: ImageReference,
    known: Labels,
    platform_digests: Sequence[PlatformDigest],
    source: ManifestSource,
) -> Labels:
    """Join what is known of an image and, where no version is, what its configuration says; never fails."""
    if known.version or names_version(reference.tag):
        return known
    try:
        _, config = fetch_image(reference.repository, platform_digests[0].digest, source)
    except RegistryError:
        return known
    return known.filled_from(config.labels)


def names_version(tag: str | None) -> bool:
    """Whether a tag names one release, by three numbers or a day; 20-slim and 22.04 are moved from one to the next."""
    reading = None if tag is None else guess_pattern(tag)
    return reading is not None and (reading.is_date or reading.version.count(".") + 1 >= _EXACT_NUMBERS)

"""The version behind a floating tag, from the labels of the image.

Locking records labels that cost no request: those in the index, which Docker's official images have, or in the
configuration of an image without an index, which was read for its platform. For the report of an update, the
configurations of the first locked platform are fetched, old and new, with two requests each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imagelock.errors import RegistryError
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.resolve import fetch_image
from imagelock.locking.source import ManifestSource
from imagelock.model.labels import Labels
from imagelock.model.platforms import PlatformDigest
from imagelock.model.reference import ImageReference, PinnedReference
from imagelock.model.tags.guess import guess_pattern

_EXACT_NUMBERS = 3


def learn_labels(image: LockedImage, source: ManifestSource) -> LockedImage:
    """Return the image with the labels of its configuration, if its version is not known; failures are ignored."""
    reference = PinnedReference(image.repository, image.digest, image.tag)
    return replace(image, labels=find_labels(reference, image.labels, image.platform_digests, source))


def find_labels(
    reference: ImageReference,
    known: Labels,
    platform_digests: Sequence[PlatformDigest],
    source: ManifestSource,
) -> Labels:
    """Return the known labels; without a version, with those of the configuration; failures are ignored."""
    if known.version or names_version(reference.tag):
        return known
    try:
        _, config = fetch_image(reference.repository, platform_digests[0].digest, source)
    except RegistryError:
        return known
    return known.filled_from(config.labels)


def names_version(tag: str | None) -> bool:
    """Whether a tag names one release, by three numbers or a date; ``20-slim`` and ``22.04`` move between releases."""
    reading = None if tag is None else guess_pattern(tag)
    return reading is not None and (reading.is_date or reading.version.count(".") + 1 >= _EXACT_NUMBERS)

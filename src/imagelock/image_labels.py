"""Which version is a floating tag? What an image says, asked for where nobody has said it yet.

Most images need no request: an index of Docker's official images carries the labels of its entries, a single image's
configuration was read for its platform, and a tag such as ``3.12.4-slim`` tells its version itself. For the others, the
configuration of the first locked platform is fetched: two requests, once, since content by digest is cached.
"""

from __future__ import annotations

from collections.abc import Sequence

from imagelock.errors import RegistryError
from imagelock.labels import Labels
from imagelock.platforms import PlatformDigest
from imagelock.reference import ImageReference
from imagelock.resolving import ManifestSource, ResolvedImage, fetch_image
from imagelock.tags.reading import read_tag

_EXACT_NUMBERS = 3


def find_labels(
    reference: ImageReference,
    resolved: ResolvedImage,
    platform_digests: Sequence[PlatformDigest],
    source: ManifestSource,
) -> Labels:
    """Join what is known of an image and, where no version is, what its configuration says; never fails."""
    known = resolved.labels_of(platform_digests)
    first = platform_digests[0].digest
    if known.version or _tells_version(reference.tag) or first == resolved.digest:
        return known
    try:
        _, config = fetch_image(reference.repository, first, source)
    except RegistryError:
        return known
    return known.filled_from(config.labels)


def _tells_version(tag: str | None) -> bool:
    """Whether a tag names one release, by three numbers or a day; 20-slim and 22.04 are moved from one to the next."""
    reading = None if tag is None else read_tag(tag)
    return reading is not None and (reading.is_date or reading.version.count(".") + 1 >= _EXACT_NUMBERS)

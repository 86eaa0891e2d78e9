"""Which entry of images.lock belongs to which image: by repository and by what selects it, not by name alone.

Names are the user's: an image that is renamed, or two that change places, keep the digests that were locked for them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

from imagelock.images_file.declaration import Alias
from imagelock.locking.lockfile import LockedImage
from imagelock.model.frozen import frozen
from imagelock.model.reference import AnyRepository
from imagelock.model.selector import Selector, accepts


class NamedImage(Protocol):
    """What a declaration and a locked entry have in common."""

    @property
    def alias(self) -> Alias:
        """The name under ``[images]``."""

    @property
    def repository(self) -> AnyRepository:
        """Where the image comes from."""

    @property
    def selector(self) -> Selector:
        """What selects its content there."""


_Image = TypeVar("_Image", bound=NamedImage)


@frozen
class _Rule:
    """One way in which an image resembles an entry: they agree on a key, and perhaps on something beyond it."""

    key: Callable[[NamedImage], Hashable]
    fits: Callable[[NamedImage, LockedImage], bool] = lambda _image, _entry: True


def match_entries(images: Iterable[_Image], entries: Iterable[LockedImage]) -> dict[Alias, LockedImage]:
    """Give each image its entry, by the image's alias; no entry belongs to two images, and some have none.

    The strongest resemblance decides first: an image that was only renamed never loses its entry to the one that has
    its old name now.
    """
    found: dict[Alias, LockedImage] = {}
    unmatched, free = list(images), list(entries)
    for rule in _RULES:
        if not (unmatched and free):
            break
        _match(rule, unmatched, free, found)
        unmatched = [image for image in unmatched if image.alias not in found]
        taken = {entry.alias for entry in found.values()}
        free = [entry for entry in free if entry.alias not in taken]
    return found


def _match(
    rule: _Rule, images: Iterable[NamedImage], entries: Iterable[LockedImage], found: dict[Alias, LockedImage]
) -> None:
    by_key: dict[Hashable, list[LockedImage]] = {}
    for entry in entries:
        by_key.setdefault(rule.key(entry), []).append(entry)
    for image in images:
        candidates = by_key.get(rule.key(image), [])
        fitting = next((candidate for candidate in candidates if rule.fits(image, candidate)), None)
        if fitting is not None:
            found[image.alias] = fitting
            candidates.remove(fitting)


def _is_same_image(image: NamedImage, entry: LockedImage) -> bool:
    return image.repository == entry.repository and image.selector == entry.selector


def _takes_content(image: NamedImage, entry: LockedImage) -> bool:
    return accepts(image.selector, tag=entry.tag, digest=entry.digest)


_RULES = (
    _Rule(lambda image: image.alias, _is_same_image),
    _Rule(lambda image: (image.repository, image.selector)),
    _Rule(lambda image: (image.alias, image.repository)),
    # Renamed and selected by other words at once, such as a tag that became a range around it.
    _Rule(lambda image: image.repository, _takes_content),
    _Rule(lambda image: image.alias),
)

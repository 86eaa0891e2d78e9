"""Which entry of images.lock belongs to which image: by repository and by what selects it, not by name alone.

Users may rename images: a renamed image, or two that swap names, keep their locked digests.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.locking.lockfile import LockedImage
from imagelock.model.reference import AnyRepository
from imagelock.model.selector import Selector, accepts

Identity = tuple[AnyRepository, Selector]
"""What an entry belongs to: its repository, and what selects the image there."""

_Image = ImageDeclaration | LockedImage
_Key = Callable[[_Image], Hashable]
_Fits = Callable[[_Image, LockedImage], bool]


def identities(images: Iterable[_Image]) -> set[Identity]:
    """Return what the images are, whatever their names."""
    return {(image.repository, image.selector) for image in images}


def find_lost(images: Iterable[_Image], entries: Iterable[_Image]) -> set[Identity]:
    """Return the images for which there is no entry under any name, unless it is declared differently."""
    return identities(images) - identities(entries)


def match_entries(images: Iterable[_Image], entries: Iterable[LockedImage]) -> dict[Alias, LockedImage]:
    """Return each image's entry, by the image's alias; an entry belongs to one image at most.

    The rules are applied one after the other, the strictest first, so that an image that was only renamed never loses
    its entry to the image that has its old name now.
    """
    found: dict[Alias, LockedImage] = {}
    unmatched, free = list(images), list(entries)
    for key, fits in _RULES:
        if not (unmatched and free):
            break
        _match(key, fits, unmatched, free, found)
        unmatched = [image for image in unmatched if image.alias not in found]
        # By object: a lockfile that git has merged may have a name twice.
        taken = {id(entry) for entry in found.values()}
        free = [entry for entry in free if id(entry) not in taken]
    return found


def _match(
    key: _Key, fits: _Fits, images: Iterable[_Image], entries: Iterable[LockedImage], found: dict[Alias, LockedImage]
) -> None:
    """Add to ``found`` the images and entries that have the same key and that ``fits`` accepts."""
    by_key: dict[Hashable, list[LockedImage]] = {}
    for entry in entries:
        by_key.setdefault(key(entry), []).append(entry)
    for image in images:
        candidates = by_key.get(key(image), [])
        fitting = next((candidate for candidate in candidates if fits(image, candidate)), None)
        if fitting is not None:
            found[image.alias] = fitting
            candidates.remove(fitting)


def _is_same_image(image: _Image, entry: LockedImage) -> bool:
    return image.repository == entry.repository and image.selector == entry.selector


def _takes_content(image: _Image, entry: LockedImage) -> bool:
    return accepts(image.selector, tag=entry.tag, digest=entry.digest)


def _is_any(_image: _Image, _entry: LockedImage) -> bool:
    return True


# The strictest first.
_RULES: tuple[tuple[_Key, _Fits], ...] = (
    (lambda image: image.alias, _is_same_image),
    (lambda image: (image.repository, image.selector), _is_any),
    (lambda image: (image.alias, image.repository), _is_any),
    # Renamed and declared differently at once: a tag, say, that became a range which contains it.
    (lambda image: image.repository, _takes_content),
    (lambda image: image.alias, _is_any),
)

"""Which entry of images.lock belongs to which image: by repository and by what selects it, not by name alone.

Names are the user's: an image that is renamed, or two that change places, keep the digests that were locked for them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.locking.lockfile import LockedImage
from imagelock.model.selector import accepts

_Image = ImageDeclaration | LockedImage
_Key = Callable[[_Image], Hashable]
_Fits = Callable[[_Image, LockedImage], bool]


def match_entries(images: Iterable[_Image], entries: Iterable[LockedImage]) -> dict[Alias, LockedImage]:
    """Give each image its entry, by the image's alias; no entry belongs to two images, and some have none.

    The strongest resemblance decides first: an image that was only renamed never loses its entry to the one that has
    its old name now.
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
    """Match what agrees on a key, and on what lies beyond it."""
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


# From the strongest resemblance to the weakest.
_RULES: tuple[tuple[_Key, _Fits], ...] = (
    (lambda image: image.alias, _is_same_image),
    (lambda image: (image.repository, image.selector), _is_any),
    (lambda image: (image.alias, image.repository), _is_any),
    # Renamed and selected by other words at once, such as a tag that became a range around it.
    (lambda image: image.repository, _takes_content),
    (lambda image: image.alias, _is_any),
)

"""Names of images that somebody typed."""

from __future__ import annotations

from collections.abc import Iterable

from imagelock.errors import ImagelockError, did_you_mean
from imagelock.images_file.parser import IMAGES_FILE_NAME, ImagesFile


def refuse_unknown_images(names: Iterable[str], images_file: ImagesFile) -> None:
    """Name every one that images.toml doesn't have, with a guess."""
    aliases = [image.alias for image in images_file.images]
    unknown = [name for name in names if name not in aliases]
    if unknown:
        guesses = [f"{IMAGES_FILE_NAME} has no image `{name}`{did_you_mean(name, aliases)}" for name in unknown]
        raise ImagelockError(guesses[0], details=guesses[1:])

"""The locked images as builders know them: by repository and tag, whatever names images.toml gives them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from imagelock.errors import ImagelockError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, DOCKER_HUB, Repository
from imagelock.rendering.template import RenderedImage

_OFFICIAL = "library/"


class ExportError(ImagelockError):
    """A locked image that a format cannot express; the details list every one."""


@frozen
class RegistryImage:
    """A locked image of a registry."""

    alias: str
    repository: Repository
    tag: str | None
    """None where the image is declared by its digest alone."""
    digest: Digest
    platform_digests: tuple[Digest, ...]
    """Sorted, each once, without the image's own digest."""

    @classmethod
    def of(cls, image: RenderedImage) -> Self | None:
        """Return the image; None for one that comes from an OCI layout and is in no registry."""
        locked = image.locked
        if not isinstance(locked.repository, Repository):
            return None
        children = {entry.digest for entry in locked.platform_digests} - {locked.digest}
        return cls(locked.alias, locked.repository, locked.tag, locked.digest, tuple(sorted(children, key=str)))

    @property
    def digests(self) -> tuple[Digest, ...]:
        """The image's own digest, then those of its platforms."""
        return (self.digest, *self.platform_digests)

    @property
    def canonical_name(self) -> str:
        """``docker.io/library/golang:1.22``; without a tag, the repository."""
        return f"{self.repository}:{self.tag}" if self.tag else str(self.repository)

    @property
    def familiar_repository(self) -> str:
        """``golang``: Docker's short form, in which ``docker.io`` and ``library`` are left out."""
        if self.repository.registry != DOCKER_HUB:
            return str(self.repository)
        path = self.repository.path
        name = path.removeprefix(_OFFICIAL)
        return path if "/" in name else name

    @property
    def familiar_name(self) -> str:
        """``golang:1.22``, and ``golang`` for ``golang:latest``; without a tag, ``golang@sha256:…``."""
        if self.tag is None:
            return f"{self.familiar_repository}@{self.digest}"
        return self.familiar_repository + ("" if self.tag == DEFAULT_TAG else f":{self.tag}")

    @property
    def pinned_name(self) -> str:
        """``docker.io/library/golang:1.22@sha256:…``, always with the image's own digest, never a platform's."""
        return f"{self.canonical_name}@{self.digest}"


def registry_images(
    images: Iterable[RenderedImage], *, consumer: str, by_name: bool = True
) -> tuple[RegistryImage, ...]:
    """Return the images by repository, tag and digest, each once, sorted.

    ``ExportError`` names each one that is in no registry and, for a consumer that finds images ``by_name``, each
    name with two digests.
    """
    problems: list[str] = []
    found: dict[str, RegistryImage] = {}
    for image in images:
        known = RegistryImage.of(image)
        if known is None:
            problems.append(f"{image.locked.alias}: it comes from an OCI layout, and {consumer} has no name for it")
            continue
        key = known.canonical_name if known.tag and by_name else known.pinned_name
        first = found.setdefault(key, known)
        if first.digest != known.digest:
            problems.append(f"{first.alias}, {known.alias}: two digests are locked for {known.canonical_name}")
    refuse(problems, consumer)
    return tuple(found[key] for key in sorted(found))


def refuse(problems: Iterable[str], consumer: str) -> None:
    """Raise ``ExportError`` if there is any problem."""
    details = sorted(problems)
    if details:
        raise ExportError(
            f"cannot export images for {consumer}", details=details, hint="name the images to export instead of all"
        )

"""Locked images as exports get them, made from references."""

from __future__ import annotations

from collections.abc import Mapping

from imagelock.images_file.declaration import Alias
from imagelock.images_file.exports import Export, ExportFormat
from imagelock.locking.lockfile import LockedImage
from imagelock.model.digest import Digest
from imagelock.model.platforms import Platform, PlatformDigest
from imagelock.model.reference import LayoutRepository, split_image
from imagelock.model.selector import ExactDigest, ExactTag
from imagelock.rendering.exports.formats import Exported, ExportInput, make_export
from imagelock.rendering.template import RenderedImage

DIGEST = "sha256:" + "a" * 64
AMD64 = "sha256:" + "b" * 64
ARM64 = "sha256:" + "c" * 64
OTHER = "sha256:" + "d" * 64
PLATFORMS = {"linux/amd64": AMD64, "linux/arm64": ARM64}


def locked_image(
    alias: str, reference: str, *, digest: str = DIGEST, platforms: Mapping[str, str] = PLATFORMS
) -> RenderedImage:
    """An image as if images.toml declared it under this reference; one with a digest alone keeps it."""
    written = split_image(reference)
    is_layout = isinstance(written.repository, LayoutRepository)
    tag = written.tag if written.digest or written.tag or is_layout else "latest"
    found = written.digest or Digest.parse(digest)
    locked = LockedImage(
        alias=Alias(alias),
        repository=written.repository,
        selector=ExactDigest(written.digest, written.tag) if written.digest else ExactTag(tag or ""),
        tag=tag,
        digest=found,
        platform_digests=tuple(
            PlatformDigest(Platform.parse(platform), Digest.parse(child)) for platform, child in platforms.items()
        ),
    )
    return RenderedImage(written.name, tag, locked)


def export(format_: str, *images: RenderedImage, files: Mapping[str, str] | None = None, **options: object) -> Exported:
    """Make an export; ``files`` are the compose files that it names."""
    source = ExportInput(
        images={image.locked.alias: image for image in images},
        read=lambda name: (files or {})[name].encode(),
    )
    fields = {"sources": tuple(files or ()), **options}
    return make_export(Export(format=ExportFormat(format_), **fields), source)  # type: ignore[arg-type]  # as named

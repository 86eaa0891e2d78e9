"""From a reference to what a lock records: the digest of what was found, and each platform's.

The source may be a registry or a layout on disk. Attestations are left out, nested indexes are followed to a small
depth, and a single image's platform is read from its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from imagelock.errors import ImageNotFoundError, InvalidContentError, PlatformNotFoundError
from imagelock.locking.source import ManifestSource
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.image_config import NO_LABELS, ImageConfig, Labels, parse_image_config
from imagelock.model.oci import (
    Descriptor,
    FetchedManifest,
    ImageIndex,
    ImageManifest,
    parse_config_platform,
    parse_manifest,
)
from imagelock.model.platforms import Platform, PlatformDigest, by_name, choose_platforms
from imagelock.model.reference import AnyRepository, ImageReference, PinnedReference

_MAX_DEPTH = 3
"""Indexes in indexes are legal and rare; BuildKit and containerd follow them, real ones have one level."""
_MAX_FOLLOWED = 100
"""Manifests that must be fetched to know their platforms; usually there is none."""


@frozen
class ResolvedImage:
    """What a registry holds under a reference at one moment."""

    digest: Digest
    platform_digests: tuple[PlatformDigest, ...]
    """One for each platform, sorted; of two entries for the same, the first, which builders take as well."""
    labels: Labels = NO_LABELS
    """What the index says, and what it lacks, from the first of all its images that has it; no request of its own.

    Which platforms are wanted plays no part: adding or dropping one must not change a label.
    """


def resolve_image(reference: ImageReference, source: ManifestSource) -> ResolvedImage:
    """Ask the source for an image and all its platforms; usually that is one request."""
    return resolve_fetched(reference, source.fetch_manifest(reference), source)


def resolve_fetched(reference: ImageReference, fetched: FetchedManifest, source: ManifestSource) -> ResolvedImage:
    """List the platforms of what was fetched under a reference; only nested indexes cost further requests."""
    descent = _Descent(reference, source)
    first_of_each = {entry.platform: entry for entry in reversed(list(descent.platform_digests(fetched)))}
    platform_digests = by_name(first_of_each.values())
    labels = descent.labels.get(fetched.digest, NO_LABELS)
    for entry in platform_digests:
        labels = labels.filled_from(descent.labels.get(entry.digest, NO_LABELS))
    return ResolvedImage(fetched.digest, platform_digests, labels)


def is_served(reference: PinnedReference, source: ManifestSource) -> bool:
    """Ask whether content is still there; only a plain no counts as one, every other failure is raised."""
    try:
        source.fetch_digest(reference)
    except ImageNotFoundError:
        return False
    return True


def fetch_image(repository: AnyRepository, digest: Digest, source: ManifestSource) -> tuple[ImageManifest, ImageConfig]:
    """Ask for one platform's image and its configuration: two requests."""
    manifest = parse_manifest(source.fetch_manifest(PinnedReference(repository, digest)))
    if not isinstance(manifest, ImageManifest):
        raise InvalidContentError(f"{digest} of {repository} is an image index, where a platform's image was expected")
    body = source.fetch_blob(repository, manifest.config)
    return manifest, parse_image_config(body, what=f"the image configuration {manifest.config.digest}")


@dataclass(slots=True)
class _Descent:
    """The way from one image to its platforms, bounded: a few bytes can name more indexes than anybody could fetch."""

    reference: ImageReference
    source: ManifestSource
    followed: int = 0
    labels: dict[Digest, Labels] = field(default_factory=dict)

    def platform_digests(
        self, fetched: FetchedManifest, *, parents: tuple[Digest, ...] = ()
    ) -> Iterator[PlatformDigest]:
        """List the platforms in the order of the index, and what stands in nested ones where these stand."""
        document = parse_manifest(fetched)
        self._note(fetched.digest, Labels.of(document.annotations))
        match document:
            case ImageManifest():
                platform = self._platform_of_image(fetched.digest, document)
                if not platform.is_unknown:
                    yield PlatformDigest(platform, fetched.digest)
                elif not parents:
                    # Among the entries of an index it is an artifact, and nobody's image.
                    what = f"the image configuration {document.config.digest}"
                    raise InvalidContentError(f"{what} names no platform")
            case ImageIndex():
                for entry in document.entries:
                    yield from self._entry_digests(entry, parents=(*parents, fetched.digest))

    def _entry_digests(self, entry: Descriptor, *, parents: tuple[Digest, ...]) -> Iterator[PlatformDigest]:
        self._note(entry.digest, Labels.of(entry.annotations))
        if entry.is_image and entry.platform is not None:
            yield PlatformDigest(entry.platform, entry.digest)
        elif entry.is_index or entry.is_image:
            yield from self.platform_digests(self._follow(entry, parents), parents=parents)

    def _follow(self, entry: Descriptor, parents: tuple[Digest, ...]) -> FetchedManifest:
        self.followed += 1
        if len(parents) > _MAX_DEPTH:
            raise InvalidContentError(f"the image index {parents[0]} nests other indexes more than {_MAX_DEPTH} deep")
        if self.followed > _MAX_FOLLOWED:
            raise InvalidContentError(f"the image index {parents[0]} leads to more than {_MAX_FOLLOWED} others")
        return self.source.fetch_manifest(PinnedReference(self.reference.repository, entry.digest))

    def _platform_of_image(self, digest: Digest, image: ImageManifest) -> Platform:
        what = f"the image configuration {image.config.digest}"
        body = self.source.fetch_blob(self.reference.repository, image.config)
        self._note(digest, parse_image_config(body, what=what).labels)
        return parse_config_platform(body, what=what)

    def _note(self, digest: Digest, labels: Labels) -> None:
        if labels:
            self.labels[digest] = self.labels.get(digest, NO_LABELS).filled_from(labels)


def select_platforms(
    wanted: Iterable[Platform], resolved: ResolvedImage, reference: ImageReference
) -> tuple[PlatformDigest, ...]:
    """Choose the entries for the wanted platforms, all of them where none is named; sorted by their names."""
    if not resolved.platform_digests:
        raise ImageNotFoundError(f"{reference} has no image for any platform")
    choice = choose_platforms(wanted, resolved.platform_digests)
    if choice.missing:
        offered = _listing(entry.platform for entry in resolved.platform_digests)
        raise PlatformNotFoundError(f"{reference} has no {', '.join(map(str, choice.missing))} (it has: {offered})")
    for platform, matches in choice.ambiguous:
        raise PlatformNotFoundError(
            f"{reference} has several {platform} (it has: {_listing(matches)})",
            hint=f"name one of them in images.toml, such as `{matches[0]}`",
        )
    return choice.chosen


def _listing(platforms: Iterable[Platform]) -> str:
    return ", ".join(sorted(map(str, platforms)))

"""Resolving a reference to what a lock records: the digest of the index or manifest, and the digest of each platform.

The source is a registry or a layout on disk. Attestations are left out, nested indexes are followed to a small depth,
and the platform of an image without an index is read from its configuration. Entries of an index that name no platform
and cannot be read are left out and reported; they do not make the others fail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from imagelock.errors import (
    ImageNotFoundError,
    InvalidContentError,
    NoImageError,
    PlatformNotFoundError,
    UnusableAnswerError,
)
from imagelock.locking.source import ManifestSource
from imagelock.model.artifacts import ArtifactKind, guess_artifact, kind_of_artifact, kind_of_entry
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.image_config import ImageConfig, parse_image_config
from imagelock.model.labels import NO_LABELS, Labels
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

MAX_DEPTH = 3
"""Indexes in indexes are legal and rare; BuildKit and containerd follow them, real ones have one level."""
_NO_IMAGE = "images.toml locks images only: take it out, or name the tag of an image"
_NAME_PLATFORMS = "name the platforms of this image in images.toml: then the other entries of the index do not count"
MAX_FOLLOWED = 100
"""Manifests that must be fetched to know their platforms; usually there is none."""


@frozen(kw_only=True)
class LeftOut:
    """An entry of an index that is unusable, or names no platform and whose content does not, either."""

    digest: Digest | None
    """``None`` for an unusable entry."""
    reason: str
    platform: Platform | None = None
    """Its platform in the index, which only nested indexes and unusable entries have."""
    is_index: bool = False
    may_be_image: bool = False
    """Whether an unusable entry may be an image."""

    def __str__(self) -> str:
        return f"{self.digest.short if self.digest else 'an entry'} of the index is left out: {self.reason}"


@frozen
class ResolvedImage:
    """The content of a reference at one moment."""

    digest: Digest
    platform_digests: tuple[PlatformDigest, ...]
    """One entry for each platform, sorted; of two for the same platform, the first, as builders do."""
    labels: Labels = NO_LABELS
    """The labels of the index; missing ones are from the first of its images that has them. They cost no request.

    They do not depend on the declared platforms: adding or removing one must not change a label.
    """
    left_out: tuple[LeftOut, ...] = ()
    other_kinds: tuple[str, ...] = ()
    """Other kinds of content that the index lists, such as ``a Helm chart``."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Messages about the index, for the report."""
        return tuple(map(str, self.left_out))


def resolve_image(reference: ImageReference, source: ManifestSource) -> ResolvedImage:
    """Return an image with all its platforms; usually with one request."""
    return resolve_fetched(reference, source.fetch_manifest(reference), source)


def resolve_fetched(reference: ImageReference, fetched: FetchedManifest, source: ManifestSource) -> ResolvedImage:
    """Return the platforms of fetched content; only nested indexes and single images cost further requests."""
    descent = _Descent(reference, source)
    first_of_each = {entry.platform: entry for entry in reversed(list(descent.platform_digests(fetched)))}
    platform_digests = by_name(first_of_each.values())
    labels = descent.labels.get(fetched.digest, NO_LABELS)
    for entry in platform_digests:
        labels = labels.filled_from(descent.labels.get(entry.digest, NO_LABELS))
    kinds = tuple(dict.fromkeys(descent.other_kinds))
    return ResolvedImage(fetched.digest, platform_digests, labels, tuple(descent.left_out), kinds)


def is_served(reference: PinnedReference, source: ManifestSource) -> bool:
    """Return whether content is still served; failures other than "not found" are raised."""
    try:
        source.fetch_digest(reference)
    except ImageNotFoundError:
        return False
    return True


def fetch_image(repository: AnyRepository, digest: Digest, source: ManifestSource) -> tuple[ImageManifest, ImageConfig]:
    """Return the manifest and the configuration of one platform's image, with two requests."""
    manifest = parse_manifest(source.fetch_manifest(PinnedReference(repository, digest)))
    if not isinstance(manifest, ImageManifest):
        raise InvalidContentError(f"{digest} of {repository} is an image index, where a platform's image was expected")
    body = source.fetch_blob(repository, manifest.config)
    return manifest, parse_image_config(body, what=f"the image configuration {manifest.config.digest}")


@dataclass(slots=True)
class _Descent:
    """The walk from an index to its platforms; bounded, since a small index can name very many indexes."""

    reference: ImageReference
    source: ManifestSource
    followed: int = 0
    labels: dict[Digest, Labels] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    other_kinds: list[str] = field(default_factory=list)

    def platform_digests(self, fetched: FetchedManifest) -> Iterator[PlatformDigest]:
        """Yield the platforms in the order of the index, those of nested indexes in the place of these."""
        document = parse_manifest(fetched, keeps_unusable=True)
        if isinstance(document, ImageIndex):
            yield from self._index_digests(document, fetched.digest, parents=())
        else:
            yield PlatformDigest(self._platform_of_image(fetched.digest, document, str(self.reference)), fetched.digest)

    def _index_digests(
        self, index: ImageIndex, digest: Digest, *, parents: tuple[Digest, ...]
    ) -> Iterator[PlatformDigest]:
        self._note(digest, Labels.of(index.annotations))
        self.left_out += (
            LeftOut(digest=None, reason=each.reason, platform=each.platform, may_be_image=each.is_image)
            for each in index.unusable
        )
        for entry in index.entries:
            yield from self._entry_digests(entry, parents=(*parents, digest))

    def _entry_digests(self, entry: Descriptor, *, parents: tuple[Digest, ...]) -> Iterator[PlatformDigest]:
        self._note(entry.digest, Labels.of(entry.annotations))
        if entry.is_image and entry.platform is not None:
            yield PlatformDigest(entry.platform, entry.digest)
        elif entry.is_index or entry.is_image:
            self._count(parents)
            try:
                document = self._follow(entry)
            except UnusableAnswerError:
                raise
            except (ImageNotFoundError, InvalidContentError) as error:
                reason = error.message
                self.left_out.append(
                    LeftOut(digest=entry.digest, reason=reason, platform=entry.platform, is_index=entry.is_index)
                )
            else:
                if isinstance(document, ImageIndex):
                    yield from self._index_digests(document, entry.digest, parents=parents)
                else:
                    yield PlatformDigest(document, entry.digest)
        elif not entry.is_attestation:
            self.other_kinds.append(kind_of_entry(entry).name)

    def _count(self, parents: tuple[Digest, ...]) -> None:
        self.followed += 1
        if len(parents) > MAX_DEPTH:
            raise InvalidContentError(f"the image index {parents[0]} nests other indexes more than {MAX_DEPTH} deep")
        if self.followed > MAX_FOLLOWED:
            raise InvalidContentError(f"the image index {parents[0]} leads to more than {MAX_FOLLOWED} others")

    def _follow(self, entry: Descriptor) -> ImageIndex | Platform:
        """Fetch an entry without a platform; return the index, or the platform of the image."""
        fetched = self.source.fetch_manifest(PinnedReference(self.reference.repository, entry.digest))
        document = parse_manifest(fetched, keeps_unusable=True)
        if isinstance(document, ImageIndex):
            return document
        return self._platform_of_image(entry.digest, document, "it")

    def _platform_of_image(self, digest: Digest, image: ImageManifest, what: str) -> Platform:
        """Return the platform in a configuration; ``NoImageError`` names what the content is if it is not an image."""
        self._note(digest, Labels.of(image.annotations))
        kind = kind_of_artifact(image)
        if kind is not None:
            raise _no_image(what, kind)
        config = f"the image configuration {image.config.digest}"
        body = self.source.fetch_blob(self.reference.repository, image.config)
        try:
            self._note(digest, parse_image_config(body, what=config).labels)
            return _parse_platform(body, config)
        except InvalidContentError as error:
            kind = guess_artifact(image)
            if kind is not None:
                raise _no_image(what, kind) from error
            raise

    def _note(self, digest: Digest, labels: Labels) -> None:
        if labels:
            self.labels[digest] = self.labels.get(digest, NO_LABELS).filled_from(labels)


def _parse_platform(body: bytes, what: str) -> Platform:
    platform = parse_config_platform(body, what=what)
    if platform.is_unknown:
        raise InvalidContentError(f"{what} names no platform")
    return platform


def select_platforms(
    wanted: Iterable[Platform], resolved: ResolvedImage, reference: ImageReference
) -> tuple[PlatformDigest, ...]:
    """Return the entries for the wanted platforms, or all if none is named, sorted by name.

    ``ImageNotFoundError`` if a wanted platform is missing, or several entries match it.
    """
    wanted = tuple(wanted)
    _refuse_unread(wanted, resolved, reference)
    if not resolved.platform_digests:
        kinds = [f"what it lists is {', '.join(resolved.other_kinds)}"] if resolved.other_kinds else []
        details = [*kinds, *resolved.notes]
        raise ImageNotFoundError(f"{reference} has no image for any platform", details=details, hint=_NO_IMAGE)
    choice = choose_platforms(wanted, resolved.platform_digests)
    if choice.missing:
        offered = _listing(entry.platform for entry in resolved.platform_digests)
        raise PlatformNotFoundError(
            f"{reference} has no {', '.join(map(str, choice.missing))} (it has: {offered})",
            details=resolved.notes,
            lockable=sorted(str(entry.platform) for entry in choice.chosen or resolved.platform_digests),
        )
    for platform, matches in choice.ambiguous:
        raise PlatformNotFoundError(
            f"{reference} has several {platform} (it has: {_listing(matches)})",
            hint=f"name one of them in images.toml, such as `{matches[0]}`",
        )
    return choice.chosen


def _refuse_unread(wanted: Collection[Platform], resolved: ResolvedImage, reference: ImageReference) -> None:
    """Raise an error if an unusable entry, or a nested index that cannot be read, may have a wanted platform."""
    for entry in resolved.left_out:
        is_wanted = not wanted if entry.platform is None else not wanted or entry.platform in wanted
        if entry.may_be_image and is_wanted:
            raise InvalidContentError(entry.reason, hint=None if wanted else _NAME_PLATFORMS)
        if entry.is_index and is_wanted:
            what = "some of its platforms" if entry.platform is None else str(entry.platform)
            raise ImageNotFoundError(
                f"{reference} lists {what} in an index that can't be read", details=[f"{entry.digest}: {entry.reason}"]
            )


def _no_image(what: str, kind: ArtifactKind) -> NoImageError:
    return NoImageError(f"{what} is no image: it is {kind}", hint=_NO_IMAGE)


def _listing(platforms: Iterable[Platform]) -> str:
    return ", ".join(sorted(map(str, platforms)))

"""Reading the attestations of an image, by the platform that each is about.

BuildKit lists an attestation manifest beside each platform's in the image index, as ``unknown/unknown``, with
annotations that name what it is about. After the index that costs a manifest and a blob for each platform.
https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from imagelock.errors import ImageNotFoundError, InvalidContentError, InvalidDigestError, RegistryError
from imagelock.locking.lockfile import Lockfile
from imagelock.locking.provenance import ImageProvenance, Origin, PlatformProvenance, judge_platform
from imagelock.locking.resolve import resolve_image
from imagelock.locking.source import ManifestSource
from imagelock.locking.version_labels import find_labels
from imagelock.model.attestation import Provenance, parse_provenance, provenance_layers
from imagelock.model.digest import Digest
from imagelock.model.oci import (
    ATTESTATION_ANNOTATION,
    Descriptor,
    FetchedManifest,
    ImageManifest,
    parse_config_platform,
    parse_manifest,
)
from imagelock.model.platforms import Platform
from imagelock.model.reference import AnyRepository, ImageReference, PinnedReference, Repository

_ATTESTATION = "attestation-manifest"
_SUBJECT_ANNOTATION = "vnd.docker.reference.digest"
_MAX_DEPTH = 3
_MAX_FOLLOWED = 100


def find_provenance(reference: ImageReference, lockfile: Lockfile, source: ManifestSource) -> ImageProvenance:
    """Fetch the attestations of an image, and compare those of each platform with the lock.

    Time-outs and refused logins are raised; a missing or unreadable attestation is a problem of its platform.
    """
    fetched = source.fetch_manifest(reference)
    contents = _Contents(reference.repository, source)
    contents.add(fetched)
    platforms = [contents.judge(platform, digest, lockfile) for platform, digest in contents.images]
    if isinstance(reference.repository, Repository):
        versions: dict[PinnedReference, str | None] = {}
        platforms = [_with_versions(platform, source, versions) for platform in platforms]
    return ImageProvenance(reference=reference, digest=fetched.digest, platforms=tuple(platforms))


def _with_versions(
    platform: PlatformProvenance, source: ManifestSource, versions: dict[PinnedReference, str | None]
) -> PlatformProvenance:
    """Add the versions of images whose digest is not the locked one, each looked up once."""
    bases = []
    for base in platform.bases:
        if base.origin is Origin.OTHER_DIGEST:
            if base.reference not in versions:
                versions[base.reference] = _find_version(base.reference, source)
            bases.append(replace(base, version=versions[base.reference]))
        else:
            bases.append(base)
    return replace(platform, bases=tuple(bases))


def _find_version(reference: PinnedReference, source: ManifestSource) -> str | None:
    """Return the version in the labels of an image; None if there is none, or the image cannot be read."""
    try:
        resolved = resolve_image(reference, source)
    except RegistryError:
        return None
    entries = resolved.platform_digests
    return find_labels(
        PinnedReference(reference.repository, reference.digest), resolved.labels, entries, source
    ).version


@dataclass(slots=True)
class _Contents:
    """The images of an index, in its order, and the attestations by the digest that they are about."""

    repository: AnyRepository
    source: ManifestSource
    images: list[tuple[Platform | None, Digest]] = field(default_factory=list)
    attestations: defaultdict[Digest, list[Descriptor]] = field(default_factory=lambda: defaultdict(list))
    followed: int = 0

    def add(self, fetched: FetchedManifest, *, depth: int = 0) -> None:
        """Add the images and attestations of an index, or a single image."""
        document = parse_manifest(fetched)
        if isinstance(document, ImageManifest):
            self.images.append((self._platform_of(document), fetched.digest))
            return
        for entry in document.entries:
            subject = _attested_digest(entry)
            if subject is not None:
                self.attestations[subject].append(entry)
            elif entry.is_index:
                self.add(self._follow(entry, depth), depth=depth + 1)
            elif entry.is_image and (entry.platform, entry.digest) not in self.images:
                self.images.append((entry.platform, entry.digest))

    def judge(self, platform: Platform | None, digest: Digest, lockfile: Lockfile) -> PlatformProvenance:
        """Read the attestations of one platform's image."""
        statements: list[Provenance] = []
        problems: list[str] = []
        for attestation in self.attestations[digest]:
            try:
                statements += self._statements(attestation, digest)
            except (ImageNotFoundError, InvalidContentError) as error:
                problems.append(error.message)
        if not self.attestations[digest]:
            problems.append("it has no attestation")
        elif not (statements or problems):
            problems.append("its attestation has no provenance")
        return judge_platform(platform, digest, statements, lockfile, problems=problems)

    def _statements(self, attestation: Descriptor, digest: Digest) -> Iterator[Provenance]:
        what = f"the attestation {attestation.digest}"
        manifest = parse_manifest(self._fetch(attestation), what=what)
        if not isinstance(manifest, ImageManifest):
            raise InvalidContentError(f"{what} is an image index")
        if manifest.subject is not None and manifest.subject.digest != digest:
            raise InvalidContentError(f"{what} is about another image")
        for layer in provenance_layers(manifest, what=what):
            body = self.source.fetch_blob(self.repository, layer)
            yield parse_provenance(body, what=f"the statement {layer.digest}")

    def _platform_of(self, image: ImageManifest) -> Platform | None:
        what = f"the image configuration {image.config.digest}"
        try:
            platform = parse_config_platform(self.source.fetch_blob(self.repository, image.config), what=what)
        except (ImageNotFoundError, InvalidContentError):
            return None
        return None if platform.is_unknown else platform

    def _follow(self, entry: Descriptor, depth: int) -> FetchedManifest:
        self.followed += 1
        if depth >= _MAX_DEPTH or self.followed > _MAX_FOLLOWED:
            raise InvalidContentError(f"{self.repository} nests image indexes too deep, or too many of them")
        return self._fetch(entry)

    def _fetch(self, entry: Descriptor) -> FetchedManifest:
        return self.source.fetch_manifest(PinnedReference(self.repository, entry.digest))


def _attested_digest(entry: Descriptor) -> Digest | None:
    """Return the digest of the image that an entry of an index attests; None if it is not an attestation."""
    annotations = dict(entry.annotations)
    if annotations.get(ATTESTATION_ANNOTATION) != _ATTESTATION:
        return None
    with suppress(InvalidDigestError):
        return Digest.parse(annotations.get(_SUBJECT_ANNOTATION, ""))
    return None

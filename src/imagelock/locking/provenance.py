"""The comparison of a builder's statement about an image with images.lock: whether it was built from locked content.

BuildKit lists each base image of a build with a digest: of the index, or of a platform's manifest if the Dockerfile
names that. Digests decide; repositories only tell content that moved from images that are not locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from imagelock.errors import InvalidDigestError, InvalidReferenceError
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.attestation import Provenance
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.package_url import ImageUrl, parse_image_url
from imagelock.model.platforms import Platform
from imagelock.model.reference import AnyRepository, ImageReference, PinnedReference


class Verdict(StrEnum):
    """Whether an image, or one platform of it, was built from the lock."""

    YES = "yes"
    NO = "no"
    CANNOT_SAY = "cannot-say"


class Origin(StrEnum):
    """How a base image relates to the lock."""

    LOCKED_INDEX = "locked-index"
    LOCKED_PLATFORM = "locked-platform"
    OTHER_DIGEST = "other-digest"
    """The repository is locked, with other content."""
    NOT_LOCKED = "not-locked"


@frozen(kw_only=True)
class BaseImage:
    """One base image of a build, or its Dockerfile frontend."""

    reference: PinnedReference
    """Repository and digest, and the tag where the builder names it."""
    origin: Origin
    locked: tuple[LockedImage, ...]
    """The locked images with this content, or with this repository; empty if it is not locked."""
    is_frontend: bool = False
    """Whether it is the frontend of ``# syntax=``, which reads the Dockerfile and is not part of the image."""
    version: str | None = None
    """The version in the labels of an image with another digest, if it was looked up."""

    @property
    def is_locked(self) -> bool:
        """Whether its content is what the lock holds."""
        return self.origin in (Origin.LOCKED_INDEX, Origin.LOCKED_PLATFORM)


@frozen(kw_only=True)
class PlatformProvenance:
    """The base images of one platform's image."""

    platform: Platform | None
    """None if the image names no platform."""
    digest: Digest
    bases: tuple[BaseImage, ...] = ()
    problem: str | None = None
    """The reason why nothing, or not everything, is known."""

    @property
    def verdict(self) -> Verdict:
        """``NO`` if any base is not as locked; ``YES`` only if all of them were read and are."""
        if not all(base.is_locked for base in self.bases):
            return Verdict.NO
        return Verdict.YES if self.bases and self.problem is None else Verdict.CANNOT_SAY


@frozen(kw_only=True)
class ImageProvenance:
    """The base images of all platforms of an image."""

    reference: ImageReference
    digest: Digest
    platforms: tuple[PlatformProvenance, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the platforms; ``UNKNOWN`` without platforms."""
        return worst_verdict(platform.verdict for platform in self.platforms)


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return ``NO`` if any verdict is, else ``UNKNOWN`` if any is or there are none, else ``YES``."""
    found = set(verdicts)
    if Verdict.NO in found:
        return Verdict.NO
    return Verdict.YES if found == {Verdict.YES} else Verdict.CANNOT_SAY


def judge_platform(
    platform: Platform | None,
    digest: Digest,
    statements: Iterable[Provenance],
    lockfile: Lockfile,
    *,
    problems: Iterable[str] = (),
) -> PlatformProvenance:
    """Compare the statements about one platform's image with the lock.

    ``problems`` are those found while the attestations were read.
    """
    bases: dict[tuple[AnyRepository, Digest], BaseImage] = {}
    problems = list(problems)
    for statement in statements:
        if statement.subjects and digest not in statement.subjects:
            problems.append("its attestation is about another image")
            continue
        for position, dependency in enumerate(statement.dependencies, start=1):
            try:
                base = _judge(parse_image_url(dependency.uri), dependency.digests, lockfile)
            except (InvalidReferenceError, InvalidDigestError) as error:
                problems.append(f"dependency {position} of its attestation cannot be read: {error.message}")
                continue
            if base is not None:
                key = (base.reference.repository, base.reference.digest)
                bases[key] = _merge(bases.get(key, base), base)
    if not (bases or problems):
        problems.append("its attestation lists no image")
    return PlatformProvenance(
        platform=platform, digest=digest, bases=tuple(bases.values()), problem="; ".join(problems) or None
    )


def _judge(url: ImageUrl | None, digests: tuple[Digest, ...], lockfile: Lockfile) -> BaseImage | None:
    """Return how a dependency relates to the lock; None if it is not an image."""
    if url is None:
        return None
    named = url.written.digest
    if named is not None and digests and named not in digests:
        raise InvalidReferenceError(f"it names the digests {named} and {digests[0]}")
    known = digests or ((named,) if named else ())
    if not known:
        raise InvalidReferenceError(f"`{url.written.repository}` has no digest")
    origin, locked = _find_locked(url, known, lockfile)
    if origin is Origin.OTHER_DIGEST and not _are_comparable(known, locked):
        raise InvalidReferenceError(f"`{known[0]}` cannot be compared with a locked digest of another algorithm")
    return BaseImage(
        reference=PinnedReference(url.written.repository, known[0], url.written.tag),
        origin=origin,
        locked=locked,
        is_frontend=not url.has_platform and not url.is_from_layout,
    )


def _are_comparable(digests: tuple[Digest, ...], locked: tuple[LockedImage, ...]) -> bool:
    """Whether a locked digest has the algorithm of one of the digests; otherwise both may be of one content."""
    algorithms = {digest.algorithm for digest in digests}
    return any(
        digest.algorithm in algorithms
        for image in locked
        for digest in (image.digest, *(entry.digest for entry in image.platform_digests))
    )


def _find_locked(
    url: ImageUrl, digests: tuple[Digest, ...], lockfile: Lockfile
) -> tuple[Origin, tuple[LockedImage, ...]]:
    images = lockfile.images
    by_index = tuple(image for image in images if image.digest in digests)
    if by_index:
        return Origin.LOCKED_INDEX, by_index
    by_platform = tuple(image for image in images if any(entry.digest in digests for entry in image.platform_digests))
    if by_platform:
        return Origin.LOCKED_PLATFORM, by_platform
    relatives = tuple(image for image in images if image.repository == url.written.repository)
    same_tag = tuple(image for image in relatives if image.tag == url.written.tag)
    return (Origin.OTHER_DIGEST if relatives else Origin.NOT_LOCKED), same_tag or relatives


def _merge(first: BaseImage, second: BaseImage) -> BaseImage:
    """Join two entries for one image: BuildKit lists a frontend with a digest twice, once with a platform."""
    return replace(first, is_frontend=first.is_frontend or second.is_frontend)

"""Verifying a lock: whether registries still serve its content, and whether its platforms are in its indexes.

The registry itself is asked once for each content, even if several images name it: by HEAD for the index, each locked
platform and the tag. The index is also read, from the cache, or else by a GET instead of the HEAD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import partial
from typing import Literal

from imagelock.errors import ImagelockError, ImageNotFoundError, InvalidContentError, UnusableAnswerError
from imagelock.images_file.declaration import Alias
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.parallel import UNWATCHED, Results, Watcher, run_all
from imagelock.locking.resolve import LeftOut, resolve_fetched
from imagelock.locking.source import ServingSource
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.labels import Labels
from imagelock.model.oci import Descriptor, ImageIndex, ImageManifest, parse_manifest
from imagelock.model.platforms import Platform, PlatformDigest
from imagelock.model.reference import LayoutRepository, PinnedReference, TagReference
from imagelock.model.selector import ExactDigest


class State(StrEnum):
    """The state of one content."""

    SERVED = "served"
    GONE = "gone"
    """The registry no longer serves it: pulls fail."""
    WRONG_CONTENT = "wrong-content"
    """The registry serves other bytes under this digest, which clients refuse."""
    NOT_IN_INDEX = "not-in-index"
    """The locked index does not list this manifest for this platform."""
    NOT_LOCKED = "not-locked"
    """Every platform is wanted, the locked index lists this one, and the entry lacks it."""
    DAMAGED = "damaged"
    """The checksum in images.lock is not that of the entry's digests."""
    UNKNOWN = "unknown"
    """The request failed for another reason, such as a time-out."""
    NOT_ASKED = "not-asked"
    """A foreign layer, which registries need not have."""
    OTHER_LABELS = "other-labels"
    """The entry has a label that its index does not have, such as one of another image after a merge."""
    TAG_MOVED = "tag-moved"
    TAG_DELETED = "tag-deleted"


FAILURES = frozenset({State.GONE, State.WRONG_CONTENT, State.NOT_IN_INDEX, State.NOT_LOCKED, State.DAMAGED})
"""States in which the lock does not hold what it says; a tag that moved is none of them."""

Part = Literal["entry", "index", "platform", "labels", "tag", "config", "layer"]


class LostIndexError(ImageNotFoundError):
    """An index in a served index cannot be read."""


@frozen(kw_only=True)
class Finding:
    """The state of one part of a locked image."""

    part: Part
    digest: Digest
    """The locked digest; that of the index for a platform that is not locked."""
    state: State
    platform: Platform | None = None
    """The platform to which the manifest, configuration or layer belongs."""
    error: ImagelockError | None = None
    """The reason for an unknown state, or for wrong content."""
    now: Digest | None = None
    """The current digest of a tag that moved."""


@frozen
class Verification:
    """The findings about one locked image."""

    locked: LockedImage
    findings: tuple[Finding, ...]

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings because of which the image cannot be pulled as it is locked, or lacks a platform."""
        return tuple(finding for finding in self.findings if finding.state in FAILURES)


@frozen
class _Served:
    """A manifest or index that the registry serves, and the platforms that an index lists."""

    document: ImageIndex | ImageManifest
    digest: Digest
    platform_digests: tuple[PlatformDigest, ...] = ()
    unread: frozenset[Digest] = frozenset()
    """Manifests in the index whose platform could not be read."""
    labels: Labels | None = None
    """None for an image without an index, whose configuration has them."""
    lost: tuple[LeftOut, ...] = ()
    """Indexes in the index that cannot be read: their platforms are unknown."""


_Answer = _Served | Digest | int | None


def verify_images(
    images: Iterable[LockedImage],
    source: ServingSource,
    *,
    with_blobs: bool = False,
    with_registry_tags: bool = True,
    watcher: Watcher = UNWATCHED,
) -> tuple[Verification, ...]:
    """Verify all content of the images, in parallel and each content once.

    Without ``with_registry_tags``, tags are looked up only in layouts: a mirror cannot say whether one has moved.
    """
    images = tuple(images)
    tagged = {image.alias for image in images if follows_tag(image, with_registry_tags=with_registry_tags)}
    answers = _Outcomes(run_all(_manifest_questions(images, tagged, source, with_blobs=with_blobs), watcher=watcher))
    blobs = _Outcomes(run_all(_blob_questions(images, answers, source) if with_blobs else {}, watcher=watcher))
    return tuple(
        Verification(
            image,
            (*_image_findings(image, answers, has_tag=image.alias in tagged), *_blob_findings(image, answers, blobs)),
        )
        for image in images
    )


def follows_tag(image: LockedImage, *, with_registry_tags: bool = True) -> bool:
    """Whether the current content of the tag is looked up: not for images that are declared by digest."""
    is_asked = with_registry_tags or isinstance(image.repository, LayoutRepository)
    return is_asked and image.tag is not None and not isinstance(image.selector, ExactDigest)


def _manifest_questions(
    images: Iterable[LockedImage], tagged: AbstractSet[Alias], source: ServingSource, *, with_blobs: bool
) -> dict[str, Callable[[], _Answer]]:
    """Return the requests by their references; a reference that several images name is there once."""
    questions: dict[str, Callable[[], _Answer]] = {}
    for image in images:
        index = PinnedReference(image.repository, image.digest)
        questions[str(index)] = partial(_fetch_served, index, source)
    for image in images:
        for entry in image.platform_digests:
            reference = PinnedReference(image.repository, entry.digest)
            ask = partial(_fetch_served, reference, source) if with_blobs else partial(source.fetch_digest, reference)
            questions.setdefault(str(reference), ask)
        if image.alias in tagged:
            tag = TagReference(image.repository, str(image.tag))
            questions[str(tag)] = partial(source.fetch_digest, tag)
    return questions


def _fetch_served(reference: PinnedReference, source: ServingSource) -> _Served:
    fetched = source.fetch_served(reference)
    document = parse_manifest(fetched, keeps_unusable=True)
    if isinstance(document, ImageManifest):
        return _Served(document, fetched.digest)
    resolved = resolve_fetched(reference, fetched, source)
    unread = frozenset(entry.digest for entry in resolved.left_out if entry.digest and not entry.is_index)
    lost = tuple(entry for entry in resolved.left_out if entry.is_index)
    return _Served(document, fetched.digest, resolved.platform_digests, unread, resolved.labels, lost)


def _blob_questions(
    images: Iterable[LockedImage], answers: _Outcomes, source: ServingSource
) -> dict[str, Callable[[], _Answer]]:
    return {
        f"{image.repository}@{blob.digest}": partial(source.fetch_blob_size, image.repository, blob.digest)
        for image in images
        for _, _, blob in _blobs(image, answers)
        if not blob.is_foreign
    }


@frozen
class _Outcomes:
    """The outcomes of the requests, by reference, and the states that failures mean."""

    answers: Results[_Answer]

    def find(self, reference: object) -> _Answer:
        return self.answers.found.get(str(reference))

    def state(self, reference: object) -> tuple[State, ImagelockError | None]:
        error = dict(self.answers.failures).get(str(reference))
        match error:
            case None:
                return State.SERVED, None
            case ImageNotFoundError():
                return State.GONE, error
            case InvalidContentError() if not isinstance(error, UnusableAnswerError):
                return State.WRONG_CONTENT, error
            case _:
                return State.UNKNOWN, error


def _image_findings(image: LockedImage, answers: _Outcomes, *, has_tag: bool) -> Iterator[Finding]:
    if image.is_damaged:
        yield Finding(part="entry", digest=image.digest, state=State.DAMAGED)
    index = PinnedReference(image.repository, image.digest)
    state, error = _index_state(image, answers, index)
    yield Finding(part="index", digest=image.digest, state=state, error=error)
    for entry in image.platform_digests:
        state, error = answers.state(PinnedReference(image.repository, entry.digest))
        if state is State.SERVED and not _lists(answers.find(index), entry):
            state = State.NOT_IN_INDEX
        yield Finding(part="platform", digest=entry.digest, state=state, platform=entry.platform, error=error)
    yield from _missing_platforms(image, answers.find(index))
    if _has_other_labels(image, answers.find(index)):
        yield Finding(part="labels", digest=image.digest, state=State.OTHER_LABELS)
    if has_tag:
        yield _tag_finding(image, answers)


def _lists(index: _Answer, entry: PlatformDigest) -> bool:
    """Whether the index lists this manifest for this platform; True if it, or an index in it, could not be read."""
    return not isinstance(index, _Served) or bool(index.lost) or _is_found(index, entry)


def _is_found(index: _Served, entry: PlatformDigest) -> bool:
    if isinstance(index.document, ImageManifest):
        return entry.digest == index.digest
    return entry in index.platform_digests or entry.digest in index.unread


def _index_state(image: LockedImage, answers: _Outcomes, index: PinnedReference) -> tuple[State, ImagelockError | None]:
    """Return the state of an index; without the index in it that had a locked platform it cannot be pulled, either."""
    answer = answers.find(index)
    if not isinstance(answer, _Served) or all(_is_found(answer, entry) for entry in image.platform_digests):
        return answers.state(index)
    if not answer.lost:
        return State.SERVED, None
    reasons = (f"{lost.digest} in it can't be read: {lost.reason}" for lost in answer.lost)
    return State.GONE, LostIndexError("; ".join(reasons))


def _missing_platforms(image: LockedImage, index: _Answer) -> Iterator[Finding]:
    """Yield the platforms that the index lists and the entry lacks, where every platform is wanted.

    Git may combine `platforms = "all"` of one branch with the fewer platforms of another, which no checksum tells.
    """
    if not (image.all_platforms and isinstance(index, _Served)):
        return
    locked = {entry.platform for entry in image.platform_digests}
    for entry in index.platform_digests:
        if entry.platform not in locked:
            yield Finding(part="platform", digest=entry.digest, state=State.NOT_LOCKED, platform=entry.platform)


def _has_other_labels(image: LockedImage, index: _Answer) -> bool:
    """Whether the entry has labels that its index does not have; no checksum covers them."""
    if not isinstance(index, _Served) or index.labels is None:
        return False
    return not set(image.labels.items) <= set(index.labels.items)


def _tag_finding(image: LockedImage, answers: _Outcomes) -> Finding:
    reference = TagReference(image.repository, str(image.tag))
    state, error = answers.state(reference)
    now = answers.find(reference)
    if state is State.GONE:
        state = State.TAG_DELETED
    elif state is State.WRONG_CONTENT:
        state = State.UNKNOWN
    elif isinstance(now, Digest) and now != image.digest:
        return Finding(part="tag", digest=image.digest, state=State.TAG_MOVED, now=now)
    return Finding(part="tag", digest=image.digest, state=state, error=error)


def _blobs(image: LockedImage, answers: _Outcomes) -> Iterator[tuple[Part, Platform, Descriptor]]:
    """Yield the configuration and the layers of each platform whose manifest was read."""
    for entry in image.platform_digests:
        served = answers.find(PinnedReference(image.repository, entry.digest))
        document = served.document if isinstance(served, _Served) else None
        if isinstance(document, ImageManifest):
            yield "config", entry.platform, document.config
            for layer in document.layers:
                yield "layer", entry.platform, layer


def _blob_findings(image: LockedImage, answers: _Outcomes, blobs: _Outcomes) -> Iterator[Finding]:
    for part, platform, blob in _blobs(image, answers):
        if blob.is_foreign:
            yield Finding(part=part, digest=blob.digest, state=State.NOT_ASKED, platform=platform)
            continue
        reference = f"{image.repository}@{blob.digest}"
        state, error = blobs.state(reference)
        size_bytes = blobs.find(reference)
        if isinstance(size_bytes, int) and size_bytes != blob.size_bytes:
            state = State.WRONG_CONTENT
            error = InvalidContentError(f"it has {size_bytes} bytes, {blob.size_bytes} are announced")
        yield Finding(part=part, digest=blob.digest, state=state, platform=platform, error=error)

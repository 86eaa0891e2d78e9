"""How a locked image stands today: what its tag has become, what else its range would take, and what lies beyond.

A question for registries, answered with as few requests as it takes: the digest of a tag costs no pull, and content is
fetched only where it moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from imagelock.errors import ImageNotFoundError, NoTagError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.resolve import ResolvedImage, is_served, resolve_image
from imagelock.locking.select import select_reference
from imagelock.locking.source import ManifestSource
from imagelock.locking.version_labels import find_labels
from imagelock.model.cooldown import TooYoung
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.model.reference import ImageReference, PinnedReference, TagReference
from imagelock.model.selector import ExactDigest
from imagelock.model.tags.version_range import VersionRange


class State(StrEnum):
    """One thing that may be true of a locked image, the most urgent first."""

    DIGEST_GONE = "digest gone"
    """The registry no longer serves what is locked: builds fail."""
    TAG_DELETED = "tag deleted"
    PLATFORM_LOST = "platform lost"
    """The tag has no image any more for a platform that is locked."""
    TAG_MOVED = "tag moved"
    """A locked platform has other content under the same tag."""
    NEWER_TAG = "newer tag"
    """The range would take another tag now."""
    INDEX_MOVED = "index moved"
    """The index was pushed again, and no locked platform has changed."""
    TOO_YOUNG = "too young"
    """There is a newer tag in the range, and its image isn't old enough."""
    UP_TO_DATE = "up to date"


_URGENT = frozenset(
    {State.DIGEST_GONE, State.TAG_DELETED, State.PLATFORM_LOST, State.TAG_MOVED, State.NEWER_TAG},
)


@frozen(kw_only=True)
class CurrentTag:
    """What a tag gives today, seen from the platforms that are locked."""

    tag: str
    digest: Digest
    version: str | None = None
    """What the image says, where it says anything."""
    moved: tuple[Platform, ...] = ()
    lost: tuple[Platform, ...] = ()
    gained: tuple[Platform, ...] = ()
    """Only where every platform of the index is wanted."""


@frozen(kw_only=True)
class ImageStatus:
    """All that was found out about one locked image."""

    locked: LockedImage
    states: tuple[State, ...]
    """The most urgent first; never empty."""
    same_tag: CurrentTag | None = None
    """The locked tag; None where it is deleted, or only a digest is wanted."""
    in_range: CurrentTag | None = None
    """The tag that the range would take, where that is another one."""
    newer_outside_range: str | None = None
    """A newer tag that the range excludes."""
    too_young: tuple[TooYoung, ...] = ()
    freeze: str | None = None

    @property
    def is_outdated(self) -> bool:
        """Whether an update has something to do, or builds are about to fail, which no freeze excuses."""
        return State.DIGEST_GONE in self.states or (self.freeze is None and not _URGENT.isdisjoint(self.states))


def find_status(
    declaration: ImageDeclaration, locked: LockedImage, source: ManifestSource, *, now: datetime
) -> ImageStatus:
    """Ask how a locked image that answers its declaration stands; failures are raised."""
    same_tag = _ask_same_tag(locked, source) if _follows_tag(locked) else None
    offer = _RangeCandidates()
    if isinstance(declaration.selector, VersionRange):
        offer = _ask_range(declaration, declaration.selector, locked, source, now)
    is_unmoved = same_tag is not None and same_tag.digest == locked.digest
    is_there = is_unmoved or is_served(PinnedReference(locked.repository, locked.digest, locked.tag), source)
    return ImageStatus(
        locked=locked,
        states=_states(locked, same_tag, offer, is_served=is_there),
        same_tag=same_tag,
        in_range=offer.in_range,
        newer_outside_range=offer.newer_outside_range,
        too_young=offer.too_young,
        freeze=declaration.freeze,
    )


@frozen(kw_only=True)
class _RangeCandidates:
    """What a range has beside the locked tag."""

    in_range: CurrentTag | None = None
    is_newer: bool = False
    newer_outside_range: str | None = None
    too_young: tuple[TooYoung, ...] = ()


def _states(
    locked: LockedImage, same_tag: CurrentTag | None, offer: _RangeCandidates, *, is_served: bool
) -> tuple[State, ...]:
    has_moved = same_tag is not None and bool(same_tag.moved or same_tag.gained)
    has_lost = same_tag is not None and bool(same_tag.lost)
    has_other_index = same_tag is not None and same_tag.digest != locked.digest
    findings = {
        State.DIGEST_GONE: not is_served,
        State.TAG_DELETED: same_tag is None and _follows_tag(locked),
        State.PLATFORM_LOST: has_lost,
        State.TAG_MOVED: has_moved,
        State.NEWER_TAG: offer.is_newer,
        State.INDEX_MOVED: has_other_index and not (has_moved or has_lost),
        State.TOO_YOUNG: bool(offer.too_young),
    }
    return tuple(state for state, is_true in findings.items() if is_true) or (State.UP_TO_DATE,)


def _follows_tag(locked: LockedImage) -> bool:
    return locked.tag is not None and not isinstance(locked.selector, ExactDigest)


def _ask_same_tag(locked: LockedImage, source: ManifestSource) -> CurrentTag | None:
    tag = str(locked.tag)
    try:
        digest = source.fetch_digest(TagReference(locked.repository, tag))
    except ImageNotFoundError:
        return None
    if digest == locked.digest:
        return CurrentTag(tag=tag, digest=digest, version=locked.labels.version)
    # Content is asked for by digest: nobody can move it in between.
    reference = PinnedReference(locked.repository, digest, tag)
    return _compare(locked, reference, resolve_image(reference, source), source)


def _ask_range(
    declaration: ImageDeclaration, wanted: VersionRange, locked: LockedImage, source: ManifestSource, now: datetime
) -> _RangeCandidates:
    from imagelock.model.tags.selection import rank_tags  # noqa: PLC0415  loads `packaging`, which only ranges need

    def rank(bounds: VersionRange, tags: Iterable[str]) -> list[str]:
        return [chosen.tag for chosen in rank_tags(bounds, tags, repository=declaration.repository)]

    try:
        chosen = select_reference(declaration, source, locked_tag=locked.tag, now=now)
    except NoTagError:
        # The locked tag is deleted then, and that is what matters: what is locked still answers.
        return _RangeCandidates()
    tag = str(chosen.reference.tag)
    newest = rank(wanted.without_end, chosen.tags)[0]
    return _RangeCandidates(
        in_range=None
        if tag == locked.tag
        else _compare(locked, chosen.reference, chosen.resolved or resolve_image(chosen.reference, source), source),
        is_newer=tag != locked.tag and rank(wanted, [tag, str(locked.tag)])[0] == tag,
        newer_outside_range=None if newest in rank(wanted, chosen.tags) else newest,
        too_young=chosen.too_young,
    )


def _compare(
    locked: LockedImage, reference: ImageReference, resolved: ResolvedImage, source: ManifestSource
) -> CurrentTag:
    before = {entry.platform: entry.digest for entry in locked.platform_digests}
    staying = tuple(entry for entry in resolved.platform_digests if entry.platform in before)
    there = {entry.platform for entry in resolved.platform_digests}
    return CurrentTag(
        tag=str(reference.tag),
        digest=resolved.digest,
        version=find_labels(reference, resolved.labels_of(staying), staying, source).version if staying else None,
        moved=tuple(entry.platform for entry in staying if before[entry.platform] != entry.digest),
        lost=tuple(platform for platform in before if platform not in there),
        gained=tuple(it.platform for it in resolved.platform_digests if it.platform not in before)
        if locked.all_platforms
        else (),
    )

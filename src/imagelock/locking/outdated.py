"""The status of a locked image: what an update would do, the current content of its tag, newer tags outside its range.

Few requests are made: one HEAD for the digest of a tag, which counts as no pull, and content only where it moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from imagelock.errors import ImageNotFoundError, NoImageError, NoTagError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.decision import Action, Decision, FoundTag, decide_update, no_image
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.resolve import is_served, resolve_image
from imagelock.locking.source import ManifestSource
from imagelock.locking.version_labels import find_labels
from imagelock.model.cooldown import TooYoung
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform, choose_platforms
from imagelock.model.reference import PinnedReference, TagReference
from imagelock.model.selector import ExactDigest
from imagelock.model.tags.selection import accepts, rank_tags, remarks_on
from imagelock.model.tags.version_range import VersionRange


class State(StrEnum):
    """A finding about a locked image, the most urgent first."""

    DIGEST_GONE = "digest gone"
    """The registry no longer serves the locked content: builds fail."""
    TAG_DELETED = "tag deleted"
    DOWNGRADE = "downgrade"
    """The locked tag is deleted, and the range selects an older one."""
    OTHER_PLATFORMS = "not the platforms of the index"
    """An entry without checksum has platforms that its index does not have."""
    NOT_AN_IMAGE = "not an image"
    """The tag that an update would take is not an image, but a Helm chart, say."""
    PLATFORM_LOST = "platform lost"
    """The tag no longer has an image for a locked platform."""
    TAG_MOVED = "tag moved"
    """The locked tag has other content for a locked platform."""
    NEWER_TAG = "newer tag"
    """The range selects a newer tag now."""
    INDEX_MOVED = "index moved"
    """The index was pushed again, and no locked platform has changed."""
    TOO_YOUNG = "too young"
    """There is newer content in the range that is below the minimum age."""
    UNLISTED = "tag not listed"
    """The registry serves the locked tag, and its list of tags lacks it."""
    BY_DIGEST = "declared by digest"
    UP_TO_DATE = "up to date"

    @property
    def code(self) -> str:
        """The code in JSON: ``tag-moved``."""
        return self.name.lower().replace("_", "-")


class Forecast(StrEnum):
    """What `imagelock update` would do with an image."""

    NOTHING = "nothing"
    MOVES = "moves"
    FAILS = "fails"


@frozen(kw_only=True)
class CurrentTag:
    """The current content of a tag, compared with the locked platforms."""

    tag: str
    digest: Digest
    version: str | None = None
    """The version in the labels of the image, if any."""
    moved: tuple[Platform, ...] = ()
    lost: tuple[Platform, ...] = ()
    gained: tuple[Platform, ...] = ()
    """Only where every platform of the index is wanted."""


@frozen(kw_only=True)
class ImageStatus:
    """Everything that was found out about one locked image."""

    locked: LockedImage
    states: tuple[State, ...]
    """The most urgent first; never empty."""
    forecast: Forecast = Forecast.NOTHING
    failure: str | None = None
    """Why an update would fail."""
    same_tag: CurrentTag | None = None
    """The locked tag now; None if it is deleted, or was not asked for, as beside a declared digest."""
    in_range: CurrentTag | None = None
    """The tag that the range selects, if it is not the locked one."""
    newer_outside_range: str | None = None
    """A newer tag that the range excludes."""
    too_young: tuple[TooYoung, ...] = ()
    remarks: tuple[str, ...] = ()
    """Remarks about the selected tag that no update changes."""
    freeze: str | None = None

    @property
    def is_outdated(self) -> bool:
        """Whether an update would move the image or fail, or its locked content is gone, frozen or not."""
        return self.forecast is not Forecast.NOTHING or State.DIGEST_GONE in self.states


def find_status(
    declaration: ImageDeclaration,
    locked: LockedImage,
    source: ManifestSource,
    *,
    now: datetime,
    asks_digests: bool = False,
) -> ImageStatus:
    """Return the status of a locked image that satisfies its declaration; temporary failures are raised.

    With ``asks_digests``, the tag beside a declared digest is looked up as well; an update never takes it.
    """
    decision = decide_update(declaration, locked, source, now=now)
    asks_tag = asks_digests or not _is_by_digest(locked)
    found = decision.locked_tag or (_ask_locked_tag(decision, locked, source) if asks_tag else None)
    same_tag = None if found is None else _compare(locked, found, source)
    other = decision.other_tag
    is_unmoved = found is not None and found.digest == locked.digest
    is_there = is_unmoved or is_served(PinnedReference(locked.repository, locked.digest, locked.tag), source)
    is_other = is_there and locked.lacks_checksum and not _is_of_index(declaration, locked, source)
    return ImageStatus(
        locked=locked,
        states=_states(locked, decision, same_tag, is_served=is_there, has_other_platforms=is_other, asks_tag=asks_tag),
        forecast=_forecast(declaration, decision, is_served=is_there, has_other_platforms=is_other),
        failure=decision.failure.message if decision.failure and declaration.freeze is None else None,
        same_tag=same_tag,
        in_range=None if other is None else _compare(locked, other, source),
        newer_outside_range=_find_newer_outside(declaration, decision.tags),
        too_young=decision.too_young,
        remarks=_find_remarks(declaration, locked, decision),
        freeze=declaration.freeze,
    )


def _forecast(
    declaration: ImageDeclaration, decision: Decision, *, is_served: bool, has_other_platforms: bool
) -> Forecast:
    if declaration.freeze is not None:
        return Forecast.MOVES if has_other_platforms else Forecast.NOTHING
    match decision.action:
        case Action.FAIL:
            return Forecast.FAILS
        case Action.TAKE:
            return Forecast.MOVES
        case Action.INDEX:
            return Forecast.NOTHING if is_served and not has_other_platforms else Forecast.MOVES
        case Action.KEEP:
            return Forecast.MOVES if has_other_platforms else Forecast.NOTHING


def _states(
    locked: LockedImage,
    decision: Decision,
    same_tag: CurrentTag | None,
    *,
    is_served: bool,
    has_other_platforms: bool,
    asks_tag: bool,
) -> tuple[State, ...]:
    is_by_digest = _is_by_digest(locked)
    is_tag_gone = asks_tag and locked.tag is not None and same_tag is None
    has_newer = decision.other_tag is not None or decision.refused_tag is not None
    has_moved = same_tag is not None and bool(same_tag.moved or same_tag.gained)
    is_no_image = isinstance(decision.failure, NoImageError)
    has_lost = same_tag is not None and bool(same_tag.lost) and not (is_no_image and decision.refused_tag is None)
    has_other_index = same_tag is not None and same_tag.digest != locked.digest
    findings = {
        State.DIGEST_GONE: not is_served,
        State.TAG_DELETED: is_tag_gone,
        State.DOWNGRADE: decision.is_downgrade,
        State.OTHER_PLATFORMS: has_other_platforms,
        State.NOT_AN_IMAGE: is_no_image,
        State.PLATFORM_LOST: has_lost,
        State.TAG_MOVED: has_moved or (is_no_image and decision.refused_tag is None),
        State.NEWER_TAG: has_newer and not decision.is_downgrade,
        State.INDEX_MOVED: has_other_index and not (has_moved or has_lost or is_no_image),
        State.TOO_YOUNG: bool(decision.too_young),
        State.UNLISTED: decision.is_unlisted,
        State.BY_DIGEST: is_by_digest,
    }
    return tuple(state for state, is_true in findings.items() if is_true) or (State.UP_TO_DATE,)


def _is_by_digest(locked: LockedImage) -> bool:
    return locked.tag is None or isinstance(locked.selector, ExactDigest)


def _ask_locked_tag(decision: Decision, locked: LockedImage, source: ManifestSource) -> FoundTag | None:
    """Return the current content of the locked tag, for decisions that did not depend on it; None if it is gone."""
    if decision.is_tag_gone or locked.tag is None:
        return None
    try:
        digest = source.fetch_digest(TagReference(locked.repository, locked.tag))
    except ImageNotFoundError:
        return None
    if digest == locked.digest:
        return FoundTag(locked.tag, digest)
    try:
        # By digest: the tag may move between two questions.
        resolved = resolve_image(PinnedReference(locked.repository, digest, locked.tag), source)
    except NoImageError:
        resolved = no_image(digest)
    return FoundTag(locked.tag, digest, resolved)


def _is_of_index(declaration: ImageDeclaration, locked: LockedImage, source: ManifestSource) -> bool:
    """Whether the platforms of an entry without checksum are those of its index."""
    resolved = resolve_image(PinnedReference(locked.repository, locked.digest, locked.tag), source)
    return choose_platforms(declaration.platforms, resolved.platform_digests).chosen == locked.platform_digests


def _find_newer_outside(declaration: ImageDeclaration, tags: Iterable[str]) -> str | None:
    """Return the newest tag that only the upper bound of the range excludes."""
    wanted = declaration.selector
    if not isinstance(wanted, VersionRange) or not tags:
        return None
    try:
        newest = rank_tags(wanted.without_end, tags, repository=declaration.repository)[0].tag
    except NoTagError:
        return None
    return None if accepts(wanted, newest) else newest


def _find_remarks(declaration: ImageDeclaration, locked: LockedImage, decision: Decision) -> tuple[str, ...]:
    wanted, tag = declaration.selector, decision.other_tag.tag if decision.other_tag else locked.tag
    if not isinstance(wanted, VersionRange) or tag is None or not decision.tags:
        return ()
    return remarks_on(wanted, tag, decision.tags)


def _compare(locked: LockedImage, found: FoundTag, source: ManifestSource) -> CurrentTag:
    if found.resolved is None:
        return CurrentTag(tag=found.tag, digest=found.digest, version=locked.labels.version)
    before = {entry.platform: entry.digest for entry in locked.platform_digests}
    staying = tuple(entry for entry in found.resolved.platform_digests if entry.platform in before)
    there = {entry.platform for entry in found.resolved.platform_digests}
    reference = PinnedReference(locked.repository, found.digest, found.tag)
    return CurrentTag(
        tag=found.tag,
        digest=found.digest,
        version=find_labels(reference, found.resolved.labels, staying, source).version if staying else None,
        moved=tuple(entry.platform for entry in staying if before[entry.platform] != entry.digest),
        lost=tuple(platform for platform in before if platform not in there),
        gained=tuple(it.platform for it in found.resolved.platform_digests if it.platform not in before)
        if locked.all_platforms
        else (),
    )

"""The one decision that ``outdated`` reports and ``update`` carries out: what becomes of a locked image.

Rules, the most important first: an image that is declared by digest stays. A range never goes below its locked tag
while the registry serves that tag, even if the list of tags lacks it. Content below the minimum age is not taken. An
index that moved while the declared platforms did not is left alone. A tag that lacks a declared platform is an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto

from imagelock.errors import ImageNotFoundError, NoImageError, NoTagError, PlatformNotFoundError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.resolve import ResolvedImage, resolve_image, select_platforms
from imagelock.locking.select import SelectedReference, TagSearch
from imagelock.locking.source import ManifestSource
from imagelock.model.cooldown import TooYoung
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.platforms import choose_platforms
from imagelock.model.reference import ImageReference, PinnedReference, TagReference
from imagelock.model.selector import ExactDigest
from imagelock.model.tags.selection import Chosen, rank_tags
from imagelock.model.tags.version_range import VersionRange


class Action(Enum):
    """What an update does."""

    KEEP = auto()
    TAKE = auto()
    INDEX = auto()
    """The index moved, and no declared platform: taken on request, or where the locked index is gone."""
    FAIL = auto()


@frozen
class FoundTag:
    """The current content of a tag."""

    tag: str
    digest: Digest
    resolved: ResolvedImage | None = None
    """None if it is the locked content, which was not fetched."""


@frozen(kw_only=True)
class Decision:
    """What an update does with one image, and what was found out to decide it."""

    action: Action
    taken: LockedImage | None = None
    """The entry that TAKE or INDEX writes."""
    failure: ImageNotFoundError | NoImageError | None = None
    """The reason for FAIL."""
    locked_tag: FoundTag | None = None
    """The locked tag now; None if it is gone, or was not asked for."""
    other_tag: FoundTag | None = None
    """The tag that the range selects, if it is not the locked one."""
    refused_tag: str | None = None
    """The tag that the range selects, if it cannot be resolved: it is gone, or not an image."""
    is_tag_gone: bool = False
    is_unlisted: bool = False
    """Whether the locked tag is kept although the list of tags lacks it."""
    is_downgrade: bool = False
    """Whether the locked tag is gone, and the range selects an older one."""
    too_young: tuple[TooYoung, ...] = ()
    tags: tuple[str, ...] = ()
    """The complete list of tags; empty if it was not needed."""


def decide_update(
    declaration: ImageDeclaration, locked: LockedImage, source: ManifestSource, *, now: datetime
) -> Decision:
    """Decide for an image whose locked content satisfies its declaration; temporary failures are raised."""
    if isinstance(declaration.selector, ExactDigest) or locked.tag is None:
        return Decision(action=Action.KEEP)
    decider = _Decider(declaration, locked, source, locked.tag)
    if isinstance(declaration.selector, VersionRange):
        return decider.decide_range(TagSearch(declaration, declaration.selector, source, now))
    return decider.decide_tag()


@frozen
class _Decider:
    """One image, and the source that is asked about it."""

    declaration: ImageDeclaration
    locked: LockedImage
    source: ManifestSource
    tag: str
    """The locked one."""

    def decide_tag(self) -> Decision:
        try:
            digest = self._ask_locked_tag()
        except ImageNotFoundError as error:
            return Decision(action=Action.FAIL, failure=error, is_tag_gone=True)
        return self._decide_same_tag(digest, None)

    def decide_range(self, search: TagSearch) -> Decision:
        ranked = search.rank(kept=self.tag)
        try:
            newer = search.find_first(ranked, before=self.tag)
        except ImageNotFoundError as error:
            # The registry lacks an image that the index of a candidate lists, so that its age is not known.
            return Decision(action=Action.FAIL, failure=error, tags=search.tags)
        if newer is not None:
            return self._decide_other_tag(newer, ranked)
        try:
            digest = self._ask_locked_tag()
        except ImageNotFoundError:
            decision = replace(self._decide_without_tag(search), is_tag_gone=True)
        else:
            decision = replace(self._decide_same_tag(digest, search), is_unlisted=self.tag not in search.tags)
        return replace(decision, too_young=tuple(search.too_young.values()), tags=search.tags)

    def _decide_without_tag(self, search: TagSearch) -> Decision:
        try:
            ranked = search.rank(without=self.tag)
            selected = search.find_first(ranked)
        except NoTagError as error:
            return Decision(action=Action.FAIL, failure=error)
        if selected is None:
            return Decision(action=Action.FAIL, failure=search.all_too_young())
        tag = str(selected.reference.tag)
        newest = rank_tags(search.wanted, [tag], repository=self.declaration.repository, kept=self.tag)[0].tag
        return replace(self._decide_other_tag(selected, ranked), is_downgrade=newest == self.tag)

    def _decide_same_tag(self, digest: Digest, search: TagSearch | None) -> Decision:
        if digest == self.locked.digest:
            return Decision(action=Action.KEEP, locked_tag=FoundTag(self.tag, digest))
        # By digest: the tag may move between two questions.
        reference = PinnedReference(self.declaration.repository, digest, self.tag)
        try:
            resolved = resolve_image(reference, self.source)
        except NoImageError as error:
            return Decision(action=Action.FAIL, failure=error, locked_tag=FoundTag(self.tag, digest, no_image(digest)))
        found = FoundTag(self.tag, digest, resolved)
        try:
            taken = self._entry(TagReference(self.declaration.repository, self.tag), resolved)
        except ImageNotFoundError as error:
            return Decision(action=Action.FAIL, failure=error, locked_tag=found)
        known = choose_platforms(self.declaration.platforms, self.locked.platform_digests).chosen
        fresh = [entry for entry in taken.platform_digests if entry not in known]
        if search is not None and self.declaration.cooldown and not search.is_old_enough(self.tag, fresh):
            return Decision(action=Action.KEEP, locked_tag=found)
        is_same = taken.platform_digests == known and not self.locked.is_damaged
        return Decision(action=Action.INDEX if is_same else Action.TAKE, taken=taken, locked_tag=found)

    def _decide_other_tag(self, selected: SelectedReference, ranked: Iterable[Chosen]) -> Decision:
        decision = Decision(action=Action.TAKE, too_young=selected.too_young, tags=selected.tags)
        tag = str(selected.reference.tag)
        try:
            resolved = selected.resolve(self.source)
        except (ImageNotFoundError, NoImageError) as error:
            failure = _with_way_around(error, tag, ranked)
            return replace(decision, action=Action.FAIL, failure=failure, refused_tag=tag)
        decision = replace(decision, other_tag=FoundTag(tag, resolved.digest, resolved))
        try:
            return replace(decision, taken=self._entry(selected.reference, resolved))
        except PlatformNotFoundError as error:
            return replace(decision, action=Action.FAIL, failure=_with_way_around(error, tag, ranked))

    def _ask_locked_tag(self) -> Digest:
        return self.source.fetch_digest(TagReference(self.declaration.repository, self.tag))

    def _entry(self, reference: ImageReference, resolved: ResolvedImage) -> LockedImage:
        return make_entry(self.declaration, reference, resolved)


def no_image(digest: Digest) -> ResolvedImage:
    """Return the content of a tag that is not an image: no platforms."""
    return ResolvedImage(digest, ())


def make_entry(declaration: ImageDeclaration, reference: ImageReference, resolved: ResolvedImage) -> LockedImage:
    """Return the entry for resolved content; ``ImageNotFoundError`` if it lacks a declared platform."""
    return LockedImage(
        alias=declaration.alias,
        repository=declaration.repository,
        selector=declaration.selector,
        all_platforms=not declaration.platforms,
        declared_builds=declaration.builds,
        tag=reference.tag,
        digest=resolved.digest,
        platform_digests=select_platforms(declaration.platforms, resolved, reference),
        labels=resolved.labels,
    )


def _with_way_around(
    error: ImageNotFoundError | NoImageError, tag: str, ranked: Iterable[Chosen]
) -> ImageNotFoundError | NoImageError:
    """Return the error with a hint that excludes the tag from the range."""
    version = next(chosen.version for chosen in ranked if chosen.tag == tag)
    hint = f"add `!={version}` to `version` in images.toml to leave {tag} out"
    if isinstance(error, NoImageError):
        return NoImageError(error.message, details=error.details, hint=hint)
    return ImageNotFoundError(error.message, details=error.details, hint=error.hint or hint)

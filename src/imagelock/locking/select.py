"""From a declaration to the one reference that it means today: only ranges have to ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from imagelock.errors import ImagelockError, NoTagError, NoTagReason
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.resolve import ResolvedImage, fetch_image, resolve_image, select_platforms
from imagelock.locking.source import ManifestSource
from imagelock.model.cooldown import TooYoung
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import TAG_RULE, ImageReference, PinnedReference, TagReference, is_tag_in
from imagelock.model.selector import ExactDigest, ExactTag, Selector, accepts
from imagelock.model.tags.version_range import VersionRange

_MAX_TOO_YOUNG = 30
"""Tags whose dates are asked for, three requests each, before a range gives up: something else is wrong then."""
_SHOWN = 3


@frozen
class SelectedReference:
    """What a declaration selects, and what was learned on the way there."""

    reference: ImageReference
    resolved: ResolvedImage | None = None
    """What lies there, if its age had to be asked for."""
    too_young: tuple[TooYoung, ...] = ()
    """Newer tags whose images are too young."""
    tags: tuple[str, ...] = ()
    """The whole list, where there had to be one."""


def select_reference(
    declaration: ImageDeclaration, source: ManifestSource, *, locked_tag: str | None = None, now: datetime | None = None
) -> SelectedReference:
    """Find what a declaration selects; a declaration with a minimum age needs to know what time it is.

    A range that comes to its locked tag takes it, however young: what is locked was good enough before.
    """
    match declaration.selector:
        case ExactTag(tag):
            return SelectedReference(TagReference(declaration.repository, tag))
        case ExactDigest(digest, tag):
            return SelectedReference(PinnedReference(declaration.repository, digest, tag))
        case VersionRange() as wanted:
            from imagelock.model.tags.selection import rank_tags  # noqa: PLC0415  loads `packaging`, which only ranges need

            tags = source.list_tags(declaration.repository)
            ranked = [chosen.tag for chosen in rank_tags(wanted, tags, repository=declaration.repository)]
            if not declaration.cooldown:
                return SelectedReference(TagReference(declaration.repository, ranked[0]), tags=tags)
            if now is None:
                raise ValueError("whether an image is old enough depends on the time")
            search = _AgeSearch(declaration, source, locked_tag, now)
            return search.find(ranked, tags)


@frozen
class _AgeSearch:
    """The walk from the newest tag to the first that is old enough."""

    declaration: ImageDeclaration
    source: ManifestSource
    locked_tag: str | None
    now: datetime

    def find(self, ranked: Sequence[str], tags: tuple[str, ...]) -> SelectedReference:
        too_young: list[TooYoung] = []
        for tag in ranked[:_MAX_TOO_YOUNG]:
            reference = TagReference(self.declaration.repository, tag)
            if tag == self.locked_tag:
                return SelectedReference(reference, None, tuple(too_young), tags)
            resolved = resolve_image(reference, self.source)
            created = self._ask_created(reference, resolved)
            if self.declaration.cooldown.accepts(created, now=self.now):
                return SelectedReference(reference, resolved, tuple(too_young), tags)
            too_young.append(TooYoung(tag, created, self.declaration.cooldown))
        raise _all_too_young(self.declaration, too_young, is_all=len(too_young) == len(ranked))

    def _ask_created(self, reference: TagReference, resolved: ResolvedImage) -> datetime | None:
        first = select_platforms(self.declaration.platforms, resolved, reference)[0]
        _, config = fetch_image(self.declaration.repository, first.digest, self.source)
        return config.created


def _all_too_young(declaration: ImageDeclaration, too_young: Sequence[TooYoung], *, is_all: bool) -> NoTagError:
    dates = [it.created for it in too_young]
    tags = f"of the {'' if is_all else f'newest {len(too_young)} '}tags of {declaration.repository} in the range"
    return NoTagError(
        f"none {tags} is old enough" if any(dates) else f"none {tags} says when it was created",
        reason=NoTagReason.YOUNG,
        details=[str(it) for it in too_young[:_SHOWN]],
        hint='`minimum-age = "0 days"` takes it' if all(dates) else '`unknown-age = "accept"` takes such tags',
    )


_DIGEST_MARK = "sha"


def parse_requested(text: str, declaration: ImageDeclaration, *, locked_tag: str | None) -> ImageReference:
    """Read ``TAG``, ``DIGEST`` or ``TAG@DIGEST``; an error says why the declaration doesn't allow it."""
    if declaration.freeze is not None:
        raise ImagelockError(
            f"`{declaration.alias}` is frozen: {declaration.freeze}", hint="remove `freeze` from images.toml first"
        )
    reference = _read(text, declaration, locked_tag)
    if not _is_allowed(reference, declaration.selector):
        raise ImagelockError(
            f"images.toml does not allow `{text}` for `{declaration.alias}`",
            details=[f"images.toml has {declaration.selector}"],
            hint="change images.toml, then run `imagelock lock`",
        )
    return reference


def _read(text: str, declaration: ImageDeclaration, locked_tag: str | None) -> ImageReference:
    tag, _, digest = text.rpartition("@") if "@" in text else ("", "", text)
    if "@" not in text and not (text.startswith(_DIGEST_MARK) and ":" in text):
        return TagReference(declaration.repository, _checked(text, declaration))
    named_tag = _checked(tag, declaration) if tag else _tag_of(declaration.selector, locked_tag)
    return PinnedReference(declaration.repository, Digest.parse(digest), named_tag)


def _checked(tag: str, declaration: ImageDeclaration) -> str:
    if not is_tag_in(declaration.repository, tag):
        raise ImagelockError(f"`{tag}` is not a tag: {TAG_RULE}")
    return tag


def _tag_of(selector: Selector, locked_tag: str | None) -> str | None:
    """Find the tag under which a digest is going to be locked that was named alone."""
    match selector:
        case ExactTag(tag) | ExactDigest(_, tag):
            return tag
        case VersionRange():
            return locked_tag


def _is_allowed(reference: ImageReference, selector: Selector) -> bool:
    match reference:
        case PinnedReference(_, digest, tag):
            return accepts(selector, tag=tag, digest=digest)
        case TagReference(_, tag):
            if isinstance(selector, ExactTag):
                return tag == selector.tag
            return isinstance(selector, VersionRange) and _range_accepts(selector, tag)


def _range_accepts(wanted: VersionRange, tag: str) -> bool:
    from imagelock.model.tags.selection import accepts as range_accepts  # noqa: PLC0415  loads `packaging`

    return range_accepts(wanted, tag)

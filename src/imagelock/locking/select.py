"""From a declaration to the one reference that it selects now: only ranges have to ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from imagelock.errors import ImageNotFoundError, NoImageError, NoTagError, NoTagReason
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.resolve import ResolvedImage, fetch_image, resolve_image
from imagelock.locking.source import ManifestSource
from imagelock.model.cooldown import TooYoung
from imagelock.model.frozen import frozen
from imagelock.model.platforms import PlatformDigest, choose_platforms
from imagelock.model.reference import ImageReference, PinnedReference, TagReference
from imagelock.model.selector import ExactDigest, ExactTag
from imagelock.model.tags.selection import Chosen, rank_tags
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


def select_reference(declaration: ImageDeclaration, source: ManifestSource, *, now: datetime) -> SelectedReference:
    """Find what a declaration selects for an image that is not locked."""
    match declaration.selector:
        case ExactTag(tag):
            return SelectedReference(TagReference(declaration.repository, tag))
        case ExactDigest(digest, tag):
            return SelectedReference(PinnedReference(declaration.repository, digest, tag))
        case VersionRange() as wanted:
            search = TagSearch(declaration, wanted, source, now)
            selected = search.find_first(search.rank())
            if selected is None:
                raise search.all_too_young()
            return selected


@dataclass(slots=True)
class TagSearch:
    """One walk over the tags of a range, from the newest to the first whose image is old enough.

    What was found too young is remembered, so that a second walk does not ask for it again.
    """

    declaration: ImageDeclaration
    wanted: VersionRange
    source: ManifestSource
    now: datetime
    listed: tuple[str, ...] | None = None
    """The repository's list, once it was asked for."""
    too_young: dict[str, TooYoung] = field(default_factory=dict)
    """By tag, in the order in which they were met."""

    def rank(self, *, kept: str | None = None, without: str | None = None) -> tuple[Chosen, ...]:
        """List the tags that the range takes, the newest first; ``NoTagError`` explains why there is none.

        ``kept`` is among them though it floats or the list lacks it, ``without`` is not though the list has it.
        """
        if self.listed is None:
            self.listed = self.source.list_tags(self.declaration.repository)
        tags = [tag for tag in self.listed if tag != without]
        return rank_tags(self.wanted, tags, repository=self.declaration.repository, kept=kept)

    def find_first(self, ranked: Iterable[Chosen], *, before: str | None = None) -> SelectedReference | None:
        """Return the first tag that may be taken; None where ``before`` is met first, or no tag is old enough."""
        for tag in (chosen.tag for chosen in ranked):
            if tag == before or len(self.too_young) >= _MAX_TOO_YOUNG:
                return None
            reference = TagReference(self.declaration.repository, tag)
            if not self.declaration.cooldown:
                return self._selected(reference, None)
            if tag in self.too_young:
                continue
            try:
                resolved = resolve_image(reference, self.source)
            except (ImageNotFoundError, NoImageError):
                # It is never passed over in silence: who resolves it anew can name the tag in the error.
                return self._selected(reference, None)
            entries = choose_platforms(self.declaration.platforms, resolved.platform_digests).chosen
            if self.is_old_enough(tag, entries or resolved.platform_digests[:1]):
                return self._selected(reference, resolved)
        return None

    def is_old_enough(self, tag: str, entries: Iterable[PlatformDigest]) -> bool:
        """Ask for the date of each platform's image, to the first that is too young, which is remembered."""
        for digest in dict.fromkeys(entry.digest for entry in entries):
            _, config = fetch_image(self.declaration.repository, digest, self.source)
            if not self.declaration.cooldown.accepts(config.created, now=self.now):
                self.too_young[tag] = TooYoung(tag, config.created, self.declaration.cooldown)
                return False
        return True

    @property
    def tags(self) -> tuple[str, ...]:
        """The repository's list; empty before it was asked for."""
        return self.listed or ()

    def all_too_young(self) -> NoTagError:
        """Make the error for a range in which no tag is old enough."""
        found = tuple(self.too_young.values())
        dates = [it.created for it in found]
        which = "tags" if len(found) < _MAX_TOO_YOUNG else f"newest {len(found)} tags"
        where = f"of the {which} of {self.declaration.repository} in the range"
        return NoTagError(
            f"none {where} is old enough" if any(dates) else f"none {where} says when it was created",
            reason=NoTagReason.YOUNG,
            details=[str(it) for it in found[:_SHOWN]],
            hint='`minimum-age = "0 days"` takes it' if all(dates) else '`unknown-age = "accept"` takes such tags',
        )

    def _selected(self, reference: ImageReference, resolved: ResolvedImage | None) -> SelectedReference:
        return SelectedReference(reference, resolved, tuple(self.too_young.values()), self.tags)

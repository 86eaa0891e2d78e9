"""The reference that a declaration selects now. Only ranges ask the registry: for its list of tags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
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
"""Tags whose creation dates are read, with three requests each, before a range fails."""
_SHOWN = 3


@frozen
class SelectedReference:
    """The selected reference, and what was found out while selecting it."""

    reference: ImageReference
    resolved: ResolvedImage | None = None
    """Its content, if its age had to be checked."""
    too_young: tuple[TooYoung, ...] = ()
    """Newer tags that are below the minimum age."""
    tags: tuple[str, ...] = ()
    """The complete list of tags; empty if it was not needed."""
    failure: ImageNotFoundError | NoImageError | None = None
    """The reason why its age could not be checked: it is gone, or not an image."""

    def resolve(self, source: ManifestSource) -> ResolvedImage:
        """Return its content; the failure is raised again, since content of unknown age must not be taken."""
        if self.failure is not None:
            raise self.failure
        return self.resolved or resolve_image(self.reference, source)


def select_reference(declaration: ImageDeclaration, source: ManifestSource, *, now: datetime) -> SelectedReference:
    """Return what a declaration selects for an image that is not locked; ``NoTagError`` if a range has no tag."""
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
    """The search in the tags of a range for the newest one whose image has the minimum age.

    Tags that are too young are kept, so that a second search does not ask for their dates again.
    """

    declaration: ImageDeclaration
    wanted: VersionRange
    source: ManifestSource
    now: datetime
    listed: tuple[str, ...] | None = None
    """The repository's list of tags; None until it was fetched."""
    too_young: dict[str, TooYoung] = field(default_factory=dict)
    """By tag, the newest version first."""

    def rank(self, *, kept: str | None = None, without: str | None = None) -> tuple[Chosen, ...]:
        """Return the tags in the range, the newest first; ``NoTagError`` says why there is none.

        ``kept`` is included even if it floats or is not listed; ``without`` is excluded even if it is listed.
        """
        if self.listed is None:
            self.listed = self.source.list_tags(self.declaration.repository)
        tags = [tag for tag in self.listed if tag != without]
        return rank_tags(self.wanted, tags, repository=self.declaration.repository, kept=kept)

    def find_first(self, ranked: Iterable[Chosen], *, before: str | None = None) -> SelectedReference | None:
        """Return the first tag that is old enough; None if ``before`` comes first, or no tag is old enough.

        A tag whose age cannot be checked is returned, too, with the failure.
        """
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
            except (ImageNotFoundError, NoImageError) as error:
                # It must not be skipped silently: the caller names the tag in the error.
                return replace(self._selected(reference, None), failure=error)
            entries = choose_platforms(self.declaration.platforms, resolved.platform_digests).chosen
            if self.is_old_enough(tag, entries or resolved.platform_digests[:1]):
                return self._selected(reference, resolved)
        return None

    def is_old_enough(self, tag: str, entries: Iterable[PlatformDigest]) -> bool:
        """Return whether each platform's image has the minimum age; the first that has not is kept in ``too_young``."""
        for digest in dict.fromkeys(entry.digest for entry in entries):
            _, config = fetch_image(self.declaration.repository, digest, self.source)
            if not self.declaration.cooldown.accepts(config.created, now=self.now):
                self.too_young[tag] = TooYoung(tag, config.created, self.declaration.cooldown)
                return False
        return True

    @property
    def tags(self) -> tuple[str, ...]:
        """The repository's list of tags; empty until it was fetched."""
        return self.listed or ()

    def all_too_young(self) -> NoTagError:
        """Return the error for a range in which no tag is old enough."""
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

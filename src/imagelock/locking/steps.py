"""The six things that can happen to one image: kept, repaired, given more platforms, resolved, refreshed, or taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from imagelock.errors import ImageNotFoundError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.resolve import is_served, resolve_image, select_platforms
from imagelock.locking.select import SelectedReference, select_reference
from imagelock.locking.source import ManifestSource
from imagelock.locking.version_labels import learn_labels
from imagelock.model.frozen import frozen
from imagelock.model.platforms import PlatformDigest
from imagelock.model.reference import ImageReference, PinnedReference
from imagelock.model.selector import ExactDigest
from imagelock.model.tags.guess import find_longer_pattern
from imagelock.model.tags.version_range import VersionRange


@frozen
class StepResult:
    """What became of one image, and what its owner should know beyond the change itself."""

    image: LockedImage
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """What only those want to read who ask why."""
    old: LockedImage | None = None
    """The image as it was locked, with what was learned about it meanwhile."""


@frozen
class KeepLocked:
    """Nothing needs to move; at most the copy of the declaration is written anew, or a platform's line dropped."""

    declaration: ImageDeclaration
    locked: LockedImage
    notes: tuple[str, ...] = ()

    def run(self) -> StepResult:
        """Answer the declaration from what is locked."""
        platforms = self.declaration.platforms
        kept = tuple(
            entry
            for entry in self.locked.platform_digests
            if not platforms or any(platform.matches(entry.platform) for platform in platforms)
        )
        return StepResult(_copy_declaration(self.declaration, self.locked, kept), self.notes)


@frozen
class AddPlatforms:
    """Read more platforms out of the index that is locked: its tag may have moved since, and must not matter."""

    declaration: ImageDeclaration
    locked: LockedImage

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the locked index once more.

        Whether it is still served is asked apart: its content may come from a cache, which keeps what registries drop.
        """
        reference = _locked_reference(self.locked)
        try:
            source.fetch_digest(reference)
        except ImageNotFoundError as error:
            raise ImageNotFoundError(
                f"{reference} is no longer served, so that no platform can be added to it",
                details=[error.message],
                hint=_way_out(self.declaration),
            ) from error
        return StepResult(_read_locked_index(self.declaration, self.locked, source))


@frozen
class Repair:
    """Read the platforms of an entry anew out of the index that is locked, which stays: it is damaged, or may be."""

    declaration: ImageDeclaration
    locked: LockedImage

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the locked index by its digest, which the cache may answer."""
        try:
            repaired = _read_locked_index(self.declaration, self.locked, source)
        except ImageNotFoundError as error:
            raise ImageNotFoundError(
                f"its entry is damaged, and cannot be read anew: {error.message}",
                details=error.details,
                hint=error.hint or _way_out(self.declaration),
            ) from error
        if repaired.platform_digests == self.locked.platform_digests and not self.locked.is_damaged:
            return StepResult(repaired)
        return StepResult(
            repaired, notes=("the entry was damaged: its platforms were read anew from the locked index",)
        )


@frozen
class Resolve:
    """Lock what the declaration selects today."""

    declaration: ImageDeclaration
    now: datetime | None = None
    """The time, which declarations with a minimum age have to know."""

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the declared tag or digest, or for the tags to choose from."""
        chosen = select_reference(self.declaration, source, now=self.now)
        return StepResult(
            _resolve(self.declaration, chosen, source),
            notes=_too_young_notes(chosen),
            warnings=_missing_bound(self.declaration),
            reasons=_too_short_pattern(self.declaration, chosen),
        )


@frozen
class LockRequested:
    """Lock what a person named, who has seen that the declaration allows it."""

    declaration: ImageDeclaration
    reference: ImageReference

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for it; a digest must be served there, although its content may be known from elsewhere."""
        reference = self.reference
        if isinstance(reference, PinnedReference) and not is_served(reference, source):
            raise ImageNotFoundError(f"{reference.repository} does not serve {reference.digest}")
        return StepResult(learn_labels(_resolve(self.declaration, SelectedReference(reference), source), source))


@frozen
class Update:
    """Move a locked image to what its declaration selects today, if that is something else for its platforms."""

    smallest_step: KeepLocked | Repair | AddPlatforms
    """What is left to do where nothing moved."""
    takes_every_index: bool
    now: datetime | None = None
    """The time, which declarations with a minimum age have to know."""

    @property
    def declaration(self) -> ImageDeclaration:
        """What is wanted."""
        return self.smallest_step.declaration

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the digest first, which costs no pull, and for the content only where it moved."""
        locked = self.smallest_step.locked
        chosen = select_reference(self.declaration, source, locked_tag=locked.tag, now=self.now)
        notes = _too_young_notes(chosen)
        if chosen.reference.tag == locked.tag and source.fetch_digest(chosen.reference) == locked.digest:
            unmoved = self._run_smallest_step(source)
            return replace(unmoved, notes=(*notes, *unmoved.notes))
        new = _resolve(self.declaration, chosen, source)
        staying = KeepLocked(self.declaration, locked).run().image.platform_digests
        is_same = new.tag == locked.tag and new.platform_digests == staying and not locked.is_damaged
        if not is_same or self.takes_every_index:
            return StepResult(learn_labels(new, source), notes, old=learn_labels(locked, source))
        if is_served(PinnedReference(locked.repository, locked.digest, locked.tag), source):
            note = "index re-pushed, your platforms are unchanged (use --index to take it)"
            return StepResult(replace(new, digest=locked.digest, labels=locked.labels), (*notes, note))
        return StepResult(new, (*notes, "index re-pushed, and the locked one is no longer served: taken"))

    def _run_smallest_step(self, source: ManifestSource) -> StepResult:
        match self.smallest_step:
            case KeepLocked():
                return self.smallest_step.run()
            case Repair() | AddPlatforms():
                return self.smallest_step.run(source)


OnlineStep = Repair | AddPlatforms | Resolve | Update | LockRequested
Step = KeepLocked | OnlineStep


def _locked_reference(locked: LockedImage) -> PinnedReference:
    return PinnedReference(locked.repository, locked.digest, locked.tag)


def _way_out(declaration: ImageDeclaration) -> str:
    """Say how to lock other content than what is locked."""
    if isinstance(declaration.selector, ExactDigest):
        return "name a digest in images.toml that is served"
    update = f"run `imagelock update {declaration.alias}`"
    return update if declaration.freeze is None else f"remove `freeze` from images.toml, then {update}"


def _read_locked_index(declaration: ImageDeclaration, locked: LockedImage, source: ManifestSource) -> LockedImage:
    """Read the declared platforms out of the locked index."""
    reference = _locked_reference(locked)
    resolved = resolve_image(reference, source)
    try:
        chosen = select_platforms(declaration.platforms, resolved, reference)
    except ImageNotFoundError as error:
        raise ImageNotFoundError(error.message, hint=error.hint or _way_out(declaration)) from error
    return replace(_copy_declaration(declaration, locked, chosen), wrong_checksum=None, lacks_checksum=False)


def _resolve(declaration: ImageDeclaration, chosen: SelectedReference, source: ManifestSource) -> LockedImage:
    reference = chosen.reference
    resolved = chosen.resolved or resolve_image(reference, source)
    platform_digests = select_platforms(declaration.platforms, resolved, reference)
    return LockedImage(
        alias=declaration.alias,
        repository=declaration.repository,
        selector=declaration.selector,
        all_platforms=not declaration.platforms,
        tag=reference.tag,
        digest=resolved.digest,
        platform_digests=platform_digests,
        labels=resolved.labels_of(platform_digests),
    )


def _too_young_notes(chosen: SelectedReference) -> tuple[str, ...]:
    return tuple(f"{it}: passed over" for it in chosen.too_young)


def _missing_bound(declaration: ImageDeclaration) -> tuple[str, ...]:
    wanted = declaration.selector
    if not isinstance(wanted, VersionRange) or not wanted.is_unbounded:
        return ()
    return (f"the range `{wanted.version}` has no upper bound: one day it takes the next major version",)


def _too_short_pattern(declaration: ImageDeclaration, chosen: SelectedReference) -> tuple[str, ...]:
    wanted, tag = declaration.selector, chosen.reference.tag
    if not isinstance(wanted, VersionRange) or tag is None:
        return ()
    longer = find_longer_pattern(wanted.pattern, tag, chosen.tags)
    return () if longer is None else (f"{tag} may float: {longer}",)


def _copy_declaration(
    declaration: ImageDeclaration, locked: LockedImage, platform_digests: tuple[PlatformDigest, ...]
) -> LockedImage:
    """Copy the declaration into a locked image whose content stays."""
    tag = declaration.selector.tag if isinstance(declaration.selector, ExactDigest) else locked.tag
    return replace(
        locked,
        selector=declaration.selector,
        all_platforms=not declaration.platforms,
        tag=tag,
        platform_digests=platform_digests,
    )

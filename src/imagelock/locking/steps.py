"""What can happen to one image with questions, beside an update: repaired, given more platforms, resolved, or set."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from imagelock.errors import (
    ImageNotFoundError,
    InvalidContentError,
    NoImageError,
    PlatformNotFoundError,
    RegistryError,
)
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.decision import make_entry
from imagelock.locking.keep_step import KeepLocked, StepResult, copy_declaration
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.resolve import is_served, resolve_image, select_platforms
from imagelock.locking.select import SelectedReference, select_reference
from imagelock.locking.source import ManifestSource
from imagelock.locking.version_labels import learn_labels
from imagelock.model.frozen import frozen
from imagelock.model.platforms import choose_platforms
from imagelock.model.reference import ImageReference, PinnedReference
from imagelock.model.selector import ExactDigest
from imagelock.model.tags.guess import find_longer_pattern
from imagelock.model.tags.selection import remarks_on
from imagelock.model.tags.version_range import VersionRange


@frozen
class AddPlatforms:
    """Read more platforms from the locked index, by its digest: its tag may have moved since."""

    declaration: ImageDeclaration
    locked: LockedImage

    def run(self, source: ManifestSource) -> StepResult:
        """Fetch the locked index.

        Its digest is asked for first, since the cache may have content that the registry no longer serves.
        """
        reference = locked_reference(self.locked)
        try:
            source.fetch_digest(reference)
        except ImageNotFoundError as error:
            raise ImageNotFoundError(
                f"{reference} is no longer served, so that no platform can be added to it",
                details=[error.message],
                hint=way_out(self.declaration),
            ) from error
        return StepResult(read_locked_index(self.declaration, self.locked, source))


@frozen
class Repair:
    """Read the platforms of a damaged entry, or of one without checksum, again from the locked index, which stays."""

    declaration: ImageDeclaration
    locked: LockedImage
    note: str = "the entry was damaged: its platforms were read anew from the locked index"
    """The message that says why."""

    def run(self, source: ManifestSource) -> StepResult:
        """Fetch the locked index by its digest, from the cache if it is there."""
        try:
            return _read_again(self.declaration, self.locked, source, note=self.note)
        except ImageNotFoundError as error:
            what = "the entry is damaged, and its index" if self.locked.is_damaged else "the locked index"
            raise ImageNotFoundError(
                f"{what} cannot be read: {error.message}",
                details=error.details,
                # The way out of what is gone is other content: a list of tags would lead to no command.
                hint=error.hint if isinstance(error, PlatformNotFoundError) else way_out(self.declaration),
            ) from error


@frozen
class CompareWithIndex:
    """Repair an entry for which nothing proves that its platforms are those of its index, as far as that can be read.

    The entry is accepted as it is, so that it is kept, with a warning, where the index cannot be read. Then it gets no
    checksum, which would say that it was compared.
    """

    declaration: ImageDeclaration
    locked: LockedImage
    notes: tuple[str, ...] = ()
    note: str = "its platforms were not those of its index: they were read anew from it"
    """The message about platforms that differ."""

    def run(self, source: ManifestSource) -> StepResult:
        """Fetch the locked index by its digest, from the cache if it is there; wrong content is an error."""
        try:
            compared = _read_again(self.declaration, self.locked, source, note=self.note)
        except (InvalidContentError, PlatformNotFoundError):
            raise
        except RegistryError as error:
            kept = KeepLocked(self.declaration, self.locked, self.notes).run()
            proof = ", so that it gets no checksum" if self.locked.lacks_checksum else ""
            return replace(kept, warnings=(f"its platforms were not compared with its index{proof}: {error.message}",))
        return replace(compared, notes=(*self.notes, *compared.notes))


@frozen
class Resolve:
    """Lock what the declaration selects now."""

    declaration: ImageDeclaration
    now: datetime

    def run(self, source: ManifestSource) -> StepResult:
        """Fetch the declared tag or digest; for a range, list the tags first."""
        try:
            chosen = select_reference(self.declaration, source, now=self.now)
            resolved = chosen.resolve(source)
        except NoImageError as error:
            raise _with_hint_of_range(error, self.declaration) from error
        try:
            entry = make_entry(self.declaration, chosen.reference, resolved)
        except PlatformNotFoundError as error:
            platforms = ", ".join(f'"{each}"' for each in error.lockable)
            error.hint = error.hint or f"set `platforms = [{platforms}]` for this image in images.toml"
            raise
        return StepResult(
            entry,
            notes=(*_too_young_notes(chosen), *resolved.notes),
            warnings=_missing_bound(self.declaration),
            reasons=_reasons(self.declaration, chosen),
        )


@frozen
class LockRequested:
    """Lock the reference that ``update --to`` names; the planner has checked that the declaration allows it."""

    declaration: ImageDeclaration
    reference: ImageReference
    locked: LockedImage | None

    def run(self, source: ManifestSource) -> StepResult:
        """Fetch it; a digest must be served by this repository, even if the cache has its content."""
        reference = self.reference
        if isinstance(reference, PinnedReference) and not is_served(reference, source):
            raise ImageNotFoundError(f"{reference.repository} does not serve {reference.digest}")
        resolved = resolve_image(reference, source)
        taken = make_entry(self.declaration, reference, resolved)
        if self.locked is None:
            return StepResult(taken, resolved.notes)
        return told_move(self.locked, taken, source, notes=resolved.notes)


def told_move(
    old: LockedImage,
    new: LockedImage,
    source: ManifestSource,
    *,
    notes: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> StepResult:
    """Return the result of a move, with the versions of both sides for the report."""
    return StepResult(new, notes, warnings, told=(learn_labels(old, source), learn_labels(new, source)))


def locked_reference(locked: LockedImage) -> PinnedReference:
    """Return the reference of the locked content, by digest."""
    return PinnedReference(locked.repository, locked.digest, locked.tag)


def way_out(declaration: ImageDeclaration) -> str:
    """Return the hint that says how to move an image to other content."""
    if isinstance(declaration.selector, ExactDigest):
        return "name a digest in images.toml that is served"
    if declaration.freeze is not None:
        return f"remove `freeze` of `{declaration.alias}` from images.toml, which lets it move"
    return f"run `imagelock update {declaration.alias}`"


def read_locked_index(declaration: ImageDeclaration, locked: LockedImage, source: ManifestSource) -> LockedImage:
    """Return the entry with the declared platforms as the locked index lists them."""
    reference = locked_reference(locked)
    resolved = resolve_image(reference, source)
    try:
        chosen = select_platforms(declaration.platforms, resolved, reference)
    except ImageNotFoundError as error:
        hint = error.hint or way_out(declaration)
        raise PlatformNotFoundError(error.message, details=error.details, hint=hint) from error
    copied = copy_declaration(declaration, locked, chosen)
    return replace(copied, wrong_checksum=None, lacks_checksum=False, labels=resolved.labels)


def _read_again(declaration: ImageDeclaration, locked: LockedImage, source: ManifestSource, *, note: str) -> StepResult:
    """Return the entry as the locked index has it, with the note if it was damaged or had other platforms."""
    repaired = read_locked_index(declaration, locked, source)
    kept = choose_platforms(declaration.platforms, locked.platform_digests).chosen
    is_right = repaired.platform_digests == kept and not locked.is_damaged
    return StepResult(repaired, notes=() if is_right else (note,))


def _with_hint_of_range(error: NoImageError, declaration: ImageDeclaration) -> NoImageError:
    if not isinstance(declaration.selector, VersionRange):
        return error
    hint = "add `!=VERSION` to `version` in images.toml to leave that tag out, or `variant` to choose among the others"
    return NoImageError(error.message, details=error.details, hint=hint)


def _too_young_notes(chosen: SelectedReference) -> tuple[str, ...]:
    return tuple(f"{it}: passed over" for it in chosen.too_young)


def _missing_bound(declaration: ImageDeclaration) -> tuple[str, ...]:
    wanted = declaration.selector
    if not isinstance(wanted, VersionRange) or not wanted.is_unbounded:
        return ()
    return (f"the range `{wanted.version}` has no upper bound: one day it takes the next major version",)


def _reasons(declaration: ImageDeclaration, chosen: SelectedReference) -> tuple[str, ...]:
    wanted, tag = declaration.selector, chosen.reference.tag
    if not isinstance(wanted, VersionRange) or tag is None:
        return ()
    longer = find_longer_pattern(wanted.pattern, tag, chosen.tags)
    too_short = () if longer is None else (f"{tag} may float: {longer}",)
    return (*too_short, *remarks_on(wanted, tag, chosen.tags))

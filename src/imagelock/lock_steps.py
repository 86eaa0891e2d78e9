"""The four things that can happen to one image: it is kept, gets more platforms, is resolved, or is refreshed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imagelock.declaration import ImageDeclaration
from imagelock.errors import ImageNotFoundError
from imagelock.lockfile import LockedImage
from imagelock.platform_selection import select_platforms
from imagelock.platforms import PlatformDigest
from imagelock.reference import ImageReference, PinnedReference, TagReference
from imagelock.resolving import ManifestSource, resolve_image
from imagelock.selectors import ExactDigest, ExactTag
from imagelock.tags.version_range import VersionRange


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one image, and what its owner should know beyond the change itself."""

    image: LockedImage
    note: str | None = None
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing needs to move; at most the copy of the declaration is written anew, or a platform's line dropped."""

    declaration: ImageDeclaration
    locked: LockedImage
    note: str | None = None

    def run(self) -> StepResult:
        """Answer the declaration from what is locked."""
        platforms = self.declaration.platforms
        kept = tuple(
            entry
            for entry in self.locked.platform_digests
            if not platforms or any(platform.matches(entry.platform) for platform in platforms)
        )
        return StepResult(_restate(self.declaration, self.locked, kept), self.note)


@dataclass(frozen=True, slots=True)
class AddPlatforms:
    """Read more platforms out of the index that is locked: its tag may have moved since, and must not matter."""

    declaration: ImageDeclaration
    locked: LockedImage

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the locked index once more.

        Whether it is still served is asked apart: its content may come from a cache, which keeps what registries drop.
        """
        reference = PinnedReference(self.declaration.repository, self.locked.digest, self.locked.tag)
        try:
            source.fetch_digest(reference)
            resolved = resolve_image(reference, source)
        except ImageNotFoundError as error:
            raise ImageNotFoundError(
                f"{reference} is no longer served, so that no platform can be added to it",
                details=[error.message],
                hint=self._update_hint,
            ) from error
        try:
            chosen = select_platforms(self.declaration.platforms, resolved, reference)
        except ImageNotFoundError as error:
            raise ImageNotFoundError(error.message, hint=error.hint or self._update_hint) from error
        return StepResult(_restate(self.declaration, self.locked, chosen))

    @property
    def _update_hint(self) -> str:
        return f"run `imagelock update {self.declaration.alias}`"


@dataclass(frozen=True, slots=True)
class Resolve:
    """Lock what the declaration selects today."""

    declaration: ImageDeclaration

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the declared tag or digest, or for the tags to choose from."""
        image = _resolve(self.declaration, _select_reference(self.declaration, source), source)
        selector = self.declaration.selector
        is_unbounded = isinstance(selector, VersionRange) and selector.is_unbounded
        warning = f"the range `{selector.version}` has no upper bound" if is_unbounded else None  # type: ignore[union-attr]
        return StepResult(image, warning=warning)


@dataclass(frozen=True, slots=True)
class Refresh:
    """Move a locked image to what its declaration selects today, if that is something else for its platforms."""

    smallest_step: Keep | AddPlatforms
    """What is left to do where nothing moved."""
    takes_every_index: bool

    @property
    def declaration(self) -> ImageDeclaration:
        """What is wanted."""
        return self.smallest_step.declaration

    def run(self, source: ManifestSource) -> StepResult:
        """Ask for the digest first, which costs no pull, and for the content only where it moved."""
        locked = self.smallest_step.locked
        reference = _select_reference(self.declaration, source)
        if reference.tag == locked.tag and source.fetch_digest(reference) == locked.digest:
            return self._run_smallest_step(source)
        new = _resolve(self.declaration, reference, source)
        staying = Keep(self.declaration, locked).run().image.platform_digests
        is_same = new.tag == locked.tag and new.platform_digests == staying
        if not is_same or self.takes_every_index:
            return StepResult(new)
        if _is_served(locked, source):
            note = "index re-pushed, your platforms are unchanged (use --index to take it)"
            return StepResult(replace(new, digest=locked.digest), note)
        return StepResult(new, "index re-pushed, and the locked one is no longer served: taken")

    def _run_smallest_step(self, source: ManifestSource) -> StepResult:
        match self.smallest_step:
            case Keep():
                return self.smallest_step.run()
            case AddPlatforms():
                return self.smallest_step.run(source)


OnlineStep = AddPlatforms | Resolve | Refresh
Step = Keep | OnlineStep


def _select_reference(declaration: ImageDeclaration, source: ManifestSource) -> ImageReference:
    """Find the reference that the declaration selects; only a range has to ask for it."""
    match declaration.selector:
        case ExactTag(tag):
            return TagReference(declaration.repository, tag)
        case ExactDigest(digest, tag):
            return PinnedReference(declaration.repository, digest, tag)
        case VersionRange() as wanted:
            from imagelock.tags.selection import choose_tag  # noqa: PLC0415  loads `packaging`, which only ranges need

            tags = source.list_tags(declaration.repository)
            return TagReference(declaration.repository, choose_tag(wanted, tags, repository=declaration.repository).tag)


def _resolve(declaration: ImageDeclaration, reference: ImageReference, source: ManifestSource) -> LockedImage:
    resolved = resolve_image(reference, source)
    return LockedImage(
        alias=declaration.alias,
        repository=declaration.repository,
        selector=declaration.selector,
        all_platforms=not declaration.platforms,
        tag=reference.tag,
        digest=resolved.digest,
        platform_digests=select_platforms(declaration.platforms, resolved, reference),
    )


def _restate(
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


def _is_served(locked: LockedImage, source: ManifestSource) -> bool:
    try:
        source.fetch_digest(PinnedReference(locked.repository, locked.digest, locked.tag))
    except ImageNotFoundError:
        return False
    return True

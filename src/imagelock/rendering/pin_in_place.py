"""What files are pinned to: the locked digests, or the policy that a builder gets from ``[export]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from imagelock.documents.formats.format import Format
from imagelock.documents.formats.table import DOCKERFILE
from imagelock.documents.locked_references import Locked, LockedReferences, NamedImage, RangeTags, Retag
from imagelock.documents.pin_decisions import plan_pins
from imagelock.documents.pin_plan import FindingKind, IsExternal, PinPlan, PinStep, PinStyle
from imagelock.documents.pinning import Pinned, apply_plan
from imagelock.documents.references import Image, ReferenceKind
from imagelock.errors import InvalidReferenceError
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import LockedImage
from imagelock.model.frozen import frozen
from imagelock.model.reference import PinnedReference, TagReference, split_reference
from imagelock.model.selector import accepts
from imagelock.model.tags.selection import accepts as accepts_tag
from imagelock.model.tags.version_range import VersionRange
from imagelock.project.documents import Pending, ProjectDocuments
from imagelock.project.files import read_bytes
from imagelock.rendering.pinned_files import PinnedFile
from imagelock.rendering.template import RenderedImage, find_platform_digest


def locked_references(images: Iterable[RenderedImage], *, retag: Retag | None = None) -> LockedReferences:
    """Index the locked images by reference; those of an OCI layout by their name in it, if that is a reference."""
    images = tuple(images)
    found = [(reference, image.locked) for image in images if (reference := _reference(image))]
    ranges = {
        reference: RangeTags(partial(_is_in_range, locked), partial(accepts_tag, locked.selector.any_version))
        for reference, locked in found
        if isinstance(locked.selector, VersionRange)
    }
    names = {reference: str(locked.alias) for reference, locked in found}
    named: dict[str, NamedImage] = {image.locked.alias: _named(image, retag) for image in images}
    return LockedReferences(
        (reference for reference, _ in found),
        ranges=ranges,
        names=names,
        named=named,
        frozen_names={str(image.locked.alias) for image in images if image.is_frozen},
        retag=retag,
    )


def _named(image: RenderedImage, retag: Retag | None) -> NamedImage:
    is_range = isinstance(image.locked.selector, VersionRange)
    old_tag = retag.old_tag if retag and retag.name == image.locked.alias else None
    return NamedImage(
        reference=_reference(image),
        accepts_tag=partial(_is_in_range, image.locked) if is_range else lambda tag: tag == old_tag,
        retags=retag is not None and retag.name is None,
        find_platform=partial(find_platform_digest, locked=image.locked),
    )


def _is_in_range(locked: LockedImage, tag: str) -> bool:
    return accepts(locked.selector, tag=tag, digest=locked.digest)


def _reference(image: RenderedImage) -> PinnedReference | None:
    if image.is_layout_path:
        return None
    try:
        return PinnedReference(split_reference(image.name).repository, image.locked.digest, image.tag)
    except InvalidReferenceError:
        return None


_CHECKED = frozenset({ReferenceKind.FROM, ReferenceKind.COPY_FROM, ReferenceKind.MOUNT_FROM, ReferenceKind.SYNTAX})
"""What builders check in the build of this file; ``ONBUILD`` belongs to another one."""


@frozen
class PolicyCover:
    """The images that the exported policies know.

    A digest has no place in ``FROM golang:${VERSION}``. With a policy the build takes the locked image all the same.
    """

    known: LockedReferences

    @classmethod
    def of(cls, images_file: ImagesFile, images: Mapping[str, RenderedImage]) -> Self:
        """Build it from a lock that matches images.toml."""
        exports = [target.export for target in images_file.exports if target.export.covers_dockerfiles]
        names = {name for export in exports for name in export.names or images}
        return cls(locked_references(image for name, image in images.items() if name in names))

    def apply(self, plan: PinPlan) -> PinPlan:
        """Return the plan without the findings about references that are covered."""
        if plan.kind is not DOCKERFILE:
            return plan
        covered = tuple(step.reference for step in plan.steps if self._covers(step))
        spans = {reference.span for reference in covered}
        steps = tuple(PinStep(step.reference) if step.reference.span in spans else step for step in plan.steps)
        return replace(plan, steps=steps, covered=covered) if covered else plan

    def _covers(self, step: PinStep) -> bool:
        """Whether a digest cannot be written, and the tag that the file's own defaults give is locked."""
        image = step.reference.target
        if step.finding is None or step.finding.kind is not FindingKind.NOT_PINNABLE:
            return False
        if step.reference.kind not in _CHECKED or not isinstance(image, Image):
            return False
        # A policy converts tags: another digest beside the tag is refused by it, or stays.
        return isinstance(image.reference, TagReference) and isinstance(self.known.find(image.reference), Locked)


@frozen
class Pins:
    """What files are pinned to."""

    locked: LockedReferences
    external: IsExternal
    cover: PolicyCover
    documents: ProjectDocuments

    @classmethod
    def of(
        cls,
        folder: Path,
        images_file: ImagesFile,
        images: Mapping[str, RenderedImage],
        *,
        pending: Pending = None,
        retag: Retag | None = None,
    ) -> Self:
        """Build it from a lock that matches images.toml.

        ``pending`` gives what a file is going to hold; ``retag`` lets references with another tag follow.
        """
        cover = PolicyCover.of(images_file, images)
        documents = ProjectDocuments(folder, images_file.documents, pending=pending)
        return cls(locked_references(images.values(), retag=retag), images_file.external.covers, cover, documents)

    def pin(self, file: PinnedFile, content: bytes) -> Pinned | None:
        """Pin the references in the content of a file; None if a pattern matched something that is no document."""
        kind = self._kind_of(file, content)
        return None if kind is None else apply_plan(content, self.plan_content(content, kind, file.style))

    def plan(self, file: PinnedFile) -> PinPlan | None:
        """Compare a file with the lock; None if a pattern matched something that is no document."""
        content = read_bytes(file.path)
        kind = self._kind_of(file, content)
        if kind is None:
            return None
        return self.plan_content(content, kind, file.style)

    def plan_content(self, content: bytes, kind: Format, style: PinStyle = PinStyle.TAG_AND_DIGEST) -> PinPlan:
        """Compare any document with the lock, and with the policies that are exported."""
        plan = plan_pins(content, kind, self.locked, style=style, external=self.external)
        return self.cover.apply(plan)

    def _kind_of(self, file: PinnedFile, content: bytes) -> Format | None:
        """Return a file's kind; None if a pattern matched a file of no kind that is read."""
        find = self.documents.kind_of_named if file.is_named else self.documents.find_kind
        return find(file.path, content)

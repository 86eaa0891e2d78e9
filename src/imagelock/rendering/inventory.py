"""List every image reference in a project's files, with its state: declared, locked, pinned or none of these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum

from imagelock.documents.pin_decisions import is_external, plan_pins
from imagelock.documents.pin_plan import FindingKind, PinStep
from imagelock.documents.references import Image, Marked, NotEditable, Reference, Unresolved, key_of
from imagelock.images_file.declared import DeclaredImages
from imagelock.images_file.discovery import ScannedDocument
from imagelock.images_file.own_names import OwnNames
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import find_mismatches
from imagelock.locking.lockfile import Lockfile
from imagelock.model.frozen import frozen
from imagelock.project.project import Project
from imagelock.rendering.pin_in_place import locked_references
from imagelock.rendering.pinned_files import select_pinned_files
from imagelock.rendering.template import images_to_render

BUILT_HERE = "built by this repository"


class Status(StrEnum):
    """The state of a reference; the values are printed."""

    NEW = "new"
    """images.toml does not declare it."""
    DECLARED = "declared"
    """images.toml declares it, and images.lock does not have it as declared."""
    LOCKED = "locked"
    """images.lock has its digest, and the file does not."""
    PINNED = "pinned"
    EXTERNAL = "external"
    """``[external]`` covers it, or the repository builds the image."""
    UNPINNABLE = "unpinnable"
    """Its image is not in the file's text, or a digest cannot be written there."""


class Carrier(StrEnum):
    """What writes a file's digests."""

    PIN = "pin"
    RENDER = "render"
    NOTHING = "nothing"


@frozen(kw_only=True)
class InventoryEntry:
    """One reference in a file."""

    reference: Reference
    status: Status
    name: str | None = None
    """The name of its image in images.toml, if it has one."""
    reason: str | None = None
    hint: str | None = None


@frozen(kw_only=True)
class InventoryFile:
    """One file that names images, or that could not be read."""

    document: ScannedDocument
    carrier: Carrier
    entries: tuple[InventoryEntry, ...]


class Inventory:
    """What images.toml and images.lock say about documents; stale lock entries are ignored."""

    def __init__(self, project: Project, images_file: ImagesFile, lockfile: Lockfile) -> None:
        stale = {mismatch.alias for mismatch in find_mismatches(images_file, lockfile)}
        fresh = replace(images_file, images=tuple(it for it in images_file.images if it.alias not in stale))
        self._declared = DeclaredImages(images_file.images)
        self._locked = locked_references(images_to_render(fresh, lockfile).values())
        self._external = images_file.external.covers
        self._folder = project.folder
        self._pinned = {file.path.resolve(): file.style for file in select_pinned_files(project, images_file).files}
        self._rendered = {(project.folder / target.output).resolve() for target in images_file.targets}

    def take(self, documents: Iterable[ScannedDocument], names: OwnNames) -> Iterator[InventoryFile]:
        """Return what is known of each document that names an image or could not be read.

        ``names`` are what the repository builds itself.
        """
        for document in documents:
            if document.names_images or document.scan.problems:
                yield InventoryFile(
                    document=document, carrier=self._carrier(document), entries=tuple(self._entries(document, names))
                )

    def _carrier(self, document: ScannedDocument) -> Carrier:
        path = (self._folder / document.path).resolve()
        if path in self._rendered:
            return Carrier.RENDER
        return Carrier.PIN if path in self._pinned else Carrier.NOTHING

    def _entries(self, document: ScannedDocument, names: OwnNames) -> Iterator[InventoryEntry]:
        if document.scan.problems:
            return
        plan = plan_pins(document.content, document.kind, self._locked, external=self._external)
        steps = {key_of(step.reference): step for step in plan.steps}
        for reference in document.scan.references:
            match reference.target:
                case Image() | Unresolved() if is_external(reference, self._external):
                    yield InventoryEntry(reference=reference, status=Status.EXTERNAL)
                case Image() | Unresolved() if names.covers(reference) and not self._declared.names(reference):
                    yield InventoryEntry(reference=reference, status=Status.EXTERNAL, reason=BUILT_HERE)
                case Unresolved(_, reason, hint):
                    yield InventoryEntry(reference=reference, status=Status.UNPINNABLE, reason=reason, hint=hint)
                case Marked() as marked:
                    yield self._marked_entry(reference, marked, steps[key_of(reference)])
                case Image() as image:
                    yield self._entry(reference, image, steps.get(key_of(reference)))
                case _:
                    continue

    @staticmethod
    def _marked_entry(reference: Reference, marked: Marked, step: PinStep) -> InventoryEntry:
        finding = step.finding
        if finding is None:
            return InventoryEntry(reference=reference, status=Status.PINNED, name=marked.name)
        status = Status.LOCKED if step.change else Status.UNPINNABLE
        name = marked.name if step.change else None
        return InventoryEntry(reference=reference, status=status, name=name, reason=finding.reason, hint=finding.hint)

    def _entry(self, reference: Reference, image: Image, step: PinStep | None) -> InventoryEntry:
        declaration = self._declared.find(image.reference)
        name = None if declaration is None else declaration.alias
        finding = None if step is None else step.finding
        if isinstance(image.editing, NotEditable):
            reason, hint = image.editing.reason, image.editing.hint
            return InventoryEntry(reference=reference, status=Status.UNPINNABLE, name=name, reason=reason, hint=hint)
        if declaration is None:
            return InventoryEntry(reference=reference, status=Status.NEW, reason=self._siblings(image))
        if finding is None:
            return InventoryEntry(reference=reference, status=Status.PINNED, name=name)
        if finding.kind is FindingKind.NOT_PINNABLE:
            status = Status.UNPINNABLE
        else:
            status = Status.DECLARED if finding.kind.is_missing_in_lock else Status.LOCKED
        if finding.kind is FindingKind.NOT_LOCKED:
            return InventoryEntry(reference=reference, status=status, name=name)
        return InventoryEntry(reference=reference, status=status, name=name, reason=finding.reason, hint=finding.hint)

    def _siblings(self, image: Image) -> str | None:
        """Return a sentence with the declared tags of the same repository, which the reference may be meant to have."""
        siblings = self._declared.of_repository(image.reference)
        told = ", ".join(f"`{it.alias}` ({it.selector})" for it in siblings)
        return f"images.toml has {told}" if told else None

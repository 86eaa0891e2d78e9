"""Short ways to say what a document means, and what becomes of it."""

from __future__ import annotations

from collections.abc import Collection

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.locked_references import LockedReferences
from imagelock.documents.pin_plan import PinStyle
from imagelock.documents.pinning import Pinned, pin
from imagelock.documents.references import Image, Marked, NotEditable, Reference, Scratch, Stage, Unresolved
from imagelock.images_file.external import ExternalDeclaration
from imagelock.model.digest import Digest
from imagelock.model.reference import PinnedReference, TagReference, parse_reference

DIGEST = f"sha256:{'d' * 64}"
OLD_DIGEST = f"sha256:{'0' * 64}"


def references(document: str | bytes, kind: Format = table.DOCKERFILE) -> list[str]:
    """Describe each reference: kind, text as written, target; the expanded text where it differs."""
    return [describe(reference) for reference in find_references(_bytes(document), kind).references]


def problems(document: str | bytes, kind: Format = table.DOCKERFILE) -> list[str]:
    """List the problems as ``line:column reason``."""
    return [
        f"{problem.position.line}:{problem.position.column} {problem.reason}"
        for problem in find_references(_bytes(document), kind).problems
    ]


def describe(reference: Reference) -> str:
    expanded = "" if reference.target.text == reference.text else f" = {reference.target.text}"
    match reference.target:
        case Unresolved(_, reason):
            return f"{reference.kind} {reference.text}{expanded if reference.target.text else ''}: {reason}"
        case Image():
            return f"{reference.kind} {reference.text}{expanded}"
        case Stage():
            return f"{reference.kind} {reference.text}{expanded} (stage)"
        case Marked(_, name, field):
            return f"{reference.kind} {reference.text} ({name}{'.' if field else ''}{field})"
        case Scratch():
            return f"{reference.kind} {reference.text} (scratch)"


def refusals(document: str | bytes, kind: Format = table.DOCKERFILE) -> list[str]:
    """List the images that can't be edited, with the reasons."""
    targets = [reference.target for reference in find_references(_bytes(document), kind).references]
    return [
        f"{target.text}: {target.editing.reason}"
        for target in targets
        if isinstance(target, Image) and isinstance(target.editing, NotEditable)
    ]


def lock_of(*texts: str) -> LockedReferences:
    """Lock references: those without a digest get ``DIGEST``."""
    return LockedReferences(map(_locked, texts))


def pin_all(
    document: str | bytes,
    kind: Format = table.DOCKERFILE,
    *,
    style: PinStyle = PinStyle.TAG_AND_DIGEST,
    external: Collection[str] = (),
) -> Pinned:
    """Pin with a lock that has every image of the document under its tag, all with ``DIGEST``."""
    content = _bytes(document)
    targets = [reference.target for reference in find_references(content, kind).references]
    locked = {
        PinnedReference(target.reference.repository, Digest.parse(DIGEST), target.reference.tag or "latest")
        for target in targets
        if isinstance(target, Image)
    }
    return pin(
        content, kind, LockedReferences(locked), style=style, external=ExternalDeclaration(names=tuple(external)).covers
    )


def pinned_text(document: str, kind: Format = table.DOCKERFILE) -> str:
    """Pin everything, and write ``@D`` where the digest went."""
    return pin_all(document, kind).content.decode().replace(DIGEST, "D")


def _locked(text: str) -> PinnedReference:
    reference = parse_reference(text)
    if isinstance(reference, TagReference):
        return PinnedReference(reference.repository, Digest.parse(DIGEST), reference.tag)
    return reference


def _bytes(document: str | bytes) -> bytes:
    return document if isinstance(document, bytes) else document.encode()

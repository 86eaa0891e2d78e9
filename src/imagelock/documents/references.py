"""What a scan of a document finds: references, what each one means, and where its digest stands or would stand."""

from __future__ import annotations

from enum import StrEnum

from imagelock.documents.spans import Position, Span
from imagelock.model.frozen import frozen
from imagelock.model.reference import ImageReference


class ReferenceKind(StrEnum):
    """The places that a reference can stand in."""

    FROM = "from"
    COPY_FROM = "copy-from"
    MOUNT_FROM = "mount-from"
    SYNTAX = "syntax"
    ONBUILD_COPY_FROM = "onbuild-copy-from"
    ONBUILD_MOUNT_FROM = "onbuild-mount-from"
    IMAGE = "image"
    IMAGE_VOLUME = "image-volume"
    BUILD_CONTEXT = "build-context"
    ACTION = "action"


@frozen
class InlineDigest:
    """The digest follows the reference: ``alpine:3@sha256:…``."""

    span: Span
    """``@sha256:…``, or the empty span where it would go."""
    tag: Span | None
    """``:3`` right before it, an empty span where no tag stands; ``None`` if the tag stands somewhere else."""


@frozen
class DigestField:
    """The digest is a value of its own, as in a kustomization's ``digest: sha256:…``."""

    span: Span
    may_be_empty: bool
    """Whether the file stays valid without it, as where quotes remain."""


@frozen
class HexDigestField:
    """The digits of the digest are a value of their own, as in some charts' ``sha: 2c26…``."""

    span: Span
    may_be_empty: bool


@frozen
class NotEditable:
    """No digest can be put there safely; the hint is the way out."""

    reason: str
    hint: str


Editing = InlineDigest | DigestField | HexDigestField | NotEditable


@frozen
class Image:
    """An image of a registry."""

    text: str
    """The reference with its variables expanded, as the tool that reads the file sees it."""
    reference: ImageReference
    editing: Editing


@frozen
class Stage:
    """A build stage of the same Dockerfile, by name or number."""

    text: str


@frozen
class Scratch:
    """The empty base of ``FROM scratch``."""

    text: str


@frozen
class Unresolved:
    """A reference whose image can't be told from the file alone, or that no tool would accept."""

    text: str
    reason: str
    hint: str | None = None


Target = Image | Stage | Scratch | Unresolved


@frozen(kw_only=True)
class Reference:
    """One reference in a document."""

    kind: ReferenceKind
    text: str
    """As written, with its quotes and variables; line continuations are taken out."""
    span: Span
    position: Position
    target: Target


@frozen
class Problem:
    """Why a document, or a part of it, could not be read. Such a document is left alone."""

    position: Position
    reason: str


@frozen
class Scan:
    """Everything found in one document, in the order of the document."""

    references: tuple[Reference, ...] = ()
    problems: tuple[Problem, ...] = ()

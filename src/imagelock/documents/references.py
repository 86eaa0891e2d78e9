"""The result of a scan of a document: references, their meaning, and the places of their digests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, StrEnum, auto
from typing import Self

from imagelock.documents.spans import LineIndex, Position, SourceText, Span
from imagelock.errors import InvalidReferenceError
from imagelock.model.frozen import frozen
from imagelock.model.reference import ImageReference, split_reference

_FILLED_IN = r"%%|@[A-Za-z0-9_.-]+@|<[^<>]*>|\{\{|\{%|\[\[|\(\(|#\{|%[({]|__[A-Z0-9_]+__"
"""What other programs replace in their templates; no reference has such text."""


@frozen
class Found:
    """A reference whose line and column are not computed yet."""

    kind: ReferenceKind
    text: str
    span: Span
    target: Target
    used_by: str = ""

    @classmethod
    def at(cls, kind: ReferenceKind, source: SourceText, target: Target) -> Self:
        """Return it with the span of its characters."""
        return cls(kind, source.text, source.span, target)


def key_of(reference: Found | Reference) -> tuple[Span, Span, str]:
    """Return what no other reference of a document has; an alias or ``<<`` may give the same tag to several images.

    In the order of these keys, references stay where they are when digests are written.
    """
    editing = reference.target.editing if isinstance(reference.target, Image) else None
    digest = reference.span if editing is None or isinstance(editing, NotEditable) else editing.span
    return reference.span, digest, reference.target.text


def image_or_unresolved(text: str, editing: Editing, tag_use: AnyTagUse | None = None) -> Image | Unresolved:
    """Return an image if the text is a reference that registries and clients accept, else an unresolved reference."""
    try:
        written = split_reference(text)
    except InvalidReferenceError as error:
        if re.search(_FILLED_IN, text):
            return Unresolved(text, "a variable or a template decides the image", "write the reference itself")
        return Unresolved(text, error.message, error.hint)
    if isinstance(tag_use, TagNeeded) and written.tag is None:
        editing = NotEditable(tag_use.reason, tag_use.hint)
    return Image(text, written.meaning, editing, tag_use or TagUse.OPTIONAL)


def make_scan(content: bytes, found: Iterable[Found], problems: Iterable[tuple[int, str]]) -> Scan:
    """Return the scan, with lines and columns; problems are given as byte offsets and reasons."""
    lines = LineIndex(content)
    return Scan(
        tuple(
            Reference(
                kind=each.kind,
                text=each.text,
                span=each.span,
                position=lines.position(each.span.start),
                target=each.target,
                used_by=each.used_by,
            )
            for each in found
        ),
        tuple(Problem(lines.position(offset), reason) for offset, reason in problems),
    )


class ReferenceKind(StrEnum):
    """The places of references in documents."""

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
    MARKED = "marked"


@frozen
class InlineDigest:
    """The digest follows the reference: ``alpine:3@sha256:…``."""

    span: Span
    """``@sha256:…``, or the empty span where it would go."""
    tag: Span | None
    """``:3`` right before it, an empty span where no tag is; ``None`` if the tag is elsewhere."""
    separator: str = ":"
    """What is written before a tag; nothing where tag and digest are a value apart from the name."""
    is_tag_text: bool = True
    """Whether the tag alone is text, too: YAML reads ``1.20@sha256:…`` as text, and ``1.20`` as a number."""


@frozen
class TagField:
    """A tag that is a value of its own, beside a digest that is one."""

    span: Span
    is_text: bool | None
    """Whether YAML reads text in a value without quotes, not a number; ``None`` for values in quotes."""


@frozen
class DigestField:
    """The digest is a value of its own, as in a kustomization's ``digest: sha256:…``."""

    span: Span
    empty: bytes | None
    """What is written in its place if there is none; nothing where quotes remain, ``None`` if there must be one."""
    tag: TagField | None = None
    """The tag, if it can be edited together with the digest."""


@frozen
class HexDigestField:
    """The digits of the digest are a value of their own, as in some charts' ``sha: 2c26…``."""

    span: Span
    empty: bytes | None
    tag: TagField | None = None


@frozen
class NotEditable:
    """A digest cannot be written there safely; the hint says what to do instead."""

    reason: str
    hint: str


CONFLICT = NotEditable("another reference needs another digest in the same place", "write the references separately")

Editing = InlineDigest | DigestField | HexDigestField | NotEditable


class TagUse(Enum):
    """How the program that reads a reference treats a tag beside a digest."""

    OPTIONAL = auto()
    """It ignores the tag."""
    DROPPED = auto()
    """It refuses the tag, or misreads the two together, so pinning removes the tag."""


@frozen
class TagNeeded:
    """It reads the tag, too, so no digest is put where none is."""

    reason: str
    hint: str


AnyTagUse = TagUse | TagNeeded


@frozen
class Image:
    """An image of a registry."""

    text: str
    """The reference with its variables expanded, as the tool that reads the file sees it."""
    reference: ImageReference
    editing: Editing
    tag_use: AnyTagUse = TagUse.OPTIONAL


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
    """A reference whose image is not known from the file alone, or that no tool would accept."""

    text: str
    reason: str
    hint: str | None = None


@frozen
class Marked:
    """A line that a marker comment says to be about an image of images.toml."""

    text: str
    """The line, without blanks around it and without the marker."""
    name: str
    """The image's name in images.toml."""
    field: str
    """As in placeholders, such as ``tag``; empty for the whole reference."""
    source: SourceText


Target = Image | Stage | Scratch | Unresolved | Marked


@frozen(kw_only=True)
class Reference:
    """One reference in a document."""

    kind: ReferenceKind
    text: str
    """As written, with its quotes and variables; line continuations are taken out."""
    span: Span
    position: Position
    target: Target
    used_by: str = ""
    """The expression that takes the reference from here, such as ``${{ matrix.image }}``."""

    @property
    def shown(self) -> str:
        """The text for messages: all of a reference of which only a part, such as its tag, is at the position."""
        whole = self.target.text
        texts = (whole, whole.partition("@")[0])  # the digest may be a value of its own, too
        return next((it for it in texts if self.text and it.endswith((f":{self.text}", f"/{self.text}"))), self.text)


@frozen
class Problem:
    """Why a document, or a part of it, could not be read. Such a document is not edited."""

    position: Position
    reason: str


@frozen
class Scan:
    """Everything found in one document, in the order of the document."""

    references: tuple[Reference, ...] = ()
    problems: tuple[Problem, ...] = ()
    has_ignored: bool = False
    """Whether a marker took out references that were found."""

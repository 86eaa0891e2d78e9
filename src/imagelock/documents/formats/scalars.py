"""What a scalar says about an image, in files that know no variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY

from imagelock.documents.digest_position import find_position_in_text
from imagelock.documents.references import (
    DigestField,
    Editing,
    Found,
    HexDigestField,
    Image,
    InlineDigest,
    NotEditable,
    ReferenceKind,
    Target,
    Unresolved,
    image_or_unresolved,
)
from imagelock.documents.spans import SourceText
from imagelock.documents.syntax.nodes import Scalar, ScalarStyle
from imagelock.model.frozen import frozen

_TEMPLATE_SIGNS = ("{{", "$")
_BLOCK_SCALAR = NotEditable("the value is a block scalar", "write it on the line of its key, without `|` or `>`")
_ESCAPED_SCALAR = NotEditable("escapes or line breaks stand inside the value", "write the reference plainly")


def found_image(kind: ReferenceKind, scalar: Scalar) -> Found:
    """Take a scalar for a reference."""
    return Found.at(kind, scalar.source, _target_of(scalar))


def found_after_prefix(kind: ReferenceKind, scalar: Scalar, prefix: str) -> Found | None:
    """Take what follows a prefix such as ``docker://`` for a reference; nothing without the prefix."""
    if not scalar.value.startswith(prefix):
        return None
    if not scalar.is_plain:
        return Found.at(kind, scalar.source, _text_target(scalar.value.removeprefix(prefix), why_not_plain(scalar)))
    source = scalar.source.cut(len(prefix))
    return Found.at(kind, source, _plain_target(source))


def is_template(text: str) -> bool:
    """Whether somebody else puts something into the text before it is used."""
    return any(sign in text for sign in _TEMPLATE_SIGNS)


def why_not_plain(scalar: Scalar) -> NotEditable:
    """Say why a scalar's text can't be edited."""
    is_block = scalar.style in (ScalarStyle.LITERAL, ScalarStyle.FOLDED)
    return _BLOCK_SCALAR if is_block else _ESCAPED_SCALAR


def _target_of(scalar: Scalar) -> Target:
    if scalar.is_plain:
        return _plain_target(scalar.source)
    return _text_target(scalar.value, why_not_plain(scalar))


def _plain_target(source: SourceText) -> Target:
    if is_template(source.text):
        return _unresolved_template(source.text)
    return image_or_unresolved(source.text, find_position_in_text(source))


def _text_target(text: str, reason: NotEditable) -> Image | Unresolved:
    if is_template(text):
        return _unresolved_template(text)
    return image_or_unresolved(text.rstrip("\n"), reason)


def _unresolved_template(text: str) -> Unresolved:
    return Unresolved(text, "a variable or a template decides the image", "write the reference itself")


_UNKNOWN_DIGEST_KEY = NotEditable(
    "only the chart knows where its digest goes", 'add `digest: ""` if the chart reads that key'
)
_EMPTY_FIELD = NotEditable("the digest's key has no value", 'write `""` after the key')


@frozen
class SplitImage:
    """The parts as they stand. A digest that stands, and be it empty, says where digests go."""

    name: str
    _: KW_ONLY
    tag: Scalar | None
    digest: Scalar | None
    hex_digest: Scalar | None = None
    tag_takes_digest: bool = False
    """Whether ``1.2@sha256:…`` is sure to be understood as a tag."""

    def find(self, kind: ReferenceKind) -> Iterator[Found]:
        """Find the reference that the parts make, if there is more than a name."""
        written = next((part for part in (self.tag, self.digest, self.hex_digest) if part and part.value), None)
        if written is not None:
            yield Found.at(kind, written.source, image_or_unresolved(self._text(), self._editing()))

    def _text(self) -> str:
        tag = f":{self.tag.value}" if self.tag and self.tag.value else ""
        if self.digest and self.digest.value:
            return f"{self.name}{tag.partition('@')[0]}@{self.digest.value}"
        if self.hex_digest and self.hex_digest.value:
            return f"{self.name}{tag.partition('@')[0]}@sha256:{self.hex_digest.value}"
        return f"{self.name}{tag}"

    def _editing(self) -> Editing:
        if self.digest is not None:
            return _field(self.digest, DigestField)
        if self.hex_digest is not None:
            return _field(self.hex_digest, HexDigestField)
        if self.tag is not None and (self.tag_takes_digest or "@" in self.tag.value):
            return self._place_in_tag(self.tag)
        return _UNKNOWN_DIGEST_KEY

    @staticmethod
    def _place_in_tag(tag: Scalar) -> Editing:
        if not tag.is_plain:
            return why_not_plain(tag)
        place = find_position_in_text(tag.source)
        return InlineDigest(place.span, tag=None) if isinstance(place, InlineDigest) else place


def _field(scalar: Scalar, field: type[DigestField | HexDigestField]) -> Editing:
    is_quoted = scalar.style is ScalarStyle.QUOTED
    if not scalar.is_plain:
        return why_not_plain(scalar)
    if not (scalar.value or is_quoted):
        return _EMPTY_FIELD
    return field(scalar.source.span, may_be_empty=is_quoted)

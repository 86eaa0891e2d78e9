"""Images whose name, tag and digest are values of their own: read together, or left alone with the reason."""

from __future__ import annotations

from dataclasses import KW_ONLY, replace
from typing import TypeGuard

from imagelock.documents.digest_position import find_position_in_text
from imagelock.documents.formats.scalars import is_computed, is_template, why_not_plain
from imagelock.documents.references import (
    AnyTagUse,
    DigestField,
    Editing,
    Found,
    HexDigestField,
    InlineDigest,
    NotEditable,
    ReferenceKind,
    TagField,
    TagUse,
    Target,
    Unresolved,
    image_or_unresolved,
)
from imagelock.documents.spans import Span
from imagelock.documents.syntax.nodes import Scalar, ScalarStyle
from imagelock.documents.syntax.yaml_types import YamlType, printed_number
from imagelock.model.frozen import frozen

_UNKNOWN_DIGEST_KEY = NotEditable(
    "only the chart knows where its digest goes", 'add `digest: ""` if the chart reads that key'
)
_UNKNOWN_PLACE = NotEditable(
    "only the program that reads it knows where its digest goes", "write the tag behind the name, as in `redis:7`"
)
_EMPTY_FIELD = NotEditable("the digest's key has no value", 'write `""` after the key')
_EMPTY_TAG_BESIDE = NotEditable(
    "an empty tag is beside it, and only the chart knows what that means", "remove the key of the empty tag"
)
_READ_AS = {YamlType.DATE: "a date", YamlType.BOOLEAN: "true or false"}


@frozen
class SplitImage:
    """The parts as written, typed nulls left out. An existing key of a digest, even if empty, says where digests go."""

    name: Scalar
    _: KW_ONLY
    prefix: str = ""
    """What comes before the name, such as ``quay.io/``."""
    tag: Scalar | None = None
    digest: Scalar | None = None
    hex_digest: Scalar | None = None
    has_empty_tag: bool = False
    tag_takes_digest: bool = False
    """Whether ``1.2@sha256:…`` is sure to be understood as a tag."""
    affix: str = ""
    """The key whose value is put before or after the tag, such as ``tagSuffix``."""
    modifier: str = ""
    """The key whose value may be a part of the name or the tag, such as ``namespace``."""
    is_of_chart: bool = True
    """Whether a chart puts the parts together, which may read a digest that is not there yet."""
    tag_use: AnyTagUse = TagUse.OPTIONAL

    def find(self, kind: ReferenceKind) -> Found:
        """Find the reference that the parts make; it has the place of its tag, of its digest, or else of its name."""
        written = next((part for part in (self.tag, self.digest, self.hex_digest) if _has_value(part)), self.name)
        return Found.at(kind, written.source, self._target())

    def _target(self) -> Target:
        if unreliable := self._why_unreliable():
            return Unresolved(self._text(), *unreliable)
        return image_or_unresolved(self._text(), self._editing(), self.tag_use)

    def _text(self) -> str:
        tag = f":{self.tag.value}" if self.tag and self.tag.value else ""
        name = f"{self.prefix}{self.name.value}"
        if self.digest and _has_value(self.digest):
            return f"{name}{tag}@{self.digest.value}"
        if self.hex_digest and _has_value(self.hex_digest):
            return f"{name}{tag}@sha256:{self.hex_digest.value}"
        return f"{name}{tag}"

    def _why_unreliable(self) -> tuple[str, str] | None:
        """Return why the parts do not make the text that they seem to make, and a hint."""
        parts = (self.name, self.tag, self.digest, self.hex_digest)
        if any(is_template(part.value) or is_computed(part) for part in parts if part):
            return "a variable or a template decides the image", "write the reference itself"
        if self._has_digest_in_tag() + _has_value(self.digest) + _has_value(self.hex_digest) > 1:
            return "it has several digests", "keep one of them"
        if self.prefix and has_registry(self.name.value):
            return "it has two registries", "keep one of them"
        if self.tag is not None and self.tag.value and has_version(self.name.value):
            return "it has a tag of its own, and another one beside it", "keep one of them"
        if self.modifier:
            reason = f"only the chart knows whether `{self.modifier}` beside it is a part of the image"
            return reason, "write the whole name and the whole tag under one key each"
        if self.affix and not _has_value(self.digest) and not _has_value(self.hex_digest):
            return f"`{self.affix}` beside it changes the tag", "write the whole tag under one key"
        return None if self.tag is None else why_not_text(self.tag)

    def _has_digest_in_tag(self) -> bool:
        return self.tag is not None and "@" in self.tag.value

    def _editing(self) -> Editing:
        """Return where the digest goes: it replaces the one that is there, or else fills a key for digests."""
        if self.tag is not None and self._has_digest_in_tag():
            return _position_in_tag(self.tag)
        if self.digest is not None and not _has_value(self.hex_digest):
            return _field(self.digest, DigestField, self.tag)
        if self.hex_digest is not None:
            return _field(self.hex_digest, HexDigestField, self.tag)
        if self.tag is None:
            return self._position_in_name()
        if self.tag_takes_digest:
            return _position_in_tag(self.tag)
        return _UNKNOWN_DIGEST_KEY if self.is_of_chart else _UNKNOWN_PLACE

    def _position_in_name(self) -> Editing:
        if self.has_empty_tag:
            return _EMPTY_TAG_BESIDE
        return find_position_in_text(self.name.source) if self.name.is_plain else why_not_plain(self.name)


def _has_value(part: Scalar | None) -> TypeGuard[Scalar]:
    return part is not None and bool(part.value) and part.type is not YamlType.NULL


def has_version(name: str) -> bool:
    """Whether a tag or a digest follows the name."""
    return ":" in name.rpartition("/")[2] or "@" in name


def has_registry(name: str) -> bool:
    """Whether a name begins with a registry's host."""
    host, slash, _ = name.partition("/")
    return bool(slash) and ("." in host or ":" in host or host == "localhost")


def why_not_text(tag: Scalar) -> tuple[str, str] | None:
    """Return why YAML prints a tag in another way than it is written, and a hint; ``None`` if it does not."""
    match tag.type:
        case YamlType.NUMBER:
            printed = printed_number(tag.value)
            if printed == tag.value:
                return None
            reason = f"YAML reads the tag `{tag.value}` as a number, which is `{printed}`"
        case YamlType.DATE | YamlType.BOOLEAN as found:
            reason = f"YAML reads the tag `{tag.value}` as {_READ_AS[found]}"
        case _:
            return None
    return reason, "write the tag in quotes"


def _position_in_tag(tag: Scalar) -> Editing:
    if not tag.is_plain:
        return why_not_plain(tag)
    position = find_position_in_text(tag.source)
    if not isinstance(position, InlineDigest):
        return position
    is_movable = not tag.has_anchor and tag.type is YamlType.TEXT
    place = Span(tag.source.span.start, position.span.start) if is_movable else None
    written = tag.source.text.partition("@")[0]
    is_text = not written or replace(tag, value=written).type is YamlType.TEXT
    return InlineDigest(position.span, place, separator="", is_tag_text=is_text)


def _tag_field(tag: Scalar | None) -> TagField | None:
    """Return the place of a tag that is editable together with its digest; other values may use an anchor."""
    if not _has_value(tag) or not tag.is_plain or tag.has_anchor or "@" in tag.value:
        return None
    return TagField(tag.source.span, tag.type is YamlType.TEXT if tag.style is ScalarStyle.PLAIN else None)


def _field(scalar: Scalar, field: type[DigestField | HexDigestField], tag: Scalar | None) -> Editing:
    """Return the place of a digest under a key of its own, whose value YAML would read as null if it were empty."""
    is_bare = scalar.style is ScalarStyle.PLAIN
    if not scalar.is_plain:
        return why_not_plain(scalar)
    if is_bare and not _has_value(scalar):
        return _EMPTY_FIELD
    return field(scalar.source.span, empty=b'""' if is_bare else b"", tag=_tag_field(tag))

"""What a scalar says about an image, in files that know no variables."""

from __future__ import annotations

from imagelock.documents.digest_position import find_place_in_text
from imagelock.documents.references import Image, NotEditable, ReferenceKind, Target, Unresolved
from imagelock.documents.source_text import SourceText
from imagelock.documents.targets import Found, image_or_unresolved
from imagelock.documents.yaml.nodes import Scalar, ScalarStyle

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
    return image_or_unresolved(source.text, find_place_in_text(source))


def _text_target(text: str, reason: NotEditable) -> Image | Unresolved:
    if is_template(text):
        return _unresolved_template(text)
    return image_or_unresolved(text.rstrip("\n"), reason)


def _unresolved_template(text: str) -> Unresolved:
    return Unresolved(text, "a variable or a template decides the image", "write the reference itself")

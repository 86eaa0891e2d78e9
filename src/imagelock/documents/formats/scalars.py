"""What one scalar says about an image."""

from __future__ import annotations

import re

from imagelock.documents.digest_position import find_position_in_text
from imagelock.documents.references import (
    AnyTagUse,
    Editing,
    Found,
    Image,
    NotEditable,
    ReferenceKind,
    TagUse,
    Target,
    Unresolved,
    image_or_unresolved,
)
from imagelock.documents.spans import SourceText
from imagelock.documents.syntax.nodes import Scalar, ScalarStyle
from imagelock.documents.syntax.yaml_types import YamlType

_TEMPLATE = re.compile(r"\{\{|\$|<<|%%|__[A-Z][A-Z0-9_]*__|<%|@[A-Za-z0-9_.-]+@")
_NO_REFERENCE = re.compile(
    r"[a-z][a-z0-9+.-]*://|git@|data:|[./~]|.*\*|!"  # addresses, paths, patterns
    r"|.+\.(?:png|svg|jpe?g|gif|webp|ico|bmp|avif|iso|img|qcow2|vmdk|vhdx?|ova|raw|tar|tgz|zip)(?:\.[gx]z|\.bz2)?\Z",
    re.IGNORECASE | re.DOTALL,
)
_TEXT_TAGS = (None, "!", "!override", "tag:yaml.org,2002:str")
"""The tags of texts; others, such as ``!Ref``, are functions of the program that reads the file."""
_BLOCK_SCALAR = NotEditable("the value is a block scalar", "write it on the line of its key, without `|` or `>`")
_ESCAPED_SCALAR = NotEditable("escapes or line breaks stand inside the value", "write the reference plainly")
_SHARED = NotEditable("an alias uses it for something else, too", "write the value at each place, without the alias")


def is_template(text: str) -> bool:
    """Whether something is put into the text before it is used."""
    return _TEMPLATE.search(text) is not None


def is_computed(scalar: Scalar) -> bool:
    """Whether the program that reads the file computes the value, as for ``!env TAG`` and ``var.tag``."""
    return scalar.style is ScalarStyle.EXPRESSION or scalar.tag not in _TEXT_TAGS


def may_be_reference(scalar: Scalar) -> bool:
    """Return whether a value may be a reference: not of another type, an address, a path, a picture or a pattern."""
    return scalar.type is YamlType.TEXT and bool(scalar.value.strip()) and not _NO_REFERENCE.match(scalar.value)


def found_image(kind: ReferenceKind, scalar: Scalar, tag_use: AnyTagUse = TagUse.OPTIONAL) -> Found:
    """Take a scalar for a reference."""
    return Found.at(kind, scalar.source, _target_of(scalar, tag_use))


def found_after_prefix(
    kind: ReferenceKind, scalar: Scalar, prefix: str, tag_use: AnyTagUse = TagUse.OPTIONAL
) -> Found | None:
    """Take what follows a prefix such as ``docker://`` for a reference; nothing without the prefix."""
    if not scalar.value.startswith(prefix):
        return None
    if not scalar.is_plain:
        target = _text_target(scalar.value.removeprefix(prefix), why_not_plain(scalar), tag_use)
        return Found.at(kind, scalar.source, target)
    source = scalar.source.cut(len(prefix))
    return Found.at(kind, source, _plain_target(source, tag_use))


def why_not_plain(scalar: Scalar) -> NotEditable:
    """Return why the text of a scalar cannot be edited."""
    is_block = scalar.style in (ScalarStyle.LITERAL, ScalarStyle.FOLDED)
    return _BLOCK_SCALAR if is_block else _ESCAPED_SCALAR


def not_editable(found: Found, reason: NotEditable) -> Found:
    """Leave an image as it is, for a reason."""
    target = found.target
    if not isinstance(target, Image):
        return found
    kept = Image(target.text, target.reference, reason, target.tag_use)
    return Found(found.kind, found.text, found.span, kept)


def shared(found: Found) -> Found:
    """Leave an image as it is since an alias puts it where no input is."""
    return not_editable(found, _SHARED)


def _target_of(scalar: Scalar, tag_use: AnyTagUse) -> Target:
    if is_computed(scalar):
        return _unresolved_template(scalar.value)
    if scalar.is_plain:
        return _plain_target(scalar.source, tag_use)
    return _text_target(scalar.value, why_not_plain(scalar), tag_use)


def _plain_target(source: SourceText, tag_use: AnyTagUse) -> Target:
    if is_template(source.text):
        return _unresolved_template(source.text)
    return image_or_unresolved(source.text, find_position_in_text(source), tag_use)


def _text_target(text: str, reason: Editing, tag_use: AnyTagUse) -> Image | Unresolved:
    if is_template(text):
        return _unresolved_template(text)
    return image_or_unresolved(text.rstrip("\n"), reason, tag_use)


def _unresolved_template(text: str) -> Unresolved:
    return Unresolved(text, "a variable or a template decides the image", "write the reference itself")

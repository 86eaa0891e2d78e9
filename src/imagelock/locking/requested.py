"""The argument of ``update --to``: a tag or a digest that the declaration of the image allows.

An older digest of the declared tag is allowed, so that users can go back after a bad update. ``minimum-age`` does not
apply, since the user has chosen the content.
"""

from __future__ import annotations

from imagelock.errors import ImagelockError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.model.digest import Digest
from imagelock.model.reference import (
    TAG_RULE,
    ImageReference,
    LayoutRepository,
    PinnedReference,
    TagReference,
    is_tag_in,
)
from imagelock.model.selector import ExactDigest, ExactTag, Selector, accepts
from imagelock.model.tags.version_range import VersionRange

_DIGEST_MARK = "sha"


def parse_requested(text: str, declaration: ImageDeclaration, *, locked_tag: str | None) -> ImageReference:
    """Parse ``TAG``, ``DIGEST`` or ``TAG@DIGEST``; ``ImagelockError`` says why the declaration does not allow it."""
    if declaration.freeze is not None:
        raise ImagelockError(
            f"`{declaration.alias}` is frozen: {declaration.freeze}", hint="remove `freeze` from images.toml first"
        )
    reference = _read(text, declaration, locked_tag)
    if not _is_allowed(reference, declaration.selector):
        raise ImagelockError(
            f"images.toml does not allow `{text}` for `{declaration.alias}`",
            details=[f"images.toml has {declaration.selector}"],
            hint="change images.toml, then run `imagelock lock`",
        )
    return reference


def _read(text: str, declaration: ImageDeclaration, locked_tag: str | None) -> ImageReference:
    tag, _, digest = text.rpartition("@") if "@" in text else ("", "", text)
    if "@" not in text and not (text.startswith(_DIGEST_MARK) and ":" in text):
        return TagReference(declaration.repository, _checked(text, declaration))
    named_tag = _checked(tag, declaration) if tag else _tag_of(declaration.selector, locked_tag)
    return PinnedReference(declaration.repository, Digest.parse(digest), named_tag)


def complete_tag(tag: str, declaration: ImageDeclaration) -> str:
    """Return the whole tag in a layout on disk: ``golang:1.23`` for ``1.23``, if ``golang:1.22`` is declared."""
    declared = declaration.selector.tag if isinstance(declaration.selector, ExactTag | ExactDigest) else None
    is_short = isinstance(declaration.repository, LayoutRepository) and ":" in (declared or "") and ":" not in tag
    return f"{str(declared).rpartition(':')[0]}:{tag}" if is_short else tag


def _checked(tag: str, declaration: ImageDeclaration) -> str:
    tag = complete_tag(tag, declaration)
    if not is_tag_in(declaration.repository, tag):
        raise ImagelockError(f"`{tag}` is not a tag: {TAG_RULE}")
    return tag


def _tag_of(selector: Selector, locked_tag: str | None) -> str | None:
    """Return the tag to record with a digest that was given without one."""
    match selector:
        case ExactTag(tag) | ExactDigest(_, tag):
            return tag
        case VersionRange():
            return locked_tag


def _is_allowed(reference: ImageReference, selector: Selector) -> bool:
    match reference:
        case PinnedReference(_, digest, tag) if isinstance(selector, ExactDigest):
            # Its tag takes no part in what is locked, but images.lock records the one of images.toml.
            return (digest, tag) == (selector.digest, selector.tag)
        case PinnedReference(_, digest, tag):
            return accepts(selector, tag=tag, digest=digest)
        case TagReference(_, tag):
            if isinstance(selector, ExactTag):
                return tag == selector.tag
            return isinstance(selector, VersionRange) and _range_accepts(selector, tag)


def _range_accepts(wanted: VersionRange, tag: str) -> bool:
    from imagelock.model.tags.selection import accepts as range_accepts  # noqa: PLC0415  loads `packaging`

    return range_accepts(wanted, tag)

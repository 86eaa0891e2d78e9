"""Selectors: the tag, digest or version range by which a declaration selects content."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen

if TYPE_CHECKING:
    from imagelock.model.tags.version_range import VersionRange  # three modules that only ranges need


@frozen
class ExactTag:
    """One tag, whose content may change."""

    tag: str

    def __str__(self) -> str:
        return f"tag `{self.tag}`"


@frozen
class ExactDigest:
    """One digest, whose content never changes; a tag beside it is for readers only."""

    digest: Digest
    tag: str | None = None

    def __str__(self) -> str:
        return f"digest `{self.digest.short}`" + (f" with tag `{self.tag}`" if self.tag else "")


Selector: TypeAlias = "ExactTag | ExactDigest | VersionRange"


def accepts(selector: Selector, *, tag: str | None, digest: Digest) -> bool:
    """Return whether content that is locked with this tag and digest satisfies the selector."""
    match selector:
        case ExactTag(wanted):
            return tag == wanted
        case ExactDigest(wanted_digest):
            return digest == wanted_digest
        case _:
            from imagelock.model.tags.selection import accepts as range_accepts  # noqa: PLC0415  only ranges need it

            return tag is not None and range_accepts(selector, tag)


def selector_fields(selector: Selector) -> dict[str, str | int | bool]:
    """Return the keys of ``declared`` in images.lock for a selector."""
    match selector:
        case ExactTag(tag):
            return {"tag": tag}
        case ExactDigest(digest, tag):
            return {**({} if tag is None else {"tag": tag}), "digest": str(digest)}
        case _:
            from imagelock.model.tags.version_range import range_fields  # noqa: PLC0415  only ranges need it

            return range_fields(selector)

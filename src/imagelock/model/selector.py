"""What in a declaration selects the content: a tag, a digest, or a range of versions."""

from __future__ import annotations

from imagelock.errors import InvalidSelectorError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.tags.version_range import VersionRange, parse_version_range, range_fields
from imagelock.toml_fields import TableReader


@frozen
class ExactTag:
    """One tag and no other; the registry says which content it has today."""

    tag: str

    def __str__(self) -> str:
        return f"tag `{self.tag}`"


@frozen
class ExactDigest:
    """One content for ever; the tag beside it, if any, is for readers."""

    digest: Digest
    tag: str | None = None

    def __str__(self) -> str:
        return f"digest `{self.digest.short}`" + (f" with tag `{self.tag}`" if self.tag else "")


Selector = ExactTag | ExactDigest | VersionRange


def accepts(selector: Selector, *, tag: str | None, digest: Digest) -> bool:
    """Whether content that was locked under ``tag`` is content that the selector would allow to stay locked."""
    match selector:
        case ExactTag(wanted):
            return tag == wanted
        case ExactDigest(wanted_digest):
            return digest == wanted_digest
        case VersionRange():
            from imagelock.model.tags.selection import accepts as range_accepts  # noqa: PLC0415  only ranges need it

            return tag is not None and range_accepts(selector, tag)


def selector_fields(selector: Selector) -> dict[str, str | int | bool]:
    """Write a selector as the keys of ``declared`` in images.lock."""
    match selector:
        case ExactTag(tag):
            return {"tag": tag}
        case ExactDigest(digest, tag):
            return {**({} if tag is None else {"tag": tag}), "digest": str(digest)}
        case VersionRange():
            return range_fields(selector)


def read_version_range(table: TableReader, tag: str | None) -> VersionRange | None:
    """Read the keys that with ``tag`` make a range, in images.toml or in ``declared``; None where that is exact."""
    try:
        return parse_version_range(
            version=table.text("version"),
            variant=table.text("variant"),
            tag=tag,
            precision=table.integer("precision"),
            prereleases=table.boolean("prereleases") or False,
        )
    except InvalidSelectorError as error:
        table.add(error.field, error.message, details=error.details, hint=error.hint)
        return None

"""What in a declaration selects the content: a tag or a digest."""

from __future__ import annotations

from dataclasses import dataclass

from imagelock.digest import Digest


@dataclass(frozen=True, slots=True)
class ExactTag:
    """One tag and no other; the registry says which content it has today."""

    tag: str

    def __str__(self) -> str:
        return f"tag `{self.tag}`"


@dataclass(frozen=True, slots=True)
class ExactDigest:
    """One content for ever; the tag beside it, if any, is for readers."""

    digest: Digest
    tag: str | None = None

    def __str__(self) -> str:
        return f"digest `{self.digest.short}`" + (f" with tag `{self.tag}`" if self.tag else "")


Selector = ExactTag | ExactDigest


def accepts(selector: Selector, *, tag: str | None, digest: Digest) -> bool:
    """Whether content that was locked under ``tag`` is content that the selector would allow to stay locked."""
    match selector:
        case ExactTag(wanted):
            return tag == wanted
        case ExactDigest(wanted_digest):
            return digest == wanted_digest

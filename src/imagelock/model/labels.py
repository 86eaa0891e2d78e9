"""What an image says about itself: the four labels that let people read a diff of digests.

https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Self

from imagelock.model.frozen import frozen

_PREFIX = "org.opencontainers.image."
_MAX_LENGTH = 256


@frozen(kw_only=True)
class Labels:
    """The four labels; None where the image doesn't say. They describe, and prove nothing: their author is anybody."""

    version: str | None = None
    revision: str | None = None
    source: str | None = None
    created: str | None = None

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Take the four out of annotations, or out of a configuration's labels.

        What is empty, very long or would not print on one line is taken for missing: it ends up in a lockfile.
        """
        found = {key.removeprefix(_PREFIX): text for key, text in pairs if key.startswith(_PREFIX) and _is_fit(text)}
        return cls(**{name: found[name] for name in LABEL_NAMES if name in found})

    @property
    def items(self) -> tuple[tuple[str, str], ...]:
        """The labels that are there, by their short names, in the order in which a lockfile has them."""
        values = ((name, getattr(self, name)) for name in LABEL_NAMES)
        return tuple((name, text) for name, text in values if text is not None)

    def filled_from(self, other: Labels) -> Labels:
        """Take from another source what is missing here."""
        return Labels(**dict(other.items) | dict(self.items))

    def __bool__(self) -> bool:
        return bool(self.items)


LABEL_NAMES = tuple(field.name for field in fields(Labels))
NO_LABELS = Labels()


def _is_fit(text: str) -> bool:
    return 0 < len(text) <= _MAX_LENGTH and text.isprintable()

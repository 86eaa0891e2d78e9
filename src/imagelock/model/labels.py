"""The labels of an image that a lock records; apart from its configuration, so that a lockfile is read without that.

https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Self

from imagelock.model.frozen import frozen
from imagelock.model.secrets import mask_secrets

_PREFIX = "org.opencontainers.image."
_MAX_LENGTH = 256


@frozen(kw_only=True)
class Labels:
    """The four labels that a lock records, ``None`` if missing. The image's author sets them: they prove nothing."""

    version: str | None = None
    revision: str | None = None
    source: str | None = None
    created: str | None = None

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Return the four labels in annotations, or in a configuration's labels.

        Those that are empty, very long or not printable on one line count as missing: they go into a lockfile.
        """
        found = {
            key.removeprefix(_PREFIX): text for key, text in pairs if key.startswith(_PREFIX) and _is_recordable(text)
        }
        return cls(**{name: found[name] for name in LABEL_NAMES if name in found})

    @property
    def items(self) -> tuple[tuple[str, str], ...]:
        """The labels that are present, by short name, in the order of a lockfile."""
        values = ((name, getattr(self, name)) for name in LABEL_NAMES)
        return tuple((name, text) for name, text in values if text is not None)

    def filled_from(self, other: Labels) -> Labels:
        """Return these labels, with missing ones from another source."""
        return Labels(**dict(other.items) | dict(self.items))

    def __bool__(self) -> bool:
        return bool(self.items)


LABEL_NAMES = tuple(field.name for field in fields(Labels))
NO_LABELS = Labels()


def _is_recordable(text: str) -> bool:
    # A server may repeat a secret in a label, which must not get into a committed file.
    return 0 < len(text) <= _MAX_LENGTH and text.isprintable() and mask_secrets(text) == text

"""Parse the configuration of an image for one platform: labels, date, environment and commands.

Parsed leniently: unreadable values count as missing, so that they never prevent a lock.
https://github.com/opencontainers/image-spec/blob/main/config.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Self

from imagelock.model.frozen import frozen
from imagelock.model.secrets import mask_secrets
from imagelock.model.strict_json import parse_json_object

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


# Reproducible builds write the epoch of Unix, of FAT (1980, plus a second: Cloud Native Buildpacks), or the year 1.
_FIRST_CREDIBLE = datetime(1980, 1, 2, tzinfo=UTC)


@frozen(kw_only=True)
class ImageConfig:
    """The parsed configuration of an image."""

    all_labels: tuple[tuple[str, str], ...] = ()
    """Sorted."""
    created: datetime | None = None
    """``None`` without a date, or with one that cannot be true."""
    environment: tuple[tuple[str, str], ...] = ()
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def labels(self) -> Labels:
        """The four labels that a lock records."""
        return Labels.of(self.all_labels)


def parse_image_config(body: bytes, *, what: str) -> ImageConfig:
    """Parse a configuration; ``InvalidContentError`` only if it is not a JSON object."""
    document = parse_json_object(body, what=what)
    settings = _table(document.get("config"))
    variables = (text.partition("=") for text in _texts(settings.get("Env")))
    labels = _table(settings.get("Labels"))
    return ImageConfig(
        all_labels=tuple(sorted((key, text) for key, text in labels.items() if isinstance(text, str))),
        created=_read_date(document.get("created")),
        environment=tuple((name, value) for name, _, value in variables),
        entry_point=_texts(settings.get("Entrypoint")),
        command=_texts(settings.get("Cmd")),
    )


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _read_date(value: object) -> datetime | None:
    try:
        date = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if date is None:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return date if date >= _FIRST_CREDIBLE else None

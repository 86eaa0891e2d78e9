"""Parse the configuration of an image for one platform: labels, date, environment and commands.

Parsed leniently: unreadable values count as missing, so that they never prevent a lock.
https://github.com/opencontainers/image-spec/blob/main/config.md
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from imagelock.model.frozen import frozen
from imagelock.model.labels import Labels
from imagelock.model.strict_json import parse_json_object

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

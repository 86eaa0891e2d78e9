"""Version order for tags of all patterns together, for people who look at a list."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from imagelock.model.tags.guess import read_tag

_NO_VERSION = Version("0")


def newest_first(tags: Iterable[str]) -> tuple[str, ...]:
    """Sort tags: those with a version, then those with a date, newest and shortest first; then the others by name."""
    return tuple(sorted(sorted(set(tags)), key=_newness, reverse=True))


def _newness(tag: str) -> tuple[int, Version, int]:
    reading = read_tag(tag)
    if reading is None:
        return 0, _NO_VERSION, 0
    return 1 if reading.is_date else 2, Version(reading.version), -len(tag)

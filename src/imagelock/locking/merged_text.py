"""The entries in what git left of images.lock: in each side of a conflict, and in a text that has an entry twice.

Where names change, git may combine lines of different images into a text that is not TOML. A right checksum proves that
an entry is as one run wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from itertools import pairwise

from imagelock.errors import LockfileError
from imagelock.locking.identity import Identity, identities
from imagelock.locking.lockfile import LockedImage, Lockfile, parse_lockfile
from imagelock.model.frozen import frozen

_TABLE = re.compile(r"^\[images\.([A-Za-z0-9_-]+(?:\.[a-z]+)?)\]", re.MULTILINE)


@frozen
class Side:
    """One side of a conflict."""

    lockfile: Lockfile
    """The entries that can be read."""
    is_whole: bool
    """Whether the text is a lockfile in which every checksum is right."""


def parse_side(text: str, file_name: str) -> Side:
    """Parse a side; ``LockfileError`` if it is not a lockfile of ours, or what precedes its entries is damaged."""
    try:
        lockfile = parse_lockfile(text, file_name=file_name)
    except LockfileError:
        start = next(_TABLE.finditer(text), None)
        if start is None:
            raise
        head = text[: start.start()]
        parse_lockfile(head, file_name=file_name)
        return Side(Lockfile(tuple(_parse_entries(head, text[start.start() :]))), is_whole=False)
    return Side(lockfile, is_whole=all(map(is_proven, lockfile.images)))


def _parse_entries(head: str, text: str) -> Iterator[LockedImage]:
    """Yield the entries that can be parsed, each alone."""
    tables: dict[str, list[str]] = {}
    _, *pieces = _TABLE.split(text)
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        alias, _, rest = name.partition(".")
        tables.setdefault(alias, []).append(f"[images.{alias}{rest and '.'}{rest}]{body}")
    for alias in sorted(tables):
        with suppress(LockfileError):
            yield from parse_lockfile("".join([head, *tables[alias]])).images


def complete_side(side: Side, original: str, declared: AbstractSet[Identity]) -> Side:
    """Return a side with its proven entries; others, and declared ones that git lost, are as before the merge."""
    try:
        before = parse_lockfile(original).images
    except LockfileError:
        return side
    names = {image.alias for image in before}
    kept = tuple(image for image in side.lockfile.images if is_proven(image) or image.alias not in names)
    aliases = {image.alias for image in kept}
    kept = (*kept, *(image for image in before if image.alias not in aliases))
    return Side(Lockfile(with_declared(kept, before, declared)), is_whole=True)


def with_declared(
    entries: tuple[LockedImage, ...], side: Iterable[LockedImage], declared: AbstractSet[Identity]
) -> tuple[LockedImage, ...]:
    """Return the entries, and those of a side that are declared and missing among them."""
    missing = declared - identities(entries)
    return (*entries, *(image for image in side if (image.repository, image.selector) in missing))


def parse_repeated(text: str) -> list[Lockfile]:
    """Return a lockfile with the first of the entries that are there several times, one with the second, and so on.

    ``LockfileError`` if there is an entry whose checksum is missing or wrong: git may have mixed it.
    """
    entries = tuple(_parse_runs(text))
    if not all(map(is_proven, entries)):
        raise LockfileError("there are entries that git may have mixed")
    return split_repeated(entries)


def split_repeated(entries: Iterable[LockedImage]) -> list[Lockfile]:
    """Return so many lockfiles that each has one entry for an image: images.toml has no second name for one.

    Git takes an entry from the other side where that has renamed the image, and leaves ours beside it.
    """
    by_image: dict[Identity, list[LockedImage]] = {}
    for entry in entries:
        by_image.setdefault((entry.repository, entry.selector), []).append(entry)
    count = max(map(len, by_image.values()), default=1)
    return [Lockfile(tuple(it[min(number, len(it) - 1)] for it in by_image.values())) for number in range(count)]


def _parse_runs(text: str) -> Iterator[LockedImage]:
    """Yield each entry, parsed alone, from its first table to the next entry's; ``LockfileError`` if one is torn."""
    starts = [match.start() for match in _TABLE.finditer(text) if "." not in match[1]]
    if not starts:
        raise LockfileError("there are no entries")
    head = text[: starts[0]]
    for start, end in pairwise([*starts, len(text)]):
        yield from parse_lockfile(f"{head}{text[start:end]}").images


def is_proven(entry: LockedImage) -> bool:
    """Whether the entry has a checksum, and the right one."""
    return not (entry.is_damaged or entry.lacks_checksum)

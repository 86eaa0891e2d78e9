"""Resolving merge conflicts in images.lock, entry by entry: entries are independent of each other.

Git merges lines, also within one entry, and where names change it may combine lines of different images into a file
that is not TOML. A right checksum proves that an entry is as one run wrote it; others are read from the files before
the merge, which git still has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto
from itertools import pairwise

from imagelock.errors import LockfileError
from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import compare
from imagelock.locking.identity import match_entries
from imagelock.locking.lockfile import LOCKFILE_NAME, LockedImage, Lockfile, parse_lockfile
from imagelock.locking.plan import SETTLED, Unsettled, needs_other_content
from imagelock.model.conflict_markers import conflict_sides
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.labels import Labels
from imagelock.model.reference import AnyRepository
from imagelock.model.selector import Selector
from imagelock.model.tags.selection import rank_tags
from imagelock.model.tags.version_range import VersionRange


@frozen
class Merged:
    """A conflicted images.lock, merged into one lockfile from which the steps are planned."""

    before: Lockfile
    """The entries of our side, and those that only their side has: changes are reported against these."""
    lockfile: Lockfile
    unsettled: Unsettled = SETTLED
    had_markers: bool = True
    """Whether there were conflict markers; if not, git had merged into a file that is damaged or not TOML."""


_TABLE = re.compile(r"^\[images\.([A-Za-z0-9_-]+(?:\.[a-z]+)?)\]", re.MULTILINE)
_Identity = tuple[AnyRepository, Selector]


class _Agreement(Enum):
    """What the two sides have in common for one image."""

    ENTRY = auto()
    INDEX = auto()
    NOTHING = auto()


def merge_conflict(
    text: str,
    images_file: ImagesFile,
    *,
    file_name: str = LOCKFILE_NAME,
    read_originals: Callable[[], tuple[str, str] | None] = lambda: None,
) -> Merged:
    """Keep entries that only one side has or that are equal, and the index of entries that differ in platforms only.

    ``read_originals`` returns both files before the merge, or None. Labels are taken from them, too: git may mix these
    with those of another image, and no checksum tells.
    ``LockfileError`` names frozen images for which the sides lock different content: no command may move these.
    """
    ours, theirs = (_parse_side(side, file_name) for side in conflict_sides(text))
    originals = read_originals() or ("", "")
    declared = _identities(images_file.images)
    if not all(side.is_whole and declared <= _identities(side.lockfile.images) for side in (ours, theirs)):
        ours, theirs = (_complete(side, it, declared) for side, it in zip((ours, theirs), originals, strict=True))
    labels = _read_labels(originals)
    return _merge_sides(_relabel(ours.lockfile, labels), _relabel(theirs.lockfile, labels), images_file, file_name)


def mend_clean_merge(
    text: str,
    images_file: ImagesFile,
    *,
    file_name: str = LOCKFILE_NAME,
    read_parents: Callable[[], tuple[str, str] | None] = lambda: None,
) -> Merged | None:
    """Merge again a file that git merged without a conflict and that is not TOML, such as one with a table twice.

    ``read_parents`` returns both files before the merge, or None where git does not know them. Then the entries are
    kept if each checksum is right, and an image that is there twice is one of both sides. None if some are wrong.
    """
    parents = read_parents()
    try:
        ours, theirs = (parse_lockfile(it, file_name=file_name) for it in parents) if parents else _parse_twice(text)
    except LockfileError:
        return None
    return replace(_merge_sides(ours, theirs, images_file, file_name), had_markers=False)


def settle_mixture(
    lockfile: Lockfile,
    images_file: ImagesFile,
    *,
    file_name: str = LOCKFILE_NAME,
    read_parents: Callable[[], tuple[str, str] | None] = lambda: None,
) -> Merged | None:
    """Merge the damaged entries of a clean merge again, from both sides; None if there are none, or no sides.

    Without the sides, the locked index is not known: git may have taken that of another image.
    """
    damaged = {image.alias for image in lockfile.images if image.is_damaged}
    parents = read_parents() if damaged else None
    if parents is None:
        return None
    whole = tuple(image for image in lockfile.images if image.alias not in damaged)
    try:
        sides = [parse_lockfile(text, file_name=file_name).images for text in parents]
    except LockfileError:
        return None
    declared = _identities(images_file.images)
    ours, theirs = (
        Lockfile(_with_declared((*whole, *(image for image in side if image.alias in damaged)), side, declared))
        for side in sides
    )
    return replace(_merge_sides(ours, theirs, images_file, file_name), had_markers=False)


def _parse_twice(text: str) -> list[Lockfile]:
    """Return a lockfile with the first of the entries that are there twice, and one with the last."""
    entries = tuple(_parse_runs(text))
    if not all(map(_is_proven, entries)):
        raise LockfileError("there are entries that git may have mixed")
    by_image = ({(it.alias, it.repository, it.selector): it for it in order} for order in (entries[::-1], entries))
    return [Lockfile(tuple(side.values())) for side in by_image]


def _parse_runs(text: str) -> Iterator[LockedImage]:
    """Yield each entry, parsed alone, from its first table to the next entry's; ``LockfileError`` if one is torn."""
    starts = [match.start() for match in _TABLE.finditer(text) if "." not in match[1]]
    if not starts:
        raise LockfileError("there are no entries")
    head = text[: starts[0]]
    for start, end in pairwise([*starts, len(text)]):
        yield from parse_lockfile(f"{head}{text[start:end]}").images


def _merge_sides(ours: Lockfile, theirs: Lockfile, images_file: ImagesFile, file_name: str) -> Merged:
    sides = [match_entries(images_file.images, side.images) for side in (ours, theirs)]
    merged: dict[Alias, tuple[LockedImage, _Agreement]] = {}
    for declaration in images_file.images:
        entries = [side[declaration.alias] for side in sides if declaration.alias in side]
        if entries:
            merged[declaration.alias] = _merge(declaration, entries)
    open_aliases = {alias for alias, (_, kind) in merged.items() if kind is _Agreement.NOTHING}
    undecidable = [image for image in images_file.images if image.freeze is not None and image.alias in open_aliases]
    if undecidable:
        raise _frozen_conflict(undecidable, sides, file_name)
    return Merged(
        Lockfile(tuple(_told_against(ours, theirs))),
        Lockfile(tuple(entry for entry, _ in merged.values())),
        Unsettled(
            same_index=frozenset(alias for alias, (_, kind) in merged.items() if kind is _Agreement.INDEX),
            other_index=frozenset(open_aliases),
        ),
    )


@frozen
class _Side:
    """One side of a conflict."""

    lockfile: Lockfile
    """The entries that can be read."""
    is_whole: bool
    """Whether the text is a lockfile in which every checksum is right."""


def _parse_side(text: str, file_name: str) -> _Side:
    """Parse a side; ``LockfileError`` if it is not a lockfile of ours, or what precedes its entries is damaged."""
    try:
        lockfile = parse_lockfile(text, file_name=file_name)
    except LockfileError:
        start = next(_TABLE.finditer(text), None)
        if start is None:
            raise
        head = text[: start.start()]
        parse_lockfile(head, file_name=file_name)
        return _Side(Lockfile(tuple(_parse_entries(head, text[start.start() :]))), is_whole=False)
    return _Side(lockfile, is_whole=all(map(_is_proven, lockfile.images)))


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


def _complete(side: _Side, original: str, declared: AbstractSet[_Identity]) -> _Side:
    """Return a side with its proven entries; others, and declared ones that git lost, are as before the merge."""
    try:
        before = parse_lockfile(original).images
    except LockfileError:
        return side
    names = {image.alias for image in before}
    kept = tuple(image for image in side.lockfile.images if _is_proven(image) or image.alias not in names)
    aliases = {image.alias for image in kept}
    kept = (*kept, *(image for image in before if image.alias not in aliases))
    return _Side(Lockfile(_with_declared(kept, before, declared)), is_whole=True)


def _with_declared(
    entries: tuple[LockedImage, ...], side: Iterable[LockedImage], declared: AbstractSet[_Identity]
) -> tuple[LockedImage, ...]:
    """Return the entries, and those of a side that are declared and missing among them."""
    missing = declared - _identities(entries)
    return (*entries, *(image for image in side if (image.repository, image.selector) in missing))


def _identities(images: Iterable[ImageDeclaration | LockedImage]) -> set[_Identity]:
    return {(image.repository, image.selector) for image in images}


def _read_labels(texts: Iterable[str]) -> dict[tuple[AnyRepository, Digest], Labels]:
    found: dict[tuple[AnyRepository, Digest], Labels] = {}
    for text in texts:
        with suppress(LockfileError):
            found |= {(image.repository, image.digest): image.labels for image in parse_lockfile(text).images}
    return found


def _relabel(lockfile: Lockfile, labels: dict[tuple[AnyRepository, Digest], Labels]) -> Lockfile:
    known = ((image, labels.get((image.repository, image.digest), image.labels)) for image in lockfile.images)
    return Lockfile(tuple(replace(image, labels=right) for image, right in known))


def _merge(declaration: ImageDeclaration, entries: Sequence[LockedImage]) -> tuple[LockedImage, _Agreement]:
    ours, theirs = entries[0], entries[-1]
    if ours == theirs:
        return ours, _Agreement.ENTRY
    # Git may combine `platforms = "all"` of one side with the platforms of the other, which no checksum tells.
    proven = [entry for entry in entries if _is_proven(entry) and not entry.all_platforms]
    whole = [entry for entry in proven if not any(compare(declaration, entry))]
    if (ours.repository, ours.digest) == (theirs.repository, theirs.digest):
        if whole:
            return whole[0], _Agreement.ENTRY
        same = [entry for entry in entries if entry.selector == declaration.selector]
        return (same or entries)[0], _Agreement.INDEX
    allowed = [entry for entry in entries if not any(map(needs_other_content, compare(declaration, entry)))]
    if len(allowed) == 1 and _is_proven(allowed[0]):
        return allowed[0], _Agreement.ENTRY
    return (_newest(declaration, allowed), _Agreement.NOTHING) if allowed else (ours, _Agreement.ENTRY)


def _is_proven(entry: LockedImage) -> bool:
    return not (entry.is_damaged or entry.lacks_checksum)


def _newest(declaration: ImageDeclaration, entries: Sequence[LockedImage]) -> LockedImage:
    """Return the entry with the newest tag of a range, below which an update does not go; else our side's."""
    wanted = declaration.selector
    if not isinstance(wanted, VersionRange):
        return entries[0]
    tags = [str(entry.tag) for entry in entries]
    newest = rank_tags(wanted, tags, repository=declaration.repository, kept=tags[0])[0].tag
    return next(entry for entry in entries if entry.tag == newest)


def _told_against(ours: Lockfile, theirs: Lockfile) -> Iterator[LockedImage]:
    theirs_by_alias = theirs.by_alias()
    for image in ours.images:
        # An entry that differs between the sides is reported as a conflict, not as damage.
        is_settled = theirs_by_alias.get(image.alias) == image
        yield image if is_settled else replace(image, wrong_checksum=None)
    known, names = _identities(ours.images), ours.by_alias()
    for image in theirs.images:
        if image.alias not in names and (image.repository, image.selector) not in known:
            yield image


def _frozen_conflict(
    declarations: Sequence[ImageDeclaration], sides: Sequence[dict[Alias, LockedImage]], file_name: str
) -> LockfileError:
    def digests(declaration: ImageDeclaration) -> str:
        return " and ".join(side[declaration.alias].digest.short for side in sides)

    return LockfileError(
        f"cannot merge the two sides of {file_name}; it is unchanged",
        details=[
            f"{declaration.alias}: frozen ({declaration.freeze}), and the sides lock {digests(declaration)}"
            for declaration in declarations
        ],
        hint=f"edit {file_name}: keep one side of these entries",
    )

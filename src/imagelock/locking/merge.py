"""Resolving merge conflicts in images.lock, entry by entry: entries are independent of each other.

Git merges lines, also within one entry, and where names change it may combine lines of different images into a file
that is not TOML. A right checksum proves that an entry is as one run wrote it; others are read from the files before
the merge, which git still has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto

from imagelock.errors import LockfileError
from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import compare
from imagelock.locking.identity import identities, match_entries
from imagelock.locking.lockfile import LOCKFILE_NAME, LockedImage, Lockfile, parse_lockfile
from imagelock.locking.merged_text import complete_side, is_proven, parse_side, split_repeated
from imagelock.locking.plan import SETTLED, Unsettled, needs_other_content
from imagelock.locking.uncovered import has_other_labels, has_unsure_platforms, settle_uncovered
from imagelock.model.conflict_markers import conflict_sides
from imagelock.model.frozen import frozen
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
    is_mixed: bool = True
    """Whether something in it was of no side; if not, only the index of an entry can tell."""


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
    ours, theirs = (parse_side(side, file_name) for side in conflict_sides(text))
    originals = read_originals() or ("", "")
    declared = identities(images_file.images)
    if not all(side.is_whole and declared <= identities(side.lockfile.images) for side in (ours, theirs)):
        ours, theirs = (complete_side(side, it, declared) for side, it in zip((ours, theirs), originals, strict=True))
    known = list(_readable_entries(originals))
    merged = merge_sides([settle_uncovered(it.lockfile, known) for it in (ours, theirs)], images_file, file_name)
    unsure = {
        image.alias
        for image in merged.lockfile.images
        if has_other_labels(image, known) or has_unsure_platforms(image, known)
    }
    return with_uncompared(merged, images_file, unsure)


def with_uncompared(merged: Merged, images_file: ImagesFile, unsure: AbstractSet[Alias]) -> Merged:
    """Add the images whose entries have one of these names."""
    entries = match_entries(images_file.images, merged.lockfile.images)
    uncompared = frozenset(alias for alias, entry in entries.items() if entry.alias in unsure)
    return replace(merged, unsettled=replace(merged.unsettled, uncompared=uncompared))


def _readable_entries(texts: Iterable[str]) -> Iterator[LockedImage]:
    for text in texts:
        with suppress(LockfileError):
            yield from parse_lockfile(text).images


def merge_sides(lockfiles: Sequence[Lockfile], images_file: ImagesFile, file_name: str) -> Merged:
    """Merge the lockfiles of all sides, ours first; ``LockfileError`` names frozen images on which they disagree."""
    lockfiles = [part for lockfile in lockfiles for part in split_repeated(lockfile.images)]
    sides = [match_entries(images_file.images, lockfile.images) for lockfile in lockfiles]
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
        Lockfile(tuple(_told_against(*lockfiles))),
        Lockfile(tuple(entry for entry, _ in merged.values())),
        Unsettled(
            same_index=frozenset(alias for alias, (_, kind) in merged.items() if kind is _Agreement.INDEX),
            other_index=frozenset(open_aliases),
        ),
    )


def _merge(declaration: ImageDeclaration, entries: Sequence[LockedImage]) -> tuple[LockedImage, _Agreement]:
    ours = entries[0]
    if all(replace(entry, alias=ours.alias) == ours for entry in entries):
        return next((entry for entry in entries if entry.alias == declaration.alias), ours), _Agreement.ENTRY
    # Git may combine `platforms = "all"` of one side with the platforms of another, which no checksum tells.
    proven = [entry for entry in entries if is_proven(entry) and not entry.all_platforms]
    whole = [entry for entry in proven if not any(compare(declaration, entry))]
    if _has_one_index(entries):
        if whole:
            return whole[0], _Agreement.ENTRY
        same = [entry for entry in entries if entry.selector == declaration.selector]
        return (same or entries)[0], _Agreement.INDEX
    allowed = [entry for entry in entries if not any(map(needs_other_content, compare(declaration, entry)))]
    if declaration.freeze is not None:
        # It cannot be chosen again. What another declaration has locked may be another image.
        allowed = [entry for entry in allowed if entry.selector == declaration.selector] or allowed
    if len(allowed) == 1 and is_proven(allowed[0]):
        return allowed[0], _Agreement.ENTRY
    if len(allowed) > 1 and _has_one_index(allowed):
        return _merge(declaration, allowed)
    return (_newest(declaration, allowed), _Agreement.NOTHING) if allowed else (ours, _Agreement.ENTRY)


def _has_one_index(entries: Iterable[LockedImage]) -> bool:
    return len({(entry.repository, entry.digest) for entry in entries}) == 1


def _newest(declaration: ImageDeclaration, entries: Sequence[LockedImage]) -> LockedImage:
    """Return the entry with the newest tag of a range, below which an update does not go; else our side's."""
    wanted = declaration.selector
    if not isinstance(wanted, VersionRange):
        return entries[0]
    tags = [str(entry.tag) for entry in entries]
    newest = rank_tags(wanted, tags, repository=declaration.repository, kept=tags[0])[0].tag
    return next(entry for entry in entries if entry.tag == newest)


def _told_against(ours: Lockfile, *others: Lockfile) -> Iterator[LockedImage]:
    by_alias = [other.by_alias() for other in others]
    for image in ours.images:
        # An entry that differs between the sides is reported as a conflict, not as damage.
        is_settled = all(other.get(image.alias) == image for other in by_alias)
        yield image if is_settled else replace(image, wrong_checksum=None)
    known, names = identities(ours.images), {image.alias for image in ours.images}
    for image in (image for other in others for image in other.images):
        if image.alias not in names and (image.repository, image.selector) not in known:
            known.add((image.repository, image.selector))
            names.add(image.alias)
            yield image


def _frozen_conflict(
    declarations: Sequence[ImageDeclaration], sides: Sequence[dict[Alias, LockedImage]], file_name: str
) -> LockfileError:
    def digests(declaration: ImageDeclaration) -> str:
        entries = [side[declaration.alias] for side in sides if declaration.alias in side]
        return " and ".join(dict.fromkeys(entry.digest.short for entry in entries))

    return LockfileError(
        f"cannot merge the two sides of {file_name}; it is unchanged",
        details=[
            f"{declaration.alias}: frozen ({declaration.freeze}), and the sides lock {digests(declaration)}"
            for declaration in declarations
        ],
        hint=f"edit {file_name}: keep one side of these entries",
    )

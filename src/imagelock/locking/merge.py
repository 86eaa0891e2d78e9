"""Resolving merge conflicts in images.lock, entry by entry: entries are independent of each other.

Git merges lines, also within one entry, and where names change it may combine lines of different images into a file
that is not TOML. A right checksum proves that an entry is as one run wrote it; others are read from the files before
the merge, which git still has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto

from imagelock.errors import LockfileError
from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import compare
from imagelock.locking.identity import identities, match_entries
from imagelock.locking.lockfile import LOCKFILE_NAME, LockedImage, Lockfile, parse_lockfile
from imagelock.locking.merged_text import complete_side, is_proven, parse_side, parse_twice, with_declared
from imagelock.locking.plan import SETTLED, Unsettled, needs_other_content
from imagelock.model.conflict_markers import conflict_sides
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.labels import Labels
from imagelock.model.reference import AnyRepository
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
        ours, theirs = (parse_lockfile(it, file_name=file_name) for it in parents) if parents else parse_twice(text)
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
    declared = identities(images_file.images)
    ours, theirs = (
        Lockfile(with_declared((*whole, *(image for image in side if image.alias in damaged)), side, declared))
        for side in sides
    )
    return replace(_merge_sides(ours, theirs, images_file, file_name), had_markers=False)


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
    proven = [entry for entry in entries if is_proven(entry) and not entry.all_platforms]
    whole = [entry for entry in proven if not any(compare(declaration, entry))]
    if (ours.repository, ours.digest) == (theirs.repository, theirs.digest):
        if whole:
            return whole[0], _Agreement.ENTRY
        same = [entry for entry in entries if entry.selector == declaration.selector]
        return (same or entries)[0], _Agreement.INDEX
    allowed = [entry for entry in entries if not any(map(needs_other_content, compare(declaration, entry)))]
    if len(allowed) == 1 and is_proven(allowed[0]):
        return allowed[0], _Agreement.ENTRY
    return (_newest(declaration, allowed), _Agreement.NOTHING) if allowed else (ours, _Agreement.ENTRY)


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
    known, names = identities(ours.images), ours.by_alias()
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

"""How a change of images.lock is reported: a summary, a line for each change, nothing for what stayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from imagelock.cli.layout import rows_of_lines
from imagelock.cli.text import markdown_table
from imagelock.locking.changes import Added, Change, Removed, Updated
from imagelock.locking.lockfile import LockedImage
from imagelock.model.frozen import frozen

_SHORT_REVISION = 7


@frozen
class _Verb:
    """A change in one word: as something done, as something that would be done, and its color."""

    done: str
    planned: str
    color: str


_VERBS = {
    Added: _Verb("Added", "Add", "green"),
    Updated: _Verb("Updated", "Update", "yellow"),
    Removed: _Verb("Removed", "Remove", "red"),
}
_REPAIRED = _Verb("Repaired", "Repair", "yellow")
_RENAMED = _Verb("Renamed", "Rename", "yellow")


def change_lines(changes: Sequence[Change], *, is_dry_run: bool, width: int | None = None) -> list[list[str]]:
    """Write each change on one line, or on several where that is too wide.

    ``Updated redis  7.4-alpine (rebuilt)  77ab… -> 1f2e…``.
    """
    if not changes:
        return []
    cells = ([_word(change, is_dry_run=is_dry_run), *_cells(change)] for change in changes)
    rows = rows_of_lines(cells, width=width, prose=4)
    return [
        [_colored(first, change, is_dry_run=is_dry_run), *others]
        for (first, *others), change in zip(rows, changes, strict=True)
    ]


def change_document(change: Change) -> dict[str, Any]:
    """Describe a change for scripts, with whole digests."""
    old = change.old if isinstance(change, Updated) else change.image if isinstance(change, Removed) else None
    new = change.new if isinstance(change, Updated) else change.image if isinstance(change, Added) else None
    return {
        "change": _verb(change).done.lower(),
        "name": change.alias,
        "old": old and image_document(old),
        "new": new and image_document(new),
    }


def change_table(changes: Sequence[Change]) -> list[str]:
    """Write the changes as a Markdown table, for the text of a pull request."""
    if not changes:
        return ["No image changed."]
    rows = [(_verb(change).done, *_cells(change)) for change in changes]
    return markdown_table([("", "image", "tag", "digest", "platforms"), *rows])


def image_document(image: LockedImage) -> dict[str, Any]:
    """Describe a locked image for scripts."""
    return {
        "name": image.alias,
        "repository": str(image.repository),
        "tag": image.tag,
        "digest": str(image.digest),
        "labels": dict(image.labels.items),
        "platforms": {str(entry.platform): str(entry.digest) for entry in image.platform_digests},
    }


def _verb(change: Change) -> _Verb:
    if isinstance(change, Updated) and change.is_rename:
        return _RENAMED
    return _REPAIRED if isinstance(change, Updated) and change.is_repair else _VERBS[type(change)]


def _word(change: Change, *, is_dry_run: bool) -> str:
    return _verb(change).planned if is_dry_run else _verb(change).done


def _colored(row: str, change: Change, *, is_dry_run: bool) -> str:
    word = _word(change, is_dry_run=is_dry_run)
    return click.style(word, fg=_verb(change).color, bold=True) + row.removeprefix(word)


def _cells(change: Change) -> tuple[str, str, str, str]:
    match change:
        case Added(image) | Removed(image):
            platforms = " ".join(str(entry.platform) for entry in image.platform_digests)
            damage = _damage(image) if isinstance(change, Added) else ""
            return image.alias, tag_and_version(image), image.digest.short, platforms + damage
        case Updated(old, new):
            digests = _arrow(old.digest.short, new.digest.short)
            return _arrow(old.alias, new.alias), _tags(change), digests, (_remark(change) + _damage(new)).lstrip()


def tag_and_version(image: LockedImage) -> str:
    """Write a tag, followed by the version behind it unless the tag contains the version."""
    return with_version(image.tag, image.labels.version)


def with_version(tag: str | None, version: str | None) -> str:
    """Write ``20-slim (20.19.4)``, but ``20.19.4-slim`` alone."""
    is_told = version is None or version.removeprefix("v") in (tag or "")
    return " ".join(part for part in (tag, None if is_told else f"({version})") if part)


def _tags(change: Updated) -> str:
    """Return tag and version: ``20.11-slim -> 20.12-slim``, ``20-slim (20.19.3 -> 20.19.4)``, ``20-slim (rebuilt)``."""
    old, new = change.old, change.new
    if change.is_repair:
        return tag_and_version(new)
    if old.tag == new.tag and old.repository == new.repository and change.moved_platforms:
        return " ".join(part for part in (new.tag, f"({_versions(old, new)})") if part)
    if old.tag == new.tag:
        return tag_and_version(new)
    return _arrow(tag_and_version(old) or "no tag", tag_and_version(new) or "no tag")


def _versions(old: LockedImage, new: LockedImage) -> str:
    """Return the difference of two contents of one tag by their labels: versions, else revisions."""
    before, after = old.labels, new.labels
    if before.version and after.version and before.version != after.version:
        return _arrow(before.version, after.version)
    if before.revision and after.revision and before.revision != after.revision:
        return f"rebuilt, {_arrow(before.revision[:_SHORT_REVISION], after.revision[:_SHORT_REVISION])}"
    return f"now {after.version}" if after.version and not before.version else "rebuilt"


def _remark(change: Updated) -> str:
    """Return which platforms moved, were added and were removed, which the digests do not show."""
    if change.old.repository != change.new.repository:
        return f"now from {change.new.repository}"
    if change.is_repair:
        return f"({' '.join(_repaired(change))})"
    remarks: list[str] = []
    staying = [entry.platform for entry in change.new.platform_digests if entry.platform not in change.gained_platforms]
    if change.moved_platforms and len(change.moved_platforms) < len(staying):
        remarks.append(f"{' '.join(map(str, change.moved_platforms))} only")
    remarks += [f"+{platform}" for platform in change.gained_platforms]
    remarks += [f"-{platform}" for platform in change.lost_platforms]
    if not remarks and change.old.digest == change.new.digest and not (change.is_rename or change.new.is_damaged):
        old = replace(change.old, lacks_checksum=change.new.lacks_checksum)
        has_other_labels = replace(old, labels=change.new.labels) == change.new
        remarks.append("same content, " + ("other labels" if has_other_labels else "declared in other words"))
    return f"({', '.join(remarks)})" if remarks else ""


def _damage(image: LockedImage) -> str:
    """Return the remark on an entry that no run has written so: what else the line shows of it is not proven."""
    return " (damaged: its checksum does not match its digests)" if image.is_damaged else ""


def _repaired(change: Updated) -> list[str]:
    """List what a damaged entry had wrong: its platforms, else its checksum alone."""
    moved = [str(platform) for platform in change.moved_platforms]
    gained = [f"+{platform}" for platform in change.gained_platforms]
    return [*moved, *gained, *(f"-{platform}" for platform in change.lost_platforms)] or ["checksum"]


def _arrow(old: str, new: str) -> str:
    return old if old == new else f"{old} -> {new}"

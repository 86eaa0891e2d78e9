"""How files and places that were not read are reported: counted for people, listed with ``-v`` and for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from imagelock.cli.console import Console
from imagelock.cli.text import count
from imagelock.model.frozen import frozen

if TYPE_CHECKING:
    from imagelock.documents.unread import UnreadPlace  # its expressions take time that plain `check` does not have


@frozen(kw_only=True)
class Unread:
    """What may have images and was not read."""

    files: tuple[tuple[str, str], ...] = ()
    """Paths, and the title of the kind that each looks like."""
    places: tuple[tuple[str, UnreadPlace], ...] = ()
    """Paths of files that were read, and a place in each."""


NOTHING_UNREAD = Unread()


def joined(found: Iterable[Unread]) -> Unread:
    """Return all of it as one."""
    parts = tuple(found)
    return Unread(
        files=tuple(each for part in parts for each in part.files),
        places=tuple(each for part in parts for each in part.places),
    )


def print_unread(console: Console, unread: Unread) -> None:
    """Print a note for each kind of thing that was not read; ``-v`` lists all of them."""
    if unread.files:
        kinds = Counter(title for _, title in sorted(unread.files, key=lambda each: each[1]))
        counts = ", ".join(count(number, title) for title, number in kinds.items())
        console.note(f"{count(len(unread.files), 'file')} may have images and cannot be read: {counts} (-v lists them)")
    for path, title in sorted(unread.files, key=lambda each: (each[1], each[0])):
        console.detail(f"  {path}: {title}")
    values = [(path, place) for path, place in unread.places if not place.is_command]
    commands = [(path, place) for path, place in unread.places if place.is_command]
    if values:
        what = count(len(values), "value")
        console.note(f"{what} may be an image at a path that is not known: add it to [paths] (-v lists them)")
        _list_places(console, values)
    if commands:
        what = count(len(commands), "command")
        console.note(f"{what} may pull images: pin them with marker comments (-v lists them)")
        _list_places(console, commands)


def print_unreadable(console: Console, problems: Sequence[str]) -> None:
    """Print a note on files that could not be read as what they are; ``-v`` lists their places and reasons."""
    if problems:
        console.note(f"{count(len(problems), 'file')} could not be read, and may have images (-v lists them)")
        for problem in problems:
            console.detail(f"  {problem}")


def _list_places(console: Console, places: Iterable[tuple[str, UnreadPlace]]) -> None:
    for path, place in places:
        console.detail(f"  {path}:{place.position.line}:{place.position.column}: {place.text}")


def unread_document(unread: Unread) -> dict[str, Any]:
    """Describe for scripts what was not read; without the keys of which there is nothing."""
    files = [{"path": path, "kind": title} for path, title in unread.files]
    places = [
        {"path": path, "line": it.position.line, "column": it.position.column, "text": it.text}
        for path, it in unread.places
    ]
    return {key: found for key, found in (("unread", files), ("overlooked", places)) if found}

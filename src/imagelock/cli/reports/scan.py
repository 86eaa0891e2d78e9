"""How the references of a project's files are shown: grouped by file for people, all of it for scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelock.cli.layout import columns
from imagelock.cli.reports.search_notes import NOTHING_UNREAD, Unread, unread_document
from imagelock.cli.text import shorten_digests, table_width
from imagelock.images_file.discovery import Unlockable
from imagelock.model.frozen import frozen
from imagelock.rendering.inventory import Carrier, InventoryEntry, InventoryFile, Status

if TYPE_CHECKING:
    from imagelock.documents.formats.description import FormatDescription  # only --kinds needs it

_COLORS = {Status.PINNED: "green", Status.NEW: "yellow", Status.UNPINNABLE: "red"}
_CARRIERS = {Carrier.PIN: "in [pin]", Carrier.RENDER: "rendered", Carrier.NOTHING: "not pinned"}


def inventory_lines(files: Iterable[InventoryFile]) -> Iterator[str]:
    """Write each file with its references below it: line and column, reference, status, name or reason."""
    for file in files:
        if not file.entries:
            continue
        heading = f"{file.document.path}"
        yield f"{click.style(heading, bold=True)}  {file.document.kind.title}, {_CARRIERS[file.carrier]}"
        rows = [_row(entry) for entry in file.entries]
        yield from (f"  {line}" for line in columns(rows, width=table_width() - 2, prose=3))


def _row(entry: InventoryEntry) -> tuple[str, str, str, str]:
    position = entry.reference.position
    about = ": ".join(filter(None, (entry.name, entry.reason)))
    return f"{position.line}:{position.column}", shorten_digests(entry.reference.shown), str(entry.status), about


def inventory_document(files: Sequence[InventoryFile], complete: Callable[[str], str]) -> dict[str, Any]:
    """Describe everything for scripts, with whole digests; ``complete`` adds the options of this run to commands."""
    return {
        "files": [_file_document(file, complete) for file in files if not file.document.scan.problems],
        "unreadable": [
            {
                "path": file.document.path,
                "line": problem.position.line,
                "column": problem.position.column,
                "reason": problem.reason,
            }
            for file in files
            for problem in file.document.scan.problems
        ],
    }


def _file_document(file: InventoryFile, complete: Callable[[str], str]) -> dict[str, Any]:
    return {
        "path": file.document.path,
        "kind": file.document.kind.name,
        "carrier": str(file.carrier),
        "references": [_entry_document(entry, complete) for entry in file.entries],
    }


def _entry_document(entry: InventoryEntry, complete: Callable[[str], str]) -> dict[str, Any]:
    return {
        "line": entry.reference.position.line,
        "column": entry.reference.position.column,
        "text": entry.reference.text,
        "image": entry.reference.target.text,
        "status": str(entry.status),
        "name": entry.name,
        "reason": entry.reason,
        "hint": entry.hint and complete(entry.hint),
    }


def kind_lines(kind: FormatDescription) -> Iterator[str]:
    """Write one kind of file: its name for ``[kinds]``, its files, and where its references are."""
    yield f"{click.style(kind.name, bold=True)}  {kind.title}"
    rows = [("files", kind.files), ("references", kind.places), ("never", kind.never)]
    cells = [(label, " ".join(texts).replace("`", "")) for label, texts in rows if texts]
    yield from (f"  {line}" for line in columns(cells, width=table_width() - 2))


def kind_document(kind: FormatDescription) -> dict[str, Any]:
    """Describe one kind of file for scripts."""
    texts = {"files": kind.files, "references": kind.places, "never": kind.never}
    return {
        "name": kind.name,
        "title": kind.title,
        **{key: [text.replace("`", "") for text in values] for key, values in texts.items()},
    }


@frozen(kw_only=True)
class Adoption:
    """What `init` or `scan --write` has written into images.toml, and what they left out."""

    images: Mapping[str, str]
    """New images, by name: the reference."""
    files: Mapping[str, Sequence[str]]
    """The paths of the files that have an image, by name."""
    pinned: Sequence[str] = ()
    external_names: Sequence[str] = ()
    external_files: Sequence[str] = ()
    freed: Sequence[tuple[str, str]] = ()
    """Images that follow their tags from now on, by name, and their references."""
    written: Sequence[Path] = ()
    left: Sequence[Unlockable] = ()
    unreadable: Sequence[Unlockable] = ()
    unread: Unread = NOTHING_UNREAD


def adoption_document(adoption: Adoption, *, is_dry_run: bool = False) -> dict[str, Any]:
    """Describe for scripts what was written, and what was left out."""
    return {
        "dry_run": is_dry_run,
        "images": [
            {"name": name, "image": image, "files": list(adoption.files.get(name, ()))}
            for name, image in adoption.images.items()
        ],
        "pinned": list(adoption.pinned),
        "external_names": list(adoption.external_names),
        "external_files": list(adoption.external_files),
        "follow_tags": [{"name": name, "image": image} for name, image in adoption.freed],
        "written": list(map(str, adoption.written)),
        "obstacles": [obstacle_document(each) for each in adoption.left],
        "unreadable": [obstacle_document(each) for each in adoption.unreadable],
        **unread_document(adoption.unread),
    }


def obstacle_document(obstacle: Unlockable) -> dict[str, Any]:
    """Describe for scripts what could not be locked or pinned."""
    position = {"line": obstacle.position.line, "column": obstacle.position.column}
    return {"path": obstacle.path, **position, "text": obstacle.text, "reason": obstacle.reason}

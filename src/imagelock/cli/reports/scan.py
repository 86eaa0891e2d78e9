"""How the references of a project's files are shown: grouped by file for people, all of it for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from imagelock.cli.text import fit_table, shorten_digests, table_width
from imagelock.images_file.discovery import Unlockable
from imagelock.rendering.inventory import Carrier, InventoryEntry, InventoryFile, Status

if TYPE_CHECKING:
    from imagelock.documents.formats.description import FormatDescription  # only --kinds needs it
    from imagelock.images_file.additions import Additions  # loads what edits images.toml

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
        yield from (f"  {line}" for line in fit_table(rows, width=table_width() - 2, prose=3))


def _row(entry: InventoryEntry) -> tuple[str, str, str, str]:
    position = entry.reference.position
    about = ": ".join(filter(None, (entry.name, entry.reason)))
    return f"{position.line}:{position.column}", shorten_digests(entry.reference.shown), str(entry.status), about


def inventory_document(files: Sequence[InventoryFile]) -> dict[str, Any]:
    """Describe everything for scripts, with whole digests."""
    return {
        "files": [_file_document(file) for file in files if not file.document.scan.problems],
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


def _file_document(file: InventoryFile) -> dict[str, Any]:
    return {
        "path": file.document.path,
        "kind": file.document.kind.name,
        "carrier": str(file.carrier),
        "references": [_entry_document(entry) for entry in file.entries],
    }


def _entry_document(entry: InventoryEntry) -> dict[str, Any]:
    return {
        "line": entry.reference.position.line,
        "column": entry.reference.position.column,
        "text": entry.reference.text,
        "image": entry.reference.target.text,
        "status": str(entry.status),
        "name": entry.name,
        "reason": entry.reason,
        "hint": entry.hint,
    }


def kind_lines(kind: FormatDescription) -> Iterator[str]:
    """Write one kind of file: its name for ``[kinds]``, its files, and where its references are."""
    yield f"{click.style(kind.name, bold=True)}  {kind.title}"
    rows = [("files", kind.files), ("references", kind.places), ("never", kind.never)]
    cells = [(label, " ".join(texts).replace("`", "")) for label, texts in rows if texts]
    yield from (f"  {line}" for line in fit_table(cells, width=table_width() - 2))


def kind_document(kind: FormatDescription) -> dict[str, Any]:
    """Describe one kind of file for scripts."""
    texts = {"files": kind.files, "references": kind.places, "never": kind.never}
    return {
        "name": kind.name,
        "title": kind.title,
        **{key: [text.replace("`", "") for text in values] for key, values in texts.items()},
    }


def additions_document(
    additions: Additions, left: Iterable[Unlockable], unreadable: Iterable[Unlockable]
) -> dict[str, Any]:
    """Describe for scripts what was written, and what was left out."""
    return {
        "images": [{"name": it.alias, "image": it.image} for it in additions.images],
        "pinned": list(additions.files),
        "external_names": list(additions.external_names),
        "external_files": list(additions.external_files),
        "follow_tags": [{"name": name, "image": image} for name, image in additions.freed],
        "obstacles": [obstacle_document(each) for each in left],
        "unreadable": [obstacle_document(each) for each in unreadable],
    }


def obstacle_document(obstacle: Unlockable) -> dict[str, Any]:
    """Describe for scripts what could not be locked or pinned."""
    position = {"line": obstacle.position.line, "column": obstacle.position.column}
    return {"path": obstacle.path, **position, "text": obstacle.text, "reason": obstacle.reason}

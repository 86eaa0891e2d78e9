"""``imagelock explain``: everything about one image, and every place that has it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import click

from imagelock.cli.layout import columns, columns_with_digests
from imagelock.cli.options import Settings, complete_images, format_option, with_settings
from imagelock.cli.reports.changes import image_document
from imagelock.cli.reports.search_notes import print_unread, print_unreadable
from imagelock.cli.text import count, shorten_digests
from imagelock.cli.tree_scan import TreeScan, scan_project
from imagelock.errors import FileError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.images_file.parser import ImagesFile, refuse_unknown_images
from imagelock.images_file.toml import find_lines, nearest_line
from imagelock.locking.freshness import Mismatch, find_mismatches
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.frozen import frozen
from imagelock.model.selector import selector_fields
from imagelock.project.files import read_bytes, read_text
from imagelock.project.project import Project, find_project
from imagelock.rendering.inventory import Inventory, Status
from imagelock.rendering.template import Cursor, find_placeholders


@click.command("explain")
@click.argument("name", metavar="NAME", shell_complete=complete_images)
@format_option
@with_settings
def command(settings: Settings, *, name: str, output_format: str) -> None:
    """Show everything about one image.

    Shows its declaration, digests, labels, and each place in the files that git tracks or would add. Offline.
    """
    project = find_project(settings.images_path, settings.lock_path)
    with project.reading():
        images_file, lockfile = project.read_images_file(), project.read_lockfile()
        refuse_unknown_images([name], images_file)
        text = read_text(project.images_path)
        found = scan_project(project, images_file, settings.console, with_exports=True)
        places = tuple(_places(project, images_file, lockfile, found, name))
    explained = _Explained(
        declaration=next(image for image in images_file.images if image.alias == name),
        line=nearest_line(find_lines(text), ("images", name)),
        locked=lockfile.by_alias().get(name),
        mismatches=tuple(it for it in find_mismatches(images_file, lockfile) if it.alias == name),
        places=places,
    )
    if output_format == "json":
        settings.console.json(_document(project, explained))
        _tell_unread(settings, found)
        return
    for line in _lines(project, explained, datetime.now(UTC).date(), width=settings.console.stdout_width):
        settings.console.styled_data(line)
    _tell_unread(settings, found)


def _tell_unread(settings: Settings, found: TreeScan) -> None:
    """Note the files that may have the image and were not read."""
    print_unreadable(settings.console, found.unreadable)
    print_unread(settings.console, found.unread)


@frozen
class _Place:
    """One place in a file."""

    path: str
    line: int
    column: int
    text: str
    status: str

    @property
    def shown(self) -> str:
        """The text without the digest that it has to have."""
        return self.text.partition("@")[0] if self.status == Status.PINNED else shorten_digests(self.text)


@frozen(kw_only=True)
class _Explained:
    """What is known of one image."""

    declaration: ImageDeclaration
    line: int
    """In images.toml."""
    locked: LockedImage | None
    mismatches: tuple[Mismatch, ...]
    places: tuple[_Place, ...]


def _places(
    project: Project, images_file: ImagesFile, lockfile: Lockfile, found: TreeScan, name: str
) -> Iterator[_Place]:
    for template in dict.fromkeys(target.template for target in images_file.targets):
        try:
            content = read_bytes(project.folder / template)
        except FileError:
            continue  # rendering reports a template that is missing
        cursor = Cursor(content)
        for placeholder in find_placeholders(content):
            if placeholder.alias == name:
                line, column = cursor.position(placeholder.start)
                written = content[placeholder.start : placeholder.end].decode()
                yield _Place(template, line, column, written, "template")
    for file in Inventory(project, images_file, lockfile).take(found.documents, found.names):
        for entry in file.entries:
            if entry.name == name:
                at = entry.reference.position
                yield _Place(file.document.path, at.line, at.column, entry.reference.shown, str(entry.status))


def _lines(project: Project, explained: _Explained, today: date, *, width: int | None) -> Iterator[str]:
    yield click.style(explained.declaration.alias, bold=True)
    facts = _facts(project, explained, today)
    yield from (f"  {line}" for line in columns_with_digests(facts, width=width and width - 2))
    rows = [(f"{it.path}:{it.line}:{it.column}", it.shown, it.status) for it in explained.places]
    yield f"  {count(len(rows), 'place')}{':' if rows else ' in the files of this project'}"
    yield from (f"    {line}" for line in columns(rows, width=width and width - 4))


def _facts(project: Project, explained: _Explained, today: date) -> Iterator[tuple[str, str]]:
    declaration, locked = explained.declaration, explained.locked
    yield "declared", f"{declaration.name}, {declaration.selector} ({project.images_path}:{explained.line})"
    yield "platforms", " ".join(map(str, declaration.platforms)) or "every one that the index lists"
    if declaration.freeze is not None:
        until = f" until {declaration.freeze_until}" if declaration.freeze_until else ""
        yield "frozen", f"{declaration.freeze}{until}"
    if locked is None:
        yield "locked", "no: run `imagelock lock`"
        return
    yield "repository", str(locked.repository)
    yield "tag", locked.tag or "none"
    yield "digest", str(locked.digest)
    yield from ((str(entry.platform), str(entry.digest)) for entry in locked.platform_digests)
    yield from ((label, _with_age(text, today) if label == "created" else text) for label, text in locked.labels.items)
    yield from (("stale", str(mismatch)) for mismatch in explained.mismatches)


def _with_age(created: str, today: date) -> str:
    """Add to a date how long ago it was; other text stays as its author wrote it."""
    try:
        days = (today - datetime.fromisoformat(created).date()).days
    except ValueError:
        return created
    return f"{created} ({count(days, 'day')} ago)" if days >= 0 else created


def _document(project: Project, explained: _Explained) -> dict[str, Any]:
    declaration = explained.declaration
    return {
        "name": declaration.alias,
        "declared": {
            "image": declaration.name,
            **selector_fields(declaration.selector),
            "platforms": [str(platform) for platform in declaration.platforms] or "all",
            "freeze": declaration.freeze,
            "path": str(project.images_path),
            "line": explained.line,
        },
        "locked": explained.locked and image_document(explained.locked),
        "stale": [str(mismatch) for mismatch in explained.mismatches],
        "places": [
            {"path": it.path, "line": it.line, "column": it.column, "text": it.text, "status": it.status}
            for it in explained.places
        ],
    }

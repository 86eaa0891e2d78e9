"""``imagelock scan``: every reference in the project's files, and how far each has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelock.cli.console import Console
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.reports.scan import (
    Adoption,
    adoption_document,
    inventory_document,
    inventory_lines,
    kind_document,
    kind_lines,
)
from imagelock.cli.reports.search_notes import Unread, print_unread, print_unreadable, unread_document
from imagelock.cli.text import count
from imagelock.cli.transactions import begin
from imagelock.cli.tree_scan import TreeScan, no_image, scan_project, searched_part
from imagelock.images_file.discovery import Survey, survey
from imagelock.images_file.parser import ImagesFile, parse_images_file
from imagelock.locking.lockfile import Lockfile
from imagelock.model.globs import is_wild
from imagelock.project.files import read_text
from imagelock.project.project import Project, find_or_begin_project
from imagelock.rendering.inventory import Carrier, Inventory, InventoryEntry, InventoryFile, Status

if TYPE_CHECKING:
    from imagelock.images_file.additions import Additions  # loads what edits images.toml


@click.command("scan")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--write", "writes", is_flag=True, help="Add what is new to images.toml.")
@click.option("--kinds", "shows_kinds", is_flag=True, help="Print which kinds of files are read, and where.")
@click.option("--exclude", "excluded", multiple=True, metavar="PATTERN", help="Leave these files out; repeatable.")
@click.option("--follow-tags", is_flag=True, help="With --write, declare tags without the digests beside them.")
@format_option
@with_settings
def command(  # noqa: PLR0913  click hands over each option as an argument
    settings: Settings,
    *,
    paths: tuple[Path, ...],
    writes: bool,
    shows_kinds: bool,
    excluded: tuple[str, ...],
    follow_tags: bool,
    output_format: str,
) -> None:
    """List every image reference in this project's files.

    Reads all files that git tracks or would add, or only PATH. A reference is new, declared, locked, pinned, external,
    or unpinnable with the reason. Offline.
    """
    if shows_kinds:
        if paths or writes or excluded or follow_tags:
            raise click.UsageError("--kinds reads no file: leave out the others", click.get_current_context())
        _show_kinds(settings.console, output_format=output_format)
        return
    if follow_tags and not writes:
        raise click.UsageError("--follow-tags goes with --write", click.get_current_context())
    project = find_or_begin_project(settings.images_path, settings.lock_path)
    exists = project.images_path.exists()
    if writes and exists:
        scan_and_write(
            settings, project, paths, excluded=excluded, follows_tags=follow_tags, output_format=output_format
        )
    elif writes:
        _begin(settings, project, paths, excluded, follows_tags=follow_tags, output_format=output_format)
    else:
        images_file, lockfile = project.read() if exists else (ImagesFile(()), Lockfile())
        found = scan_project(project, images_file, settings.console, paths=paths, excluded=excluded)
        files = tuple(Inventory(project, images_file, lockfile).take(found.documents, found.names))
        if output_format == "json":
            settings.console.json(
                {**inventory_document(files, settings.console.complete), **unread_document(found.unread)}
            )
        else:
            _show(settings.console, files, found, part=searched_part(paths, excluded), exists=exists)


def scan_and_write(
    settings: Settings,
    project: Project,
    paths: Sequence[Path] = (),
    *,
    excluded: Sequence[str] = (),
    follows_tags: bool = False,
    output_format: str,
) -> None:
    """Declare what is new, list the files to pin, and tell what was left out."""
    from imagelock.images_file.additions import find_additions  # noqa: PLC0415  loads what edits images.toml

    with begin(settings.console, project) as transaction:
        images_file, lockfile = project.read()
        scanned = scan_project(project, images_file, settings.console, paths=paths, excluded=excluded)
        files = tuple(Inventory(project, images_file, lockfile).take(scanned.documents, scanned.names))
        found = survey(scanned.documents, images_file, names=scanned.names)
        carried = {file.document.path for file in files if file.carrier is not Carrier.NOTHING}
        additions = find_additions(
            found,
            images_file,
            carried=carried,
            excluded=excluded,
            follows_tags=follows_tags,
            gone=() if paths else _find_gone(project, images_file),
        )
        if additions:
            edited = additions.apply(read_text(project.images_path))
            parse_images_file(edited, file_name=str(project.images_path))
            transaction.write({project.images_path: project.encode_images_file(edited)})
    if output_format == "json":
        written = (project.images_path,) if additions else ()
        settings.console.json(adoption_document(adoption_of(additions, found, written, scanned.unread)))
    else:
        part = searched_part(paths, excluded)
        if not additions:
            has_images = any(file.entries for file in files)
            nothing_new = f"{project.images_path} has every image{part} that can be pinned"
            settings.console.say(nothing_new if has_images else no_image(part))
        _tell(settings.console, project, additions, found, scanned.unread)


def adoption_of(additions: Additions, found: Survey, written: Sequence[Path], unread: Unread) -> Adoption:
    """Return what was added to an images.toml that was there."""
    return Adoption(
        images={it.alias: it.image for it in additions.images},
        files={image.alias: image.paths for image in found.images},
        pinned=additions.files,
        external_names=additions.external_names,
        external_files=additions.external_files,
        freed=additions.freed,
        written=written,
        left=(*found.unresolved, *found.not_editable),
        unreadable=found.unreadable,
        unread=unread,
    )


def _find_gone(project: Project, images_file: ImagesFile) -> list[str]:
    """Find the names in ``[pin]`` whose files were moved or deleted; patterns may wait for files."""
    made = {target.output for target in images_file.targets}
    names = (name for name in images_file.pins.files if not is_wild(name) and name not in made)
    return [name for name in names if not (project.folder / name).exists()]


def _begin(
    settings: Settings,
    project: Project,
    paths: Sequence[Path],
    excluded: Sequence[str],
    *,
    follows_tags: bool,
    output_format: str,
) -> None:
    from imagelock.cli.first_run import (  # noqa: PLC0415  only the first run needs it
        FirstFileRequest,
        plan_project,
        tell_beginning,
    )

    with begin(settings.console, project) as transaction:
        request = FirstFileRequest(excluded=excluded, paths=paths, follows_tags=follows_tags)
        begun = plan_project(settings.console, project.images_path, request)
        transaction.write(begun.contents())
    tell_beginning(settings.console, begun, output_format=output_format)


def _tell(console: Console, project: Project, additions: Additions, found: Survey, unread: Unread) -> None:
    if additions:
        console.say(f"Added to {project.images_path}:")
        for line in additions.lines():
            console.say(f"  {line}")
    for obstacle in (*found.unresolved, *found.not_editable):
        console.warn(str(obstacle))
    print_unreadable(console, [str(each) for each in found.unreadable])
    print_unread(console, unread)
    if additions.images or additions.freed:
        console.next_step("imagelock lock", "imagelock render")
    elif additions.files:
        console.next_step("imagelock render")


def _show_kinds(console: Console, *, output_format: str) -> None:
    from imagelock.documents.formats.description import describe_formats  # noqa: PLC0415  only --kinds needs it

    kinds = describe_formats()
    if output_format == "json":
        console.json({"kinds": [kind_document(kind) for kind in kinds]})
        return
    for kind in kinds:
        for line in kind_lines(kind):
            console.styled_data(line)


def _show(console: Console, files: Sequence[InventoryFile], found: TreeScan, *, part: str, exists: bool) -> None:
    for line in inventory_lines(files):
        console.styled_data(line)
    entries = [entry for file in files for entry in file.entries]
    read = [file for file in files if not file.document.scan.problems]
    if entries:
        told = ", ".join(f"{number} {status}" for status, number in _counts(entries))
        console.say(f"{count(len(entries), 'reference')} in {count(len(read), 'file')}: {told}")
    else:
        console.say(no_image(part))
    print_unreadable(console, found.unreadable)
    print_unread(console, found.unread)
    if command := _next_command(files, exists=exists):
        console.next_step(command)


def _counts(entries: Iterable[InventoryEntry]) -> list[tuple[Status, int]]:
    counts = Counter(entry.status for entry in entries)
    return [(status, counts[status]) for status in Status if counts[status]]


def _next_command(files: Sequence[InventoryFile], *, exists: bool) -> str | None:
    """Return the next command for the references; None if none of them needs one."""
    found = {(entry.status, file.carrier) for file in files for entry in file.entries}
    statuses = {status for status, _ in found}
    if not exists:
        return "imagelock init" if statuses else None
    if any(map(_has_undeclared, files)) or (Status.LOCKED, Carrier.NOTHING) in found:
        return "imagelock scan --write"
    if any(entry.status in (Status.NEW, Status.DECLARED) and entry.reason for file in files for entry in file.entries):
        return "imagelock check"  # it says which follows: the declared image, or a reference with another tag
    if Status.DECLARED in statuses:
        return "imagelock lock"
    return "imagelock render" if Status.LOCKED in statuses else None


def _has_undeclared(file: InventoryFile) -> bool:
    """Whether `scan --write` would declare an image of the file."""
    new = [entry for entry in file.entries if entry.status is Status.NEW]
    return any(file.carrier is Carrier.NOTHING or entry.reason is None for entry in new)

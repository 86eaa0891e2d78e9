"""``imagelock unpin``: take the digests off again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.reports.finding_report import hints, lines
from imagelock.cli.reports.unpinned import refusals
from imagelock.cli.text import count, listing
from imagelock.cli.transactions import begin
from imagelock.documents.locked_references import LockedReferences
from imagelock.documents.pinning import unpin
from imagelock.errors import DocumentError, FileError
from imagelock.project.documents import ProjectDocuments
from imagelock.project.files import read_bytes
from imagelock.project.project import find_or_begin_project, find_project
from imagelock.project.work_tree import Identity, identify
from imagelock.rendering.pin_in_place import locked_references
from imagelock.rendering.pinned_files import select_pinned_files
from imagelock.rendering.template import images_to_render


@click.command("unpin")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@format_option
@with_settings
def command(settings: Settings, *, files: tuple[Path, ...], output_format: str) -> None:
    """Remove digests from pinned files.

    Restores tags that `digest-only` removed, using images.lock. Changes all files or none.
    """
    with begin(settings.console, find_or_begin_project(settings.images_path, settings.lock_path)) as transaction:
        documents, locked, pinned = _read_project(settings)
        originals = {path: read_bytes(path) for path in files}
        listed = [str(path) for path in files if identify(path) in pinned]  # writing gives a file another identity
        unpinned = {
            path: unpin(content, documents.kind_of_named(path, content), locked=locked)
            for path, content in originals.items()
        }
        refused = [each for path, result in unpinned.items() for each in refusals(path, result)]
        if refused:
            details, told = lines(refused, width=settings.console.details_width), hints(refused, fails=False)
            message = "cannot take all digests off; no file was written"
            raise DocumentError(message, details=details, hint=next(iter(told), None), further_hints=told[1:])
        written = transaction.write({path: result.content for path, result in unpinned.items()}, seen=originals)
    if output_format == "json":
        settings.console.json({"files": [{"path": str(path), "written": path in written} for path in unpinned]})
        return
    total = count(len(unpinned), "file")
    if len(unpinned) > 1 or not written:
        done = f"Unpinned {len(written)} of {total}" if written else f"{total} already without digests"
        settings.console.say(done)
    for path in written:
        settings.console.say(f"{click.style('Unpinned', fg='green', bold=True)} {path}")
    if listed:
        settings.console.note(f"`imagelock render` pins {listing(listed)} again, as [pin] in images.toml says")


def _read_project(settings: Settings) -> tuple[ProjectDocuments, LockedReferences, frozenset[Identity]]:
    """Read what is locked, and which files are listed under ``[pin]``.

    Without an images.toml, or with one that does not fit its lock, unpinning works as well.
    """
    with suppress(FileError):
        project = find_project(settings.images_path, settings.lock_path)
        images_file, lockfile = project.read_images_file(), project.read_lockfile()
        by_alias = lockfile.by_alias()
        known = tuple(image for image in images_file.images if image.alias in by_alias)
        locked = locked_references(images_to_render(replace(images_file, images=known), lockfile).values())
        pinned = frozenset(identify(file.path) for file in select_pinned_files(project, images_file).files)
        return ProjectDocuments(project.folder, images_file.documents), locked, pinned
    return ProjectDocuments(Path()), LockedReferences(()), frozenset()

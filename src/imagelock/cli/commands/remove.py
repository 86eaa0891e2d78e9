"""``imagelock remove``: take images out of both files."""

from __future__ import annotations

import click

from imagelock.cli.lock_run import lock_to_write
from imagelock.cli.options import Settings, complete_images, format_option, with_settings
from imagelock.cli.reports.changes import change_document, change_lines
from imagelock.cli.text import count, shorten_digests
from imagelock.cli.transactions import begin, run_again_if_changed
from imagelock.errors import ImagesFileError
from imagelock.images_file.edit import remove_images
from imagelock.images_file.parser import ImagesFile, refuse_unknown_images
from imagelock.locking.changes import find_changes
from imagelock.locking.identity import match_entries
from imagelock.locking.lockfile import Lockfile
from imagelock.project.files import read_text
from imagelock.project.project import Project, find_project
from imagelock.project.transaction import Transaction
from imagelock.rendering.uses import find_uses


@click.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=complete_images)
@format_option
@with_settings
def command(settings: Settings, *, names: tuple[str, ...], output_format: str) -> None:
    """Remove images from images.toml and images.lock.

    Keeps comments and order, and warns about each template and pinned file that still has one of the images. Offline.
    """
    project = find_project(settings.images_path, settings.lock_path)

    def remove() -> None:
        with begin(settings.console, project) as transaction:
            _remove(settings, project, transaction, names, output_format=output_format)

    run_again_if_changed(settings.console, remove)


def _remove(
    settings: Settings, project: Project, transaction: Transaction, names: tuple[str, ...], *, output_format: str
) -> None:
    images_file = project.read_images_file()
    refuse_unknown_images(names, images_file)
    _refuse_exported(project, images_file, names)
    edited = remove_images(read_text(project.images_path), names)
    before = project.read_lockfile()
    entries = match_entries(images_file.images, before.images)
    removed = {entry.alias for alias, entry in entries.items() if alias in names}
    after = Lockfile(tuple(image for image in before.images if image.alias not in removed))
    lock = lock_to_write(project, after, current=project.read_lock_text() or "") if after != before else {}
    uses = tuple(find_uses(project, images_file, before, names))
    transaction.write({project.images_path: project.encode_images_file(edited), **lock})
    changes = find_changes(before, after)
    if output_format == "json":
        documents = [change_document(change) for change in changes]
        settings.console.json({"removed": sorted(set(names)), "changes": documents, "uses": list(uses)})
        return
    settings.console.say(f"Removed {count(len(set(names)))} from {project.images_path}")
    for lines in change_lines(changes, is_dry_run=False, width=settings.console.stderr_width):
        for line in lines:
            settings.console.say(line)
    for use in uses:
        settings.console.warn(shorten_digests(use))
    if uses:
        settings.console.note("`check` fails for these until they are gone, declared again, or listed under [external]")


def _refuse_exported(project: Project, images_file: ImagesFile, names: tuple[str, ...]) -> None:
    """Refuse to remove what ``[export]`` names: images.toml could not be read afterwards."""
    found = [
        f'{project.images_path}: export."{target.output}".names has `{name}`'
        for target in images_file.exports
        for name in target.export.names
        if name in names
    ]
    if found:
        raise ImagesFileError(
            f"cannot remove {count(len(set(names)))}", details=found, hint="take the name out of [export] first"
        )

"""``imagelock outdated``: which tags and ranges have moved, and for which of your platforms."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial

import click

from imagelock.cli.options import Settings, complete_images, format_option_with_markdown, with_settings
from imagelock.cli.progress import watch
from imagelock.cli.reports.outdated import print_standings, standing_document, standing_table
from imagelock.cli.sources import note_offline, open_sources
from imagelock.cli.text import count
from imagelock.errors import BatchError, ExitCode
from imagelock.images_file.parser import refuse_unknown_images
from imagelock.locking.outdated import ImageStatus, find_status
from imagelock.locking.parallel import Results, run_all
from imagelock.project.project import find_project


@click.command("outdated")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_images)
@click.option("--digests", "asks_digests", is_flag=True, help="Ask for the tags of images declared by digest as well.")
@click.option("--exit-code", "wants_exit_code", is_flag=True, help="Exit with 1 if any image is outdated.")
@format_option_with_markdown("an issue")
@with_settings
def command(
    settings: Settings, *, names: tuple[str, ...], asks_digests: bool, wants_exit_code: bool, output_format: str
) -> None:
    """Show images with newer content or tags.

    Shows what `imagelock update` would change, and for which of your platforms. `-v` also lists images that are up to
    date. Images declared by digest are compared with their tags only with --digests.
    """
    answers = _ask(settings, names, asks_digests=asks_digests)
    statuses = [answers.found[name] for name in sorted(answers.found)]
    if output_format == "json":
        failures = [{"name": name, "error": error.message} for name, error in sorted(answers.failures)]
        images = [standing_document(status) for status in statuses]
        settings.console.json({"images": images, "failures": failures})
    elif output_format == "markdown":
        settings.console.data(
            "\n".join(standing_table(statuses, unknown=len(answers.failures), asks_digests=asks_digests))
        )
    elif statuses or not answers.failures:
        print_standings(settings.console, statuses, asks_digests=asks_digests)
    note_offline(settings)
    if answers.failures:
        asked = count(len(statuses) + len(answers.failures))
        message = f"cannot tell the state of {len(answers.failures)} of {asked}"
        raise BatchError(message, answers.failures, action="cannot tell the state of")
    if wants_exit_code and any(status.is_outdated for status in statuses):
        click.get_current_context().exit(ExitCode.NO)


def _ask(settings: Settings, names: Collection[str], *, asks_digests: bool) -> Results[ImageStatus]:
    project = find_project(settings.images_path, settings.lock_path)
    images_file, lockfile = project.read_fresh()
    refuse_unknown_images(names, images_file)
    asked = [declaration for declaration in images_file.images if not names or declaration.alias in names]
    locked = lockfile.by_alias()
    now = datetime.now(UTC)
    with open_sources(settings, project.folder, images_file.registries) as sources:
        sources.prepare(declaration.repository for declaration in asked)
        questions = {
            str(declaration.alias): partial(
                find_status, declaration, locked[declaration.alias], sources, now=now, asks_digests=asks_digests
            )
            for declaration in asked
        }
        repositories = {str(declaration.alias): declaration.repository for declaration in asked}
        return run_all(questions, watcher=watch(settings.console, "Asking about", repositories))

"""``imagelock add``: write an image into images.toml, and lock it."""

from __future__ import annotations

import click

from imagelock.cli.lock_run import plan_smallest, run_plan_in
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.reports.outcome import Outcome, report
from imagelock.cli.sources import open_sources
from imagelock.cli.text import duration
from imagelock.cli.transactions import begin, run_again_if_changed
from imagelock.errors import BatchError, ImagelockError, PlatformNotFoundError
from imagelock.images_file.edit import ImageEntry, add_image
from imagelock.images_file.new_image import LATEST, ImageRequest, make_entry
from imagelock.images_file.parser import parse_images_file
from imagelock.project.files import read_text
from imagelock.project.project import Project, find_or_begin_project
from imagelock.project.transaction import Transaction
from imagelock.registry.sources import Sources


@click.command("add")
@click.argument("words", nargs=-1, required=True, metavar="[NAME] IMAGE")
@click.option("--platform", "platforms", multiple=True, metavar="PLATFORM", help="Lock this platform only; repeatable.")
@click.option(
    "--version",
    is_flag=False,
    flag_value=LATEST,
    metavar="[RANGE]",
    help="Follow a range such as `>=20,<21`; without RANGE, one from the tag or the newest version up.",
)
@click.option("--variant", metavar="VARIANT", help="Follow this variant: `slim` is short for `--tag {version}-slim`.")
@click.option("--tag", metavar="TAG", help="Use this tag, or a pattern such as `{version}-slim`.")
@format_option
@with_settings
def command(  # noqa: PLR0913  click hands over each option as an argument
    settings: Settings,
    *,
    words: tuple[str, ...],
    platforms: tuple[str, ...],
    version: str | None,
    variant: str | None,
    tag: str | None,
    output_format: str,
) -> None:
    """Add an image to images.toml and lock it.

    IMAGE is a reference such as golang:1.22; NAME defaults to the last part of its repository. Keeps comments and
    order, and creates images.toml if there is none. A range gets an upper bound. If the image cannot be locked,
    neither file changes.
    """
    if len(words) > 2:  # noqa: PLR2004  a name and a reference
        raise click.UsageError(f"one image at a time, as NAME and REFERENCE: these are {len(words)} words")
    request = ImageRequest(
        reference=words[-1],
        name=words[0] if words[1:] else None,
        version=version,
        variant=variant,
        tag=tag,
        platforms=platforms,
    )
    _add(settings, request, output_format=output_format)


def _add(settings: Settings, request: ImageRequest, *, output_format: str) -> None:
    project = find_or_begin_project(settings.images_path, settings.lock_path)

    def add() -> tuple[ImageEntry, Outcome]:
        with begin(settings.console, project) as transaction:
            return _add_to(settings, project, transaction, request)

    entry, outcome = run_again_if_changed(settings.console, add)
    if output_format == "text":
        settings.console.say(f"Added to {project.images_path}: {entry}")
    done = f"Locked {outcome.changed} in {duration(outcome.seconds)}"
    report(settings.console, outcome, done, output_format=output_format)


def _add_to(
    settings: Settings, project: Project, transaction: Transaction, request: ImageRequest
) -> tuple[ImageEntry, Outcome]:
    text = read_text(project.images_path) if project.images_path.exists() else ""
    images_file = parse_images_file(text, file_name=str(project.images_path))
    # One client for both: a range that needs a bound has listed the tags that locking wants.
    with open_sources(settings, project.folder, images_file.registries) as sources:
        entry = make_entry(request, images_file, sources.list_tags)
        return entry, _lock(settings, project, transaction, entry, add_image(text, entry), sources)


def _lock(
    settings: Settings, project: Project, transaction: Transaction, entry: ImageEntry, edited: str, sources: Sources
) -> Outcome:
    """Lock from the edited text, and write it together with the lock: neither is ever there without the other."""
    images_file = parse_images_file(edited, file_name=str(project.images_path))
    beside = {project.images_path: project.encode_images_file(edited)}
    try:
        return run_plan_in(
            settings, project, images_file, plan_smallest, transaction=transaction, beside=beside, sources=sources
        )
    except BatchError as error:
        message = f"cannot add `{entry.alias}`; no file was changed"
        raise BatchError(message, map(_with_options, error.failures), action="cannot add") from error


def _with_options(named: tuple[str, ImagelockError]) -> tuple[str, ImagelockError]:
    """Return the failure with a hint for this command: images.toml has no such image to be edited."""
    alias, failure = named
    if isinstance(failure, PlatformNotFoundError) and failure.lockable:
        options = " ".join(f"--platform {each}" for each in failure.lockable)
        failure.hint = f"run it with `{options}`"
    return alias, failure

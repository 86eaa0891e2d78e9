"""``imagelock lock``: the smallest change that makes images.lock match images.toml."""

from __future__ import annotations

from collections.abc import Sequence

import click

from imagelock.cli.options import Settings, complete_images, format_option, with_settings
from imagelock.cli.text import NO_IMAGE
from imagelock.errors import CheckFailedError
from imagelock.locking.freshness import Mismatch, find_mismatches
from imagelock.project.project import find_project


@click.command("lock")
@click.option("--check", is_flag=True, help="Verify that images.lock matches images.toml (offline); write nothing.")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@click.option("-U", "--upgrade", is_flag=True, help="Update all images, as `imagelock update` does.")
@click.option(
    "-P",
    "--upgrade-image",
    "upgraded",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_images,
    help="Update this image; repeatable.",
)
@format_option
@with_settings
def command(
    settings: Settings, *, check: bool, dry_run: bool, upgrade: bool, upgraded: tuple[str, ...], output_format: str
) -> None:
    """Update images.lock to match images.toml.

    Keeps every digest that still satisfies images.toml; `imagelock update` moves them.
    """
    # The two ways that resolve images import what they need: `--check` must not wait for it.
    if check and (dry_run or upgrade or upgraded):
        raise click.UsageError("--check asks, and writes nothing: leave out the others", click.get_current_context())
    if check:
        refuse_stale_lock(settings, output_format=output_format)
    elif upgrade and upgraded:
        raise click.UsageError("--upgrade moves all images: leave out --upgrade-image", click.get_current_context())
    elif upgrade or upgraded:
        from imagelock.cli.commands.update import update_images  # noqa: PLC0415

        update_images(settings, upgraded, is_dry_run=dry_run, takes_every_index=False, output_format=output_format)
    else:
        from imagelock.cli.lock_run import lock_images  # noqa: PLC0415

        lock_images(settings, is_dry_run=dry_run, output_format=output_format)


def refuse_stale_lock(settings: Settings, *, output_format: str) -> None:
    """Print that images.lock matches images.toml; raise ``CheckFailedError`` with every reason if it does not."""
    project = find_project(settings.images_path, settings.lock_path)
    images_file, lockfile = project.read()
    mismatches: Sequence[Mismatch] = find_mismatches(images_file, lockfile)
    if project.may_have_mixed_platforms(lockfile):
        from imagelock.project.mixed_entries import find_mixed  # noqa: PLC0415  only a merge needs it

        mixed = find_mixed(images_file, lockfile, project.lock_path)
        mismatches = (*mismatches, *mixed.lacking)
        for note in mixed.notes:
            settings.console.note(note)
    if output_format == "json":
        from imagelock.cli.reports.rules import rule_of  # noqa: PLC0415  only scripts need it

        problems = [{"name": it.alias, "kind": rule_of(it), "reason": str(it)} for it in mismatches]
        settings.console.json({"ok": not mismatches, "problems": problems})
    if mismatches:
        raise project.stale_error(CheckFailedError, mismatches)
    if output_format == "text":
        matches = f"{project.lock_path} matches {project.images_path}"
        settings.console.say(matches if project.lock_path.exists() else NO_IMAGE)

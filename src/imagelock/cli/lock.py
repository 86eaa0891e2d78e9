"""``imagelock lock``: the smallest change that makes images.lock answer images.toml."""

from __future__ import annotations

import click

from imagelock.cli.locking import count, report, run_plan, took
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.project import find_project
from imagelock.cli.stale import refuse_stale_lock
from imagelock.cli.update import update_images
from imagelock.locking import plan_lock


@click.command("lock")
@click.option("--check", is_flag=True, help="Ask whether images.lock answers images.toml; write nothing, no network.")
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
@click.option("-U", "--upgrade", is_flag=True, help="Move all images, as `imagelock update` does.")
@click.option("-P", "--upgrade-image", "upgraded", multiple=True, metavar="NAME", help="Move this image; repeatable.")
@format_option
@with_settings
def command(
    settings: Settings, *, check: bool, dry_run: bool, upgrade: bool, upgraded: tuple[str, ...], output_format: str
) -> None:
    """Make images.lock answer images.toml, by the smallest change.

    A digest that still answers never moves; `imagelock update` moves them.
    """
    if check:
        refuse_stale_lock(settings, output_format=output_format)
    elif upgrade or upgraded:
        update_images(settings, upgraded, is_dry_run=dry_run, takes_every_index=False, output_format=output_format)
    else:
        _lock(settings, is_dry_run=dry_run, output_format=output_format)


def _lock(settings: Settings, *, is_dry_run: bool, output_format: str) -> None:
    outcome = run_plan(settings, plan_lock, is_dry_run=is_dry_run)
    images = count(len(outcome.result.lockfile.images))
    if not outcome.changes:
        summary = f"{images} already locked"
    elif is_dry_run:
        summary = f"Would lock {images}; {find_project(settings).lock_path} is unchanged"
    else:
        summary = f"Locked {images} in {took(outcome.seconds)}"
    report(settings.console, outcome, summary, output_format=output_format)

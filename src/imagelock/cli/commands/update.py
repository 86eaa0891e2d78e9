"""``imagelock update``: move images to what their tags give today."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import click

from imagelock.cli.lock_run import Planner, run_plan
from imagelock.cli.options import Settings, complete_images, format_option, with_settings
from imagelock.cli.reports.outcome import report
from imagelock.cli.sources import note_offline
from imagelock.cli.tag_move import move_tag, tag_to_declare
from imagelock.cli.text import NO_IMAGE, count, duration
from imagelock.errors import BatchError, ImagelockError
from imagelock.images_file.parser import ImagesFile, refuse_unknown_images
from imagelock.locking.changes import Added, Removed, Updated
from imagelock.locking.lockfile import Lockfile
from imagelock.locking.plan import Unsettled, plan_requested, plan_update
from imagelock.locking.update_step import Step
from imagelock.model.selector import ExactDigest

_MAX_NAMED = 20
"""Images whose names a hint has room for."""


@click.command("update")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_images)
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@click.option(
    "--index",
    "takes_every_index",
    is_flag=True,
    help="Take indexes that moved for other platforms only, and read those that are locked again.",
)
@click.option("--to", "wanted", metavar="TAG|DIGEST", help="Move one image to this, in images.toml as well.")
@format_option
@with_settings
def command(
    settings: Settings,
    *,
    names: tuple[str, ...],
    dry_run: bool,
    takes_every_index: bool,
    wanted: str | None,
    output_format: str,
) -> None:
    """Update images to their current tags.

    Locks what the tags and ranges of all images, or of the named ones, give today.

    With --to, move one image to a tag or a digest. Where images.toml has another exact tag, it moves with images.lock
    and every pinned and rendered file.
    """
    if wanted is not None:
        take_content(settings, names, wanted, is_dry_run=dry_run, output_format=output_format)
        return
    update_images(settings, names, is_dry_run=dry_run, takes_every_index=takes_every_index, output_format=output_format)


def update_images(
    settings: Settings,
    names: Collection[str],
    *,
    is_dry_run: bool,
    takes_every_index: bool,
    output_format: str,
) -> None:
    """Move the named images, or all where none is named."""
    every: list[str] = []

    def plan(images_file: ImagesFile, lockfile: Lockfile, unsettled: Unsettled) -> Sequence[Step]:
        refuse_unknown_images(names, images_file)
        every[:] = [image.alias for image in images_file.images]
        return plan_update(
            images_file,
            lockfile,
            aliases=names or every,
            takes_every_index=takes_every_index,
            now=datetime.now(UTC),
            unsettled=unsettled,
        )

    try:
        _run(settings, plan, names, is_dry_run=is_dry_run, output_format=output_format)
    except BatchError as error:
        raise _with_way_on(error, every=[] if names else every) from error


def _with_way_on(error: BatchError, *, every: Collection[str]) -> BatchError:
    """Return the error with a hint to update the other images, if all were asked for."""
    failed = {alias for alias, _ in error.failures}
    others = [alias for alias in every if alias not in failed]
    if not others or len(others) > _MAX_NAMED:
        return error
    way_on = f"run `imagelock update {' '.join(others)}` to update the {'other' if len(others) == 1 else 'others'}"
    return BatchError(error.summary, error.failures, action=error.action, way_on=way_on)


def take_content(
    settings: Settings, names: Collection[str], wanted: str, *, is_dry_run: bool, output_format: str
) -> None:
    """Move one image to what was named."""
    if len(names) != 1:
        raise ImagelockError("`--to` goes with the name of one image", hint="run `imagelock update NAME --to TAG`")
    (name,) = names

    def plan(images_file: ImagesFile, lockfile: Lockfile, unsettled: Unsettled) -> Sequence[Step]:
        refuse_unknown_images(names, images_file)
        now = datetime.now(UTC)
        return plan_requested(images_file, lockfile, alias=name, wanted=wanted, now=now, unsettled=unsettled)

    if (tag := tag_to_declare(settings, name, wanted)) is not None:
        wanted = tag
        move_tag(settings, name, tag, plan, is_dry_run=is_dry_run, output_format=output_format)
        return
    _run(settings, plan, names, is_dry_run=is_dry_run, output_format=output_format)


def _unchanged(images_file: ImagesFile, names: Collection[str]) -> str:
    """Return the counts of unchanged images; frozen ones and those declared by digest, which were not asked, apart."""
    images = [image for image in images_file.images if not names or image.alias in names]
    frozen = [image for image in images if image.freeze is not None]
    fixed = [image for image in images if image.freeze is None and isinstance(image.selector, ExactDigest)]
    asked = len(images) - len(frozen) - len(fixed)
    subject = ", ".join(names) if asked == len(images) and names else count(asked)
    if not images:
        return NO_IMAGE
    parts = [f"{subject} already up to date"] if asked else []
    parts += [f"{len(frozen)} frozen"] if frozen else []
    parts += [f"{len(fixed)} declared by digest, not asked"] if fixed else []
    return ", ".join(parts)


def _run(settings: Settings, plan: Planner, names: Collection[str], *, is_dry_run: bool, output_format: str) -> None:
    outcome = run_plan(settings, plan, is_dry_run=is_dry_run)
    images = count(len(outcome.result.lockfile.images))
    updated = sum(isinstance(change, Updated) for change in outcome.changes)
    others = "".join(
        f", {len(found)} {verb}"
        for kind, verb in ((Added, "added"), (Removed, "removed"))
        if (found := [change for change in outcome.changes if isinstance(change, kind)])
    )
    done = f"Updated {updated} of {images}{others} in {duration(outcome.seconds)}"
    if is_dry_run:
        done = f"Would update {updated} of {images}{others}; nothing was written"
    summary = outcome.summary(done, _unchanged(outcome.images_file, names))
    report(settings.console, outcome, summary, output_format=output_format)
    note_offline(settings)

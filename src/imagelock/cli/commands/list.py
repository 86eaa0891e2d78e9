"""``imagelock list``: the locked images."""

from __future__ import annotations

import click

from imagelock.cli.layout import columns
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.reports.changes import image_document, tag_and_version
from imagelock.project.project import find_project


@click.command("list")
@format_option
@with_settings
def command(settings: Settings, *, output_format: str) -> None:
    """List the locked images."""
    project = find_project(settings.images_path, settings.lock_path)
    with project.reading():
        images = project.read_lockfile().images
    if output_format == "json":
        settings.console.json({"images": [image_document(image) for image in images]})
        return
    if not images:
        settings.console.say("no image is locked")
    rows = [
        (
            image.alias,
            str(image.repository),
            tag_and_version(image),
            image.digest.short,
            " ".join(str(e.platform) for e in image.platform_digests),
        )
        for image in images
    ]
    for line in columns(rows, width=settings.console.stdout_width, prose=4):
        settings.console.data(line)

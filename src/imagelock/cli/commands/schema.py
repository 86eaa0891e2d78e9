"""``imagelock schema``: print the JSON Schema of images.toml, for editors and validators."""

from __future__ import annotations

from importlib import resources

import click

from imagelock.cli.options import Settings, with_settings

_EXAMPLES = """\b
Example:
  imagelock schema >images.schema.json
  #:schema ./images.schema.json  (the first line of images.toml)"""


@click.command("schema", epilog=_EXAMPLES)
@with_settings
def command(settings: Settings) -> None:
    """Print the JSON Schema of images.toml (draft 7)."""
    settings.console.raw_data((resources.files("imagelock.images_file") / "images.schema.json").read_bytes())

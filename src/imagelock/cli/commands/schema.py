"""``imagelock schema``: print the JSON Schema of images.toml, or of a command's ``--format json``."""

from __future__ import annotations

import json
from importlib import resources

import click

from imagelock.cli.options import Settings, with_settings
from imagelock.errors import ImagelockError, did_you_mean

_PREFIX = "command "


# The name of a schema may have an option of its command: `imagelock schema lock --check`.
@click.command("schema", context_settings={"ignore_unknown_options": True})
@click.argument("command_words", nargs=-1, metavar="[COMMAND]")
@with_settings
def command(settings: Settings, *, command_words: tuple[str, ...]) -> None:
    """Print the JSON Schema of images.toml.

    With COMMAND, that of what it prints with --format json. Draft 7.
    """
    if not command_words:
        settings.console.raw_data((resources.files("imagelock.images_file") / "images.schema.json").read_bytes())
        return
    reports = json.loads((resources.files("imagelock.cli.reports") / "reports.schema.json").read_bytes())
    known = [name.removeprefix(_PREFIX) for name in reports["definitions"] if name.startswith(_PREFIX)]
    wanted = " ".join(command_words)
    if wanted not in known:
        raise ImagelockError(
            f"`imagelock {wanted}` has no schema{did_you_mean(wanted, known)}",
            details=[f"there are schemas for: {', '.join(known)}"],
        )
    report = {"$ref": f"#/definitions/{_PREFIX}{wanted}"}
    either = {"anyOf": [report, {"$ref": "#/definitions/failure"}]}
    settings.console.plain_json(
        {**{key: reports[key] for key in ("$schema", "title", "description")}, **either}
        | {"definitions": reports["definitions"]}
    )

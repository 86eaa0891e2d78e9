"""``imagelock diff``: what changed between two lockfiles or git revisions."""

from __future__ import annotations

from pathlib import Path

import click

from imagelock.changes import find_changes
from imagelock.cli.lock_report import change_document, change_lines, change_table
from imagelock.cli.options import Settings, with_settings
from imagelock.cli.project import find_project
from imagelock.files import read_text
from imagelock.git_revisions import read_text_at
from imagelock.lockfile import Lockfile
from imagelock.lockfile_text import parse_lockfile


@click.command("diff")
@click.argument("old", default="HEAD")
@click.argument("new", required=False)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="For people, for scripts, or for the text of a pull request.",
)
@with_settings
def command(settings: Settings, *, old: str, new: str | None, output_format: str) -> None:
    """Show what changed from OLD to NEW, each a lockfile or a git revision.

    Without NEW, the lockfile as it is now; without OLD, the one in HEAD.
    """
    lock_path = find_project(settings).lock_path
    after = _read(new, lock_path) if new is not None else _parse(_read_if_there(lock_path), str(lock_path))
    changes = find_changes(_read(old, lock_path), after)
    if output_format == "json":
        settings.console.json({"changes": [change_document(change) for change in changes]})
    elif output_format == "markdown":
        settings.console.data("\n".join(change_table(changes)))
    else:
        for line in change_lines(changes, is_dry_run=False):
            settings.console.styled_data(line)
        if not changes:
            settings.console.say("no image changed")


def _read(source: str, lock_path: Path) -> Lockfile:
    """Read a file of that name, or else the lockfile at that revision."""
    path = Path(source)
    if path.is_file():
        return _parse(read_text(path), source)
    return _parse(read_text_at(source, lock_path), f"{source}:{lock_path.name}")


def _read_if_there(path: Path) -> str | None:
    return read_text(path) if path.exists() else None


def _parse(text: str | None, name: str) -> Lockfile:
    """Read a lockfile; one that doesn't exist has no images."""
    return Lockfile() if text is None else parse_lockfile(text, file_name=name)

"""``imagelock diff``: what changed between two lockfiles or git revisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from imagelock.cli.console import Console, count_done, one_line
from imagelock.cli.options import Settings, with_settings
from imagelock.cli.reports.changes import change_document, change_lines, change_table
from imagelock.cli.reports.contents import content_document, content_lines
from imagelock.cli.sources import open_sources_outside_project
from imagelock.cli.text import count, markdown_text
from imagelock.errors import BatchError
from imagelock.locking.changes import Change, Updated, find_changes
from imagelock.locking.inspection import ContentChange, find_content_changes
from imagelock.locking.lockfile import Lockfile, parse_lockfile
from imagelock.locking.parallel import run_all
from imagelock.project.files import read_text
from imagelock.project.git import read_text_at
from imagelock.project.project import find_project

Contents = Mapping[str, Sequence[ContentChange]]
"""What changed on each platform, by alias."""


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
@click.option("--layers", "wants_contents", is_flag=True, help="Ask which layers, sizes and settings changed.")
@with_settings
def command(settings: Settings, *, old: str, new: str | None, output_format: str, wants_contents: bool) -> None:
    """Show what changed from OLD to NEW, each a lockfile or a git revision.

    Without NEW, the lockfile as it is now; without OLD, the one in HEAD. With --layers, the registry is asked about
    each platform that moved: its layers, its size, its environment and how it starts.
    """
    lock_path = find_project(settings.images_path, settings.lock_path).lock_path
    after = _read(new, lock_path) if new is not None else _parse(_read_if_there(lock_path), str(lock_path))
    changes = find_changes(_read(old, lock_path), after)
    contents = _ask_contents(settings, changes) if wants_contents else {}
    if output_format == "json":
        documents = [_document(change, contents) for change in changes]
        settings.console.json({"changes": documents})
    elif output_format == "markdown":
        settings.console.data("\n".join([*change_table(changes), *_markdown_contents(contents)]))
    else:
        _print(settings.console, changes, contents)


def _ask_contents(settings: Settings, changes: Sequence[Change]) -> Contents:
    updated = [change for change in changes if isinstance(change, Updated) and change.moved_platforms]
    with open_sources_outside_project(settings) as sources:
        sources.prepare(change.new.repository for change in updated)
        questions = {str(change.alias): partial(find_content_changes, change, sources) for change in updated}
        answers = run_all(questions, on_done=count_done(settings.console, "Asking about", total=len(questions)))
    if answers.failures:
        asked = count(len(questions))
        raise BatchError(f"cannot compare the contents of {len(answers.failures)} of {asked}", answers.failures)
    return answers.found


def _print(console: Console, changes: Sequence[Change], contents: Contents) -> None:
    for line, change in zip(change_lines(changes, is_dry_run=False), changes, strict=True):
        console.styled_data(line)
        for content in contents.get(change.alias, ()):
            for told in content_lines(content):
                console.data(f"  {told}")
    if not changes:
        console.say("no image changed")


def _document(change: Change, contents: Contents) -> dict[str, Any]:
    found = contents.get(change.alias)
    more = {} if found is None else {"contents": [content_document(content) for content in found]}
    return change_document(change) | more


def _markdown_contents(contents: Contents) -> Iterator[str]:
    """Write a block of text for each image: what registries say is no Markdown."""
    for alias in sorted(contents):
        yield from ("", f"{markdown_text(alias)}:", "")
        yield from (f"    {one_line(line)}" for content in contents[alias] for line in content_lines(content))


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

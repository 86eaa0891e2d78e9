"""``imagelock diff``: what changed between two lockfiles or git revisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import click

from imagelock.cli.console import Console
from imagelock.cli.layout import one_line
from imagelock.cli.lock_versions import LockVersion, read_versions
from imagelock.cli.options import Settings, format_option_with_markdown, with_settings
from imagelock.cli.progress import watch
from imagelock.cli.reports.changes import change_document, change_lines, change_table
from imagelock.cli.sources import open_sources_outside_project
from imagelock.cli.text import count, markdown_text, size
from imagelock.errors import BatchError
from imagelock.locking.changes import Change, Updated, find_changes
from imagelock.locking.inspection import ContentChange, PlatformContent, find_content_changes
from imagelock.locking.lockfile import Lockfile
from imagelock.locking.parallel import run_all
from imagelock.locking.source import ManifestSource
from imagelock.locking.version_labels import learn_labels, names_version

Contents = Mapping[str, Sequence[ContentChange]]
"""What changed on each platform, by alias."""


@click.command("diff")
@click.argument("old", required=False)
@click.argument("new", required=False)
@format_option_with_markdown("a pull request")
@click.option("--layers", "wants_contents", is_flag=True, help="Ask registries for changed layers, sizes and settings.")
@click.option("--versions", "wants_versions", is_flag=True, help="Ask registries for versions that images.lock lacks.")
@with_settings
def command(
    settings: Settings,
    *,
    old: str | None,
    new: str | None,
    output_format: str,
    wants_contents: bool,
    wants_versions: bool,
) -> None:
    """Show changes between two lockfiles or git revisions.

    OLD defaults to HEAD, NEW to images.lock as it is now; OLD..NEW works as well. Follows a lockfile that was renamed
    or moved.
    """
    before, after = read_versions(settings, old, new)
    _tell_places(settings.console, before, after)
    changes: Sequence[Change] = find_changes(before.lockfile or Lockfile(), after.lockfile or Lockfile())
    if wants_versions:
        changes = _ask_versions(settings, changes)
    contents = _ask_contents(settings, changes) if wants_contents else {}
    if output_format == "json":
        documents = [_document(change, contents) for change in changes]
        settings.console.json({"changes": documents})
    elif output_format == "markdown":
        settings.console.data("\n".join([*change_table(changes), *_markdown_contents(contents)]))
    else:
        _print(settings.console, changes, contents)


def _tell_places(console: Console, before: LockVersion, after: LockVersion) -> None:
    for version, effect in ((before, "added"), (after, "removed")):
        if version.note:
            console.note(version.note)
        if version.lockfile is None:
            console.note(f"{version.where} does not exist: every image is shown as {effect}")


def _ask_versions(settings: Settings, changes: Sequence[Change]) -> Sequence[Change]:
    """Add to images that moved what their configurations say of themselves."""
    moved = {str(change.alias): change for change in changes if isinstance(change, Updated) and change.moved_platforms}
    with open_sources_outside_project(settings) as sources:
        repositories = {alias: change.new.repository for alias, change in moved.items()}
        sources.prepare(repositories.values())
        questions = {alias: partial(_learn, change, sources) for alias, change in moved.items()}
        told = run_all(questions, watcher=watch(settings.console, "Asking about", repositories)).found
    for alias, change in told.items():
        if change.new.labels.version is None and not names_version(change.new.tag):
            settings.console.note(f"{alias}: no label names its version, or the registry gave no answer")
    return [told.get(str(change.alias), change) for change in changes]


def _learn(change: Updated, source: ManifestSource) -> Updated:
    return Updated(learn_labels(change.old, source), learn_labels(change.new, source))


def _ask_contents(settings: Settings, changes: Sequence[Change]) -> Contents:
    updated = [change for change in changes if isinstance(change, Updated) and change.moved_platforms]
    with open_sources_outside_project(settings) as sources:
        repositories = {str(change.alias): change.new.repository for change in updated}
        sources.prepare(repositories.values())
        questions = {str(change.alias): partial(find_content_changes, change, sources) for change in updated}
        answers = run_all(questions, watcher=watch(settings.console, "Asking about", repositories))
    if answers.failures:
        asked = count(len(questions))
        message = f"cannot compare the contents of {len(answers.failures)} of {asked}"
        raise BatchError(message, answers.failures, action="cannot compare the contents of")
    return answers.found


def _print(console: Console, changes: Sequence[Change], contents: Contents) -> None:
    told = change_lines(changes, is_dry_run=False, width=console.stdout_width)
    for lines, change in zip(told, changes, strict=True):
        for line in lines:
            console.styled_data(line)
        for content in contents.get(change.alias, ()):
            for line in content_lines(content):
                console.data(f"  {line}")
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


def content_lines(change: ContentChange) -> Iterator[str]:
    """Yield the lines of what changed on one platform."""
    if change.old is None:
        yield f"{change.platform}: what was locked is no longer served; now {_summary(change.new)}"
        return
    same = len(change.new.layers) - len(change.added_layers)
    layers = f"{same} of {count(len(change.new.layers), 'layer')} as before"
    if len(change.old.layers) != len(change.new.layers):
        layers += f", {len(change.old.layers)} -> {len(change.new.layers)}"
    yield f"{change.platform}: {layers}; {_arrow(size(change.old.size_bytes), size(change.new.size_bytes))}"
    for it in change.differences:
        yield f"  {it.name}: {_arrow(_setting(it.old), _setting(it.new))}"


def content_document(change: ContentChange) -> dict[str, Any]:
    """Describe for scripts what changed on one platform."""
    return {
        "platform": str(change.platform),
        "old_size_bytes": change.old and change.old.size_bytes,
        "new_size_bytes": change.new.size_bytes,
        "added_layers": [str(layer.digest) for layer in change.added_layers],
        "removed_layers": [str(layer.digest) for layer in change.removed_layers],
        "settings": [{"name": it.name, "old": it.old, "new": it.new} for it in change.differences],
    }


def _summary(content: PlatformContent) -> str:
    return f"{count(len(content.layers), 'layer')}, {size(content.size_bytes)}"


def _setting(text: str | None) -> str:
    return "unset" if text is None else text or "empty"


def _arrow(old: str, new: str) -> str:
    return old if old == new else f"{old} -> {new}"

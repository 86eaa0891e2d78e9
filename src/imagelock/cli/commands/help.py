"""``imagelock help``: what ``--help`` says, as a command."""

from __future__ import annotations

import click

from imagelock.cli.options import Settings, with_settings
from imagelock.errors import ImagelockError, did_you_mean


@click.command("help")
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@with_settings
def command(settings: Settings, *, names: tuple[str, ...]) -> None:
    """Show the help of a command."""
    context = click.get_current_context().find_root()
    for name in names:
        group = context.command
        found = group.get_command(context, name) if isinstance(group, click.Group) else None
        if found is None:
            known = group.list_commands(context) if isinstance(group, click.Group) else []
            raise ImagelockError(
                f"there is no command `{name}`{did_you_mean(name, known)}", hint="run `imagelock help`"
            )
        context = click.Context(found, info_name=name, parent=context)
    settings.console.data(context.get_help())

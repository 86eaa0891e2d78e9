"""``imagelock completion``: print the script that makes a shell complete commands, options and names."""

from __future__ import annotations

import click

from imagelock.cli.completion import SHELLS, completion_script
from imagelock.cli.options import Settings, with_settings

_EXAMPLES = """\b
Examples:
  source <(imagelock completion bash)  # in ~/.bashrc
  source <(imagelock completion zsh)   # in ~/.zshrc, after compinit
  imagelock completion fish >~/.config/fish/completions/imagelock.fish"""


@click.command("completion", epilog=_EXAMPLES)
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
@with_settings
def command(settings: Settings, *, shell: str) -> None:
    """Print a completion script for a shell.

    SHELL is bash, zsh or fish.
    """
    root = click.get_current_context().find_root().command
    settings.console.raw_data(completion_script(root, shell).encode())

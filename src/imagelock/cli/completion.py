"""Shell completion: the scripts for bash, zsh and fish, and the words that come from the project.

A completion never asks a registry, never prints an error, and is silent where images.toml cannot be read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    shell_complete,
)

from imagelock.cli.help import GROUPS
from imagelock.errors import ImagelockError
from imagelock.images_file.exports import ExportFormat
from imagelock.images_file.parser import ImagesFile
from imagelock.project.project import find_project

VARIABLE = "_IMAGELOCK_COMPLETE"
"""What click names it: ``bash_source`` asks for the script, ``bash_complete`` for words."""
SHELLS = ("bash", "zsh", "fish")
_OF_IMAGES = frozenset(("explain", "mirror", "outdated", "remove", "update", "verify"))
"""The commands whose arguments are names of images."""
_OF_COMMANDS = frozenset(("help", "schema"))


class _Quick(ShellComplete):
    """Completes commands and names without their modules, whose import takes longer than all else (measured: half)."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return the words that begin as typed."""
        if incomplete.startswith("-") or any(arg.startswith("-") for arg in args):
            return super().get_completions(args, incomplete)
        if not args or (args[0] in _OF_COMMANDS and len(args) == 1):
            known = {name: text for commands in GROUPS.values() for name, text in commands.items()}
            return [CompletionItem(name, help=known[name]) for name in sorted(known) if name.startswith(incomplete)]
        if args[0] in _OF_IMAGES:
            root = click.Context(self.cli, info_name=self.prog_name)
            return [CompletionItem(name) for name in complete_images(root, None, incomplete)]
        return super().get_completions(args, incomplete)


@add_completion_class
class _Bash(_Quick, BashComplete):
    """Click's script."""


@add_completion_class
class _Zsh(_Quick, ZshComplete):
    """Click's script."""


@add_completion_class
class _Fish(_Quick, FishComplete):
    """Click's own script cuts help at its first comma."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


def answer_shell(cli: click.Command, instruction: str) -> int:
    """Print what a shell asks for with ``_IMAGELOCK_COMPLETE=INSTRUCTION``, and return the exit code."""
    return shell_complete(cli, {}, "imagelock", VARIABLE, instruction)


def completion_script(cli: click.Command, shell: str) -> str:
    """Return the script that makes a shell complete ``imagelock``."""
    complete = get_completion_class(shell)
    assert complete is not None, shell  # noqa: S101  one of SHELLS
    return complete(cli, {}, "imagelock", VARIABLE).source()


def complete_images(context: click.Context, _parameter: click.Parameter | None, incomplete: str) -> list[str]:
    """Return the names of images in images.toml that begin as typed."""
    return _from_project(context, incomplete, lambda images_file: (image.alias for image in images_file.images))


def complete_outputs(context: click.Context, _parameter: click.Parameter | None, incomplete: str) -> list[str]:
    """Return the files that ``render`` writes and that begin as typed."""

    def outputs(images_file: ImagesFile) -> Iterable[str]:
        return (*(target.output for target in images_file.targets), *(each.output for each in images_file.exports))

    return _from_project(context, incomplete, outputs)


def complete_formats(_context: click.Context, _parameter: click.Parameter | None, incomplete: str) -> list[str]:
    """Return the formats of ``export`` that begin as typed."""
    return sorted(each for each in ExportFormat if each.startswith(incomplete))


def _from_project(context: click.Context, incomplete: str, words: Callable[[ImagesFile], Iterable[str]]) -> list[str]:
    values: dict[str, Any] = context.find_root().obj or {}
    with suppress(ImagelockError, OSError):
        if values.get("directory"):
            os.chdir(values["directory"])
        images_file = find_project(values.get("file"), values.get("lockfile")).read_images_file()
        return sorted(word for word in words(images_file) if word.startswith(incomplete))
    return []

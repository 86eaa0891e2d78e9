"""``imagelock cache``: what is kept between runs, which can always be deleted."""

from __future__ import annotations

from pathlib import Path

import click

from imagelock.cli.options import Settings, with_settings
from imagelock.cli.sources import find_cache
from imagelock.cli.text import count, size
from imagelock.errors import ImagelockError
from imagelock.registry.content_cache import clean_cache, measure_cache


@click.group("cache")
def command() -> None:
    """Manage the cache.

    It holds content by digest, and how registries authenticate. It is safe to delete.
    """


@command.command("dir")
@with_settings
def show_directory(settings: Settings) -> None:
    """Print the directory of the cache."""
    settings.console.data(str(_directory(settings)))


@command.command("size")
@with_settings
def show_size(settings: Settings) -> None:
    """Print the size of the cache."""
    measured = measure_cache(_directory(settings))
    settings.console.data(f"{count(measured.files, 'file')}, {size(measured.size_bytes)}")


@command.command("clean")
@with_settings
def clean(settings: Settings) -> None:
    """Delete the cache."""
    cleaned = clean_cache(_directory(settings))
    settings.console.say(f"Removed {count(cleaned.files, 'file')}, {size(cleaned.size_bytes)}")


def _directory(settings: Settings) -> Path:
    directory = find_cache(settings)
    if directory is None:
        if not settings.uses_cache:
            raise ImagelockError("there is no cache with `--no-cache`")
        raise ImagelockError(
            "cannot find a directory for the cache: this user has no home that may be entered",
            hint="name one with `--cache-dir DIR`",
        )
    return directory

"""Sources for commands that ask about any image, in a project or outside of one."""

from __future__ import annotations

from pathlib import Path

from imagelock.cli.options import Settings
from imagelock.cli.sources import open_sources
from imagelock.errors import FileError
from imagelock.project.project import find_project
from imagelock.registry.sources import Sources


def open_sources_anywhere(settings: Settings) -> Sources:
    """Make sources with the registries of the nearest images.toml; without one, with none of its settings.

    A file that was named with ``--file`` must be there.
    """
    try:
        project = find_project(settings.images_path, settings.lock_path)
    except FileError:
        return open_sources(settings, Path(), ())
    return open_sources(settings, project.folder, project.read_images_file().registries)

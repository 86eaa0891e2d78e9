"""Sources for a command that may use the network: what the options and images.toml say about it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from imagelock.cli.options import Settings
from imagelock.errors import FileError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.locking.source import BlobSource
from imagelock.model.reference import AnyRepository
from imagelock.project.project import find_project
from imagelock.registry.sources import LayoutMirrors, Sources, open_registries


def find_cache(settings: Settings) -> Path | None:
    """Where content by digest is kept between runs; None where nothing is to be kept, or where there is no place."""
    from imagelock.registry.content_cache import default_cache_directory  # noqa: PLC0415  only the network needs it
    from imagelock.registry.user_files import find_home  # noqa: PLC0415

    if not settings.uses_cache:
        return None
    return settings.cache_path or default_cache_directory(os.environ, home=find_home(os.environ))


def open_sources(settings: Settings, folder: Path, registries: Iterable[RegistryDeclaration]) -> Sources:
    """Return the sources of a run; the registry client is imported at the first question to a registry."""
    registries = tuple(registries)

    def open_all(expected: Sequence[AnyRepository]) -> AbstractContextManager[BlobSource]:
        from imagelock.registry.locations import RegistrySettings  # noqa: PLC0415  only the network needs it
        from imagelock.registry.user_files import find_home, warn_once  # noqa: PLC0415

        warn = warn_once(settings.console.warn)
        trace = settings.console.detail if settings.console.verbosity > 1 else None
        registry_settings = RegistrySettings(
            folder=folder,
            registries=registries,
            anonymous=settings.anonymous,
            cache_directory=find_cache(settings),
            trace=trace,
            warn=warn,
            home=find_home(os.environ, warn=warn),
        )
        return open_registries(registry_settings, expected)

    mirrors = {
        declared.registry: LayoutMirrors(declared.layout_mirrors, resolve_tags=declared.mirrors_resolve_tags)
        for declared in registries
        if declared.layout_mirrors
    }
    return Sources(folder, None if settings.offline else open_all, mirrors)


def note_offline(settings: Settings) -> None:
    """Print, if this run was offline, that an answer about tags is not one of their registries."""
    if settings.offline:
        settings.console.note("offline: only OCI layouts were asked, and no registry's tags")


def open_sources_outside_project(settings: Settings) -> Sources:
    """Return sources with the `[registries]` of the nearest images.toml; without one, with default settings.

    A file that was named with ``--file`` must be there.
    """
    try:
        project = find_project(settings.images_path, settings.lock_path)
    except FileError:
        return open_sources(settings, Path(), ())
    return open_sources(settings, project.folder, project.read_images_file().registries)

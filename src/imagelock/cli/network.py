"""Sources for a command that may use the network: what the options and images.toml say about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from imagelock.cli.options import Settings
from imagelock.cli.project import Project
from imagelock.resolving import ManifestSource
from imagelock.sources import Sources


def open_sources(settings: Settings, project: Project) -> Sources:
    """Make the sources of a run; no registry client is imported before the first question to a registry."""

    @contextmanager
    def open_registries() -> Iterator[ManifestSource]:
        from imagelock.registry.opening import open_registry_client  # noqa: PLC0415  imports the HTTP library
        from imagelock.registry.settings import RegistrySettings  # noqa: PLC0415

        trace = settings.console.detail if settings.console.verbosity > 1 else None
        with open_registry_client(RegistrySettings(trace=trace)) as client:
            yield client

    return Sources(project.folder, None if settings.offline else open_registries)

"""What a run may decide about registries, as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path

from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName


@frozen(kw_only=True)
class RegistryOptions:
    """What images.toml says about one registry."""

    plain_http: bool | None = None
    """Speak http to it, or never. Where nobody decided, only a registry on this machine may be asked in http."""
    ca_file: Path | None = None
    """PEM certificates to trust for this registry, besides the system's."""
    mirrors: tuple[str, ...] = ()
    """``host[:port][/path]``, asked first for content by digest."""
    mirrors_resolve_tags: bool = False
    """Whether a mirror's word on what a tag means will do, too."""


@frozen(kw_only=True)
class RegistrySettings:
    """What a run of imagelock knows about the network before it uses it."""

    registries: Mapping[RegistryName, RegistryOptions] = field(default_factory=dict)
    anonymous: bool = False
    """Look for no credentials at all."""
    time_limit_seconds: float = 60.0
    """For one exchange with a server, from the question to the last byte of the answer."""
    cache_directory: Path | None = None
    """Content by digest and remembered challenges; ``None`` keeps nothing on disk."""
    trace: Callable[[str], None] | None = None
    """Called from any thread with a line about each exchange; the lines hold no secrets."""
    warn: Callable[[str], None] | None = None
    """Called from any thread with what a registry wants its users to know, once for each text."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    home: Path = field(default_factory=Path.home)

    def options_of(self, registry: RegistryName) -> RegistryOptions:
        """Its options, or the defaults."""
        return self.registries.get(registry, RegistryOptions())

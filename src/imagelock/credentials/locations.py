"""Where credentials may lie, in the order in which they are asked: the union of what Docker and podman do."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path


class AuthFileKind(Enum):
    """Which of the two formats a file has."""

    CURRENT = auto()
    LEGACY = auto()


@dataclass(frozen=True, slots=True)
class AuthFileLocation:
    """A file that may hold credentials."""

    path: Path
    kind: AuthFileKind = AuthFileKind.CURRENT
    is_required: bool = False
    """Someone named this very file: that it isn't there is an error."""


def find_auth_files(environment: Mapping[str, str], *, home: Path) -> tuple[AuthFileLocation, ...]:
    """Return the files to look at. ``REGISTRY_AUTH_FILE`` stands for itself alone, as with podman and skopeo."""
    chosen = environment.get("REGISTRY_AUTH_FILE")
    if chosen:
        return (AuthFileLocation(Path(chosen), is_required=True),)
    docker = Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    podman = (AuthFileLocation(folder / "containers" / "auth.json") for folder in _podman_folders(environment, home))
    return (AuthFileLocation(docker), *podman, AuthFileLocation(home / ".dockercfg", AuthFileKind.LEGACY))


def _podman_folders(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    if sys.platform == "linux" and environment.get("XDG_RUNTIME_DIR"):
        yield Path(environment["XDG_RUNTIME_DIR"])
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config")

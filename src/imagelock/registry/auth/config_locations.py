"""Where credentials may lie, in the order in which they are asked: the union of what Docker and podman do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from pathlib import Path

from imagelock.model.frozen import frozen

_RUN_FOLDER = Path("/run/containers")
"""Here `podman login` writes where there is no session, as for root and in CI: in a folder named after the user."""


class AuthFileKind(Enum):
    """Which of the two formats a file has."""

    CURRENT = auto()
    LEGACY = auto()


@frozen
class AuthFileLocation:
    """A file that may hold credentials."""

    path: Path
    kind: AuthFileKind = AuthFileKind.CURRENT
    is_required: bool = False
    """Someone named this very file: that it isn't there is an error."""


def find_auth_files(
    environment: Mapping[str, str], *, home: Path, run_folder: Path = _RUN_FOLDER
) -> tuple[AuthFileLocation, ...]:
    """Return the files to look at. ``REGISTRY_AUTH_FILE`` stands for itself alone, as with podman and skopeo."""
    chosen = environment.get("REGISTRY_AUTH_FILE")
    if chosen:
        return (AuthFileLocation(Path(chosen), is_required=True),)
    docker = Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    podman = (AuthFileLocation(folder / "auth.json") for folder in _podman_folders(environment, home, run_folder))
    return (AuthFileLocation(docker), *podman, AuthFileLocation(home / ".dockercfg", AuthFileKind.LEGACY))


def _podman_folders(environment: Mapping[str, str], home: Path, run_folder: Path) -> Iterator[Path]:
    if sys.platform == "linux" and environment.get("XDG_RUNTIME_DIR"):
        yield Path(environment["XDG_RUNTIME_DIR"]) / "containers"
    elif sys.platform == "linux":
        own = run_folder / str(os.getuid())
        # Where root's podman has run, others may not even look: they have nothing there.
        if os.access(own, os.X_OK):
            yield own
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers"

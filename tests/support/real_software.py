"""Tests with real software: what has to be installed, and new repositories and projects for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.support.docker_engine import UNPACKED_ENGINE
from tests.support.project import Project
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_CHECKOUT = Path(__file__).parents[2]
_numbers = count(1)
_IS_CI = bool(os.environ.get("CI"))
"""Read before the tests see an environment without it."""
NewFolder = Callable[[str], Path]


def require_programs(*programs: str) -> None:
    """Skip where a program isn't installed; in CI, where it has to be, fail."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        reason = f"not installed: {', '.join(missing)} (`scripts/test` installs what apt, PyPI and npm have)"
        (pytest.fail if _IS_CI else pytest.skip)(reason)


def sarif_multitool() -> Path:
    """Return the path of Microsoft's validator of SARIF, from npm."""
    program = _CHECKOUT / ".venv/npm/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
    require_programs(str(program))
    return program


def require_engine() -> None:
    """Skip where no Docker engine was unpacked, or may not be started; in CI, fail."""
    if not (UNPACKED_ENGINE / "complete").exists():
        reason = "no Docker engine (`scripts/test` unpacks one from Debian's packages)"
    elif os.geteuid() != 0:
        reason = "a Docker engine is started by root only"
    else:
        return
    (pytest.fail if _IS_CI else pytest.skip)(reason)


def new_hub_repository(registry: RegistryServer) -> RemoteRepository:
    """A repository that an engine takes for an official one of Docker Hub: ``image7``."""
    return RemoteRepository(registry=registry, path=f"library/image{next(_numbers)}")


def new_repository(registry: RegistryServer) -> RemoteRepository:
    """A repository that no other test knows; two path components, as most have."""
    return RemoteRepository(registry=registry, path=f"tests/image{next(_numbers)}")


def new_project(parent: Path, registry: RegistryServer) -> Project:
    folder = parent / "project"
    folder.mkdir()
    return Project(folder=folder, environment=registry.environment)

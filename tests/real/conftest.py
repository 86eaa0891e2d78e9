"""Real registries and clients, started once for all tests; each test gets repositories of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.buildah import Buildah
from tests.support.project import Project
from tests.support.real_software import NewFolder, new_project, new_repository, require_programs
from tests.support.registry_server import (
    RegistryServer,
    anonymous_registry,
    bearer_registry,
    htpasswd_registry,
)
from tests.support.remote_repository import RemoteRepository


@pytest.fixture(scope="session")
def registry_programs() -> None:
    require_programs("docker-registry", "skopeo", "docker")


@pytest.fixture(scope="session")
def new_folder(registry_programs: None, tmp_path_factory: pytest.TempPathFactory) -> NewFolder:  # noqa: ARG001  checks
    """Folders for servers; there are none where the servers aren't installed."""
    return tmp_path_factory.mktemp


@pytest.fixture(scope="session")
def anonymous(new_folder: NewFolder) -> Iterator[RegistryServer]:
    with anonymous_registry(new_folder("anonymous")) as registry:
        yield registry


@pytest.fixture(scope="session")
def htpasswd(new_folder: NewFolder) -> Iterator[RegistryServer]:
    with htpasswd_registry(new_folder("htpasswd")) as registry:
        yield registry


@pytest.fixture(scope="session")
def bearer(new_folder: NewFolder) -> Iterator[RegistryServer]:
    with bearer_registry(new_folder("bearer")) as registry:
        yield registry


@pytest.fixture(params=["anonymous", "htpasswd", "bearer"])
def registry(request: pytest.FixtureRequest) -> RegistryServer:
    """Each kind of registry in turn."""
    server = request.getfixturevalue(request.param)
    assert isinstance(server, RegistryServer)
    return server


@pytest.fixture
def repository(anonymous: RegistryServer) -> RemoteRepository:
    """A new repository where nobody needs a login."""
    return new_repository(anonymous)


@pytest.fixture
def buildah(tmp_path: Path) -> Buildah:
    require_programs("buildah")
    return Buildah(tmp_path / "buildah")


@pytest.fixture
def project(tmp_path: Path, anonymous: RegistryServer) -> Project:
    """An empty project beside the registry where nobody needs a login."""
    return new_project(tmp_path, anonymous)

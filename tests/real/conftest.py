"""Real registries and clients, started once for all tests; each test gets repositories of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.buildah import Buildah
from tests.support.docker_engine import DockerEngine, EngineFolder
from tests.support.project import Project
from tests.support.real_software import NewFolder, new_project, new_repository, require_engine, require_programs
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


@pytest.fixture(scope="session")
def engine(anonymous: RegistryServer) -> Iterator[DockerEngine]:
    """A Docker engine with containerd's image store, for which ``anonymous`` is Docker Hub."""
    with _engine(anonymous, uses_containerd_store=True) as running:
        yield running


@pytest.fixture(scope="session")
def classic_engine(anonymous: RegistryServer) -> Iterator[DockerEngine]:
    """The same engine with the image store that it has by default."""
    with _engine(anonymous, uses_containerd_store=False) as running:
        yield running


@contextmanager
def _engine(hub: RegistryServer, *, uses_containerd_store: bool) -> Iterator[DockerEngine]:
    require_engine()
    with TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True) as folder:
        place = EngineFolder(folder=Path(folder), hub_mirror=hub.address, uses_containerd_store=uses_containerd_store)
        with place.running() as running:
            yield running


@pytest.fixture
def buildah(tmp_path: Path) -> Buildah:
    require_programs("buildah")
    return Buildah(tmp_path / "buildah")


@pytest.fixture
def project(tmp_path: Path, anonymous: RegistryServer) -> Project:
    """An empty project beside the registry where nobody needs a login."""
    return new_project(tmp_path, anonymous)

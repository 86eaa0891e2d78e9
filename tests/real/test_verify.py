"""``imagelock verify`` on a real registry that loses an index, a child or a blob."""

from __future__ import annotations

from tests.support.oci_images import multi_platform_image
from tests.support.project import Outcome, Project
from tests.support.real_software import new_repository
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository
from tests.support.upload import delete_blob

_TWO = ("linux/amd64", "linux/arm64")
_IMAGE = multi_platform_image(*_TWO, note="verify")
_FINE = "1 of 1 image served as locked\n"


def _lock(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_IMAGE)}, platforms=_TWO)
    assert project.run("lock").exit_code == 0
    assert project.run("verify") == Outcome(0, "", _FINE)


def _gone(project: Project, *arguments: str) -> list[str]:
    """Which parts are gone, of a run that says so."""
    outcome = project.run("verify", *arguments)
    assert outcome.exit_code == 1
    return [line.split()[1] for line in outcome.stdout.splitlines() if line.endswith("  gone")]


def test_a_deleted_child_is_found_though_its_index_is_served(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    repository.delete(_IMAGE.children[1].digest)
    assert _gone(project) == ["linux/arm64"]
    assert _gone(project, "--no-cache") == ["linux/arm64"]


def test_a_deleted_index_is_found_though_its_children_are_served(
    project: Project, repository: RemoteRepository
) -> None:
    _lock(project, repository)
    repository.delete(_IMAGE.digest)
    assert _gone(project) == ["index"]
    assert _gone(project, "--no-cache") == ["index"]


def test_a_deleted_blob_is_found_where_blobs_are_asked_for(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    assert project.run("verify", "--blobs") == Outcome(0, "", _FINE)
    layer = _IMAGE.children[0].children[1]
    delete_blob(layer, registry=repository.registry.address, repository=repository.path)
    assert project.run("verify") == Outcome(0, "", _FINE)
    assert _gone(project, "--blobs") == ["layer"]


def test_each_thing_is_asked_for_once(project: Project, anonymous: RegistryServer) -> None:
    repositories = [new_repository(anonymous) for _ in range(5)]
    images = {
        f"app{number}": repository.push(multi_platform_image(*_TWO, "linux/arm/v7", note=str(number)))
        for number, repository in enumerate(repositories)
    }
    project.declare(images)
    assert project.run("lock").exit_code == 0
    for arguments, gets in (([], 0), (["--no-cache"], 5)):
        mark = anonymous.access_log.mark()
        assert project.run("verify", *arguments).exit_code == 0
        requests = [(request.method, request.path) for request in anonymous.access_log.since(mark)]
        assert len(requests) == len(set(requests)) == 5 * (1 + 3 + 1)
        assert sum(method == "GET" for method, _ in requests) == gets


def test_logins_work(project: Project, htpasswd: RegistryServer) -> None:
    repository = new_repository(htpasswd)
    home = Project(folder=project.folder, environment=htpasswd.environment)
    _lock(home, repository)
    assert home.run("verify", "--blobs", "--no-cache") == Outcome(0, "", _FINE)
    assert home.run("verify", "--anonymous", "--no-cache").exit_code == 2


def test_a_registry_that_is_down_is_no_dead_digest(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    text = (project.folder / "images.toml").read_text()
    for name in ("images.toml", "images.lock"):
        path = project.folder / name
        path.write_text(path.read_text().replace(repository.registry.address, "127.0.0.1:9"))
    assert text != (project.folder / "images.toml").read_text()
    lock = project.lock_path.read_text()
    project.lock_path.write_text("".join(f"{line}\n" for line in lock.splitlines() if not line.startswith("checksum")))
    outcome = project.run("verify")
    assert outcome.exit_code == 3
    assert "gone" not in outcome.stdout

"""What goes wrong is told whole, at once, with an exit code that a script can act on; the lock stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.processes import free_port
from tests.support.project import Outcome, Project
from tests.support.real_software import new_project, new_repository
from tests.support.registry_server import RegistryServer, anonymous_registry
from tests.support.remote_repository import RemoteRepository

_IMAGE = multi_platform_image("linux/amd64", "linux/arm64")


def test_three_failures_among_ten_are_all_listed(registry: RegistryServer, tmp_path: Path) -> None:
    good = {f"good{number}": new_repository(registry).push(_IMAGE) for number in range(7)}
    project = new_project(tmp_path, registry)
    project.declare(good, platforms=("linux/amd64", "linux/arm64"))
    project.run("lock")
    before = project.lock_bytes
    no_tag, no_repository, no_platform = (new_repository(registry) for _ in range(3))
    no_tag.push(_IMAGE)
    no_platform.push(multi_platform_image("linux/amd64", "linux/s390x"))
    bad = {"bad1": f"{no_tag}:none", "bad2": f"{no_repository}:1", "bad3": f"{no_platform}:1"}
    project.declare(good | bad, platforms=("linux/amd64", "linux/arm64"))
    outcome = project.run("lock")
    assert (outcome.exit_code, outcome.stdout, project.lock_bytes) == (2, "", before)
    assert outcome.stderr == (
        "error: cannot lock 3 of 10 images; images.lock is unchanged\n"
        f"  bad1: {no_tag}:none does not exist\n"
        f"    {registry.address} answered 404\n"
        "    it said: MANIFEST_UNKNOWN: manifest unknown\n"
        f"  bad2: {no_repository}:1 does not exist\n"
        f"    {registry.address} answered 404\n"
        "    it said: MANIFEST_UNKNOWN: manifest unknown\n"
        f"  bad3: {no_platform}:1 has no linux/arm64 (it has: linux/amd64, linux/s390x)\n"
        f"\nhint: run `imagelock tags {no_tag}` to list its tags (bad1)\n"
        f"hint: run `imagelock tags {no_repository}` to list its tags (bad2)\n"
        'hint: set `platforms = ["linux/amd64"]` for this image in images.toml (bad3)\n'
    )


@pytest.mark.usefixtures("registry_programs")
def test_a_registry_that_is_gone_may_come_back(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with anonymous_registry(tmp_path / "registry") as registry:
        repository = RemoteRepository(registry=registry, path="tests/app")
        project = new_project(tmp_path, registry)
        project.declare({"app": repository.push(_IMAGE)})
        project.run("lock")
    before = project.lock_bytes
    outcome = project.run("update")
    assert (outcome.exit_code, outcome.stdout, project.lock_bytes) == (3, "", before)
    assert outcome.stderr.startswith("error: cannot lock `app`: ")
    assert project.run("lock") == Outcome(0, "", "1 image already locked\n")


def test_trying_again_is_no_remedy_if_one_failure_stays(project: Project, repository: RemoteRepository) -> None:
    repository.push(_IMAGE)
    gone = f"127.0.0.1:{free_port()}"
    project.declare({"gone": f"{gone}/tests/app:1"})
    assert project.run("lock").exit_code == 3
    project.declare({"gone": f"{gone}/tests/app:1", "missing": f"{repository}:none"})
    outcome = project.run("lock")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("error: cannot lock 2 of 2 images; images.lock is unchanged\n  gone: ")
    assert not project.lock_path.exists()


def test_offline_says_which_image_would_need_the_network(project: Project) -> None:
    project.declare({"app": "registry.example/app:1"})
    outcome = project.run("--offline", "lock")
    assert (outcome.exit_code, project.lock_path.exists()) == (2, False)
    assert outcome.stderr == (
        "error: cannot lock `app`: registry.example/app cannot be asked: offline mode is on\n"
        "  images.lock is unchanged\n\n"
        "hint: leave out `--offline`, "
        "or let an OCI layout answer: `mirrors` and `mirrors-resolve-tags` in [registries]\n"
    )


def test_a_lockfile_of_another_tool_is_never_overwritten(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_IMAGE)})
    for foreign in ('{"alpine": {"imageDigest": "sha256:0"}}\n', "images:\n- chart: wordpress\n"):
        project.lock_path.write_text(foreign)
        outcome = project.run("lock")
        assert outcome.exit_code == 2
        assert outcome.stderr.startswith("error: images.lock ")
        assert project.lock_path.read_text() == foreign


def test_an_edited_lock_is_led_back_to_what_the_registry_serves(registry: RegistryServer, tmp_path: Path) -> None:
    project = new_project(tmp_path, registry)
    project.declare({"app": new_repository(registry).push(_IMAGE)})
    project.run("lock")
    before = project.lock_bytes
    project.lock_path.write_bytes(before.replace(_IMAGE.digest.encode(), b"sha256:" + b"0" * 64))
    outcome = project.run("lock")
    assert (outcome.exit_code, outcome.stderr.splitlines()[-1]) == (2, "hint: run `imagelock update app`")
    assert project.run("update", "app").exit_code == 0
    assert project.lock_bytes == before

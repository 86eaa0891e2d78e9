"""Builds on a real Docker engine around a mirror: without network from the lock alone, and what they attest."""

from __future__ import annotations

import json
import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.docker_engine import DockerEngine
from tests.support.host_shell import host_platform, shell_files
from tests.support.oci_images import DOCKER, OCI, Content, MediaTypes, image_index, platform_image
from tests.support.project import Project
from tests.support.real_software import NewFolder, new_hub_repository, new_repository
from tests.support.registry_server import RegistryServer, anonymous_registry

_DOCKERFILE = "FROM {image}\nRUN echo built > /etc/built\nFROM scratch\nCOPY --from=0 /etc/who /etc/built /\n"


def _image(who: str, *, family: MediaTypes = OCI) -> Content:
    files = {**shell_files(), "etc/who": f"{who}\n".encode()}
    return image_index(platform_image(host_platform(), files=files, family=family), family=family)


@pytest.mark.parametrize(
    ("spelling", "family"),
    [("{name}:1", OCI), ("{name}:1@{digest}", OCI), ("{name}@{digest}", OCI), ("{name}:1", DOCKER)],
)
def test_a_build_without_network_takes_the_locked_image_from_the_layout(
    engine: DockerEngine, tmp_path: Path, spelling: str, family: MediaTypes
) -> None:
    image = _image("locked", family=family)
    (tmp_path / "registry").mkdir()
    (tmp_path / "project").mkdir()
    with ExitStack() as stack:
        registry = stack.enter_context(anonymous_registry(tmp_path / "registry"))
        repository = new_repository(registry)
        repository.upload(image)
        project = Project(folder=tmp_path / "project", environment=registry.environment)
        project.declare({"base": f"{repository}:1"})
        assert project.run("lock").exit_code == 0
        assert project.run("mirror", "oci:vendor/layout").exit_code == 0
    project.write("Dockerfile", _DOCKERFILE.format(image=spelling.format(name=repository, digest=image.digest)))
    arguments = shlex.split(project.run("export", "build-contexts", "--mirror", "vendor/layout").stdout)
    assert engine.build(project.folder).exit_code != 0
    built = engine.build(project.folder, *arguments)
    assert (built.exit_code, built.files) == (0, {"who": "locked", "built": "built"}), built.error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A project whose lock has one image of Docker Hub, from which an application is built and pushed."""

    engine: DockerEngine
    project: Project
    registry: RegistryServer
    name: str
    other: str

    def build(self, dockerfile: str, *options: str) -> str:
        """Build and push with attestations; returns the reference."""
        reference = f"{new_repository(self.registry)}:1"
        self.project.write("Dockerfile", dockerfile)
        command = ["docker", "buildx", "build", "--no-cache", f"--output=type=image,name={reference},push=true"]
        done = self.engine.run(*command, *options, ".", cwd=self.project.folder)
        assert done.returncode == 0, done.stderr
        return reference


@pytest.fixture(scope="module")
def scene(engine: DockerEngine, new_folder: NewFolder, anonymous: RegistryServer) -> _Scene:
    repository, other = new_hub_repository(anonymous), new_hub_repository(anonymous)
    repository.upload(_image("locked"))
    repository.upload(_image("moved"), tag="moved")
    other.upload(_image("other"))
    name = repository.path.removeprefix("library/")
    folder = new_folder("provenance")
    project = Project(folder=folder, environment=anonymous.environment)
    mirror = f'[registries."docker.io"]\nmirrors = ["{anonymous.address}"]\nmirrors-resolve-tags = true\n'
    project.write("images.toml", f'[images]\nbase = "{name}:1"\n{mirror}')
    assert project.run("lock").exit_code == 0
    return _Scene(
        engine=engine,
        project=project,
        registry=anonymous,
        name=name,
        other=other.path.removeprefix("library/"),
    )


_BUILT = "FROM {image}\nCOPY --from={image} /etc/who /copy\n"


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("spelling", ["{name}:1", "{name}:1@{digest}", "{name}@{digest}", "{name}@{platform}"])
def test_what_was_built_from_the_lock_is_told_to_be(scene: _Scene, spelling: str, mode: str) -> None:
    locked = scene.project.locked["base"]
    platforms = locked["platforms"]
    assert isinstance(platforms, dict)
    text = spelling.format(name=scene.name, digest=locked["digest"], platform=platforms[host_platform()])
    reference = scene.build(_BUILT.format(image=text), f"--provenance=mode={mode}")
    outcome = scene.project.run("provenance", reference)
    assert outcome.exit_code == 0, outcome.stdout + outcome.stderr
    assert f"  {host_platform()}  yes\n" in outcome.stdout


def test_what_was_built_from_a_mirror_is_told_to_be_from_the_lock(scene: _Scene) -> None:
    assert scene.project.run("mirror", "oci:vendor/layout", "--no-signatures").exit_code == 0
    arguments = shlex.split(scene.project.run("export", "build-contexts", "--mirror", "vendor/layout").stdout)
    reference = scene.build(_BUILT.format(image=f"{scene.name}:1"), "--provenance=mode=max", *arguments)
    outcome = scene.project.run("provenance", reference)
    assert outcome.exit_code == 0, outcome.stdout + outcome.stderr
    assert "yes: the locked index of base" in outcome.stdout


def test_what_was_built_from_a_moved_tag_is_told_with_both_digests(scene: _Scene) -> None:
    reference = scene.build(_BUILT.format(image=f"{scene.name}:moved"), "--provenance=mode=min")
    outcome = scene.project.run("provenance", "--format", "json", reference)
    assert outcome.exit_code == 1
    [platform] = json.loads(outcome.stdout)["images"][0]["platforms"]
    [base] = platform["bases"]
    assert (platform["verdict"], base["origin"], base["digest"]) == ("no", "other-digest", _image("moved").digest)
    assert base["locked"][0]["digest"] == scene.project.locked["base"]["digest"]


def test_an_image_that_is_not_locked_is_told(scene: _Scene) -> None:
    reference = scene.build(f"FROM {scene.name}:1\nCOPY --from={scene.other}:1 /etc/who /copy\n", "--provenance=true")
    outcome = scene.project.run("provenance", reference)
    assert outcome.exit_code == 1
    assert f"docker.io/library/{scene.other}:1" in outcome.stdout


def test_without_attestation_nothing_is_said(scene: _Scene) -> None:
    reference = scene.build(_BUILT.format(image=f"{scene.name}:1"), "--provenance=false")
    assert scene.project.run("provenance", reference).exit_code == 2


def test_a_mirror_keeps_attestations(scene: _Scene, tmp_path: Path) -> None:
    reference = scene.build(_BUILT.format(image=f"{scene.name}:1"), "--provenance=mode=max")
    text = (scene.project.folder / "images.toml").read_text()
    scene.project.write("images.toml", text.replace("[images]\n", f'[images]\napp = "{reference}"\n'))
    try:
        assert scene.project.run("lock").exit_code == 0
        assert scene.project.run("mirror", f"oci:{tmp_path / 'layout'}", "app").exit_code == 0
        for image in (f"oci:{tmp_path / 'layout'}", f"oci:{tmp_path / 'layout'}:{reference}"):
            assert scene.project.run("provenance", "--offline", image).exit_code == 0
    finally:
        scene.project.write("images.toml", text)
        assert scene.project.run("lock").exit_code == 0

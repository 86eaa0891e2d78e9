"""Exports that a client reads beside a file, on the real client: buildx, bake, compose, kustomize, a shell."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.docker_engine import Build, DockerEngine, built
from tests.support.host_shell import host_platform, shell_files
from tests.support.oci_images import Content, image_index, platform_image, with_configuration
from tests.support.processes import run
from tests.support.project import Project
from tests.support.real_software import NewFolder, new_hub_repository, new_project, require_programs
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_END = "FROM scratch\nCOPY --from=0 /etc/who /etc/variable /\n"
_STEP = "RUN echo $WHO > /etc/variable\n"
_LOCKED = {"who": "locked", "variable": "locked"}
_READ = "RUN --mount=from=$NAME:1,target=/m read a < /m/etc/who; echo $a > /etc/who\n"
_SPELLINGS = {
    "tag": f"FROM $NAME:1\n{_STEP}{_END}",
    "long spelling": f"FROM docker.io/library/$NAME:1\n{_STEP}{_END}",
    "variable": f"ARG V=1\nFROM $NAME:${{V}}\n{_STEP}{_END}",
    "copy": f"FROM $NAME@$LOCKED\n{_STEP}COPY --from=$NAME:1 /etc/who /etc/who\n{_END}",
    "mount": f"FROM $NAME@$LOCKED\n{_STEP}{_READ}{_END}",
    "latest": f"FROM $NAME\n{_STEP}{_END}",
    "latest, spelled": f"FROM $NAME:latest\n{_STEP}{_END}",
    "tag and digest": f"FROM $NAME:1@$LOCKED\n{_STEP}{_END}",
    "digest": f"FROM $NAME@$LOCKED\n{_STEP}{_END}",
}


def _image(who: str) -> Content:
    image = platform_image(host_platform(), files={**shell_files(), "etc/who": f"{who}\n".encode()})
    return image_index(with_configuration(image, {"Env": ["PATH=/usr/bin:/bin", f"WHO={who}"]}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Two tags of one repository are locked, and both have moved."""

    engine: DockerEngine
    project: Project
    name: str
    locked: Content

    def write(self, name: str, text: str) -> None:
        self.project.write(name, text.replace("$NAME", self.name).replace("$LOCKED", self.locked.digest))

    def export(self, *arguments: str) -> str:
        outcome = self.project.run("export", *arguments)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome.stdout

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self.engine.run(*command, cwd=self.project.folder)

    def bake(self, *files: str) -> Build:
        options = ["--no-cache", "--set=*.output=type=local,dest=out", *(f"--file={file}" for file in files)]
        done = self.run("docker", "buildx", "bake", *options)
        return built(done, self.project.folder / "out")


@pytest.fixture(scope="module")
def scene(engine: DockerEngine, new_folder: NewFolder, anonymous: RegistryServer) -> _Scene:
    repository = new_hub_repository(anonymous)
    locked, moved = _image("locked"), _image("moved")
    project = new_project(new_folder("overrides"), anonymous)
    name = repository.path.removeprefix("library/")
    mirror = f'[registries."docker.io"]\nmirrors = ["{anonymous.address}"]\nmirrors-resolve-tags = true\n'
    only = f"{name}@{locked.digest}"
    project.write("images.toml", f'[images]\none = "{name}:1"\nnewest = "{name}"\nonly = "{only}"\n{mirror}')
    repository.upload_many(locked, tags=("1", "latest"))
    assert project.run("lock").exit_code == 0
    repository.upload_many(moved, tags=("1", "latest"))
    return _Scene(engine=engine, project=project, name=name, locked=locked)


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_named_contexts_build_the_locked_image_though_the_tag_moved(scene: _Scene, spelling: str) -> None:
    scene.write("Dockerfile", _SPELLINGS[spelling])
    arguments = scene.export("build-contexts").split()
    assert scene.engine.build(scene.project.folder, *arguments).files == _LOCKED


def test_without_them_the_moved_image_is_built(scene: _Scene) -> None:
    scene.write("Dockerfile", _SPELLINGS["tag"])
    assert scene.engine.build(scene.project.folder).files["who"] == "moved"


def test_named_contexts_pass_the_strict_policy(scene: _Scene) -> None:
    scene.write("Dockerfile", _SPELLINGS["tag"])
    scene.project.write("policy.json", scene.export("buildkit-policy"))
    build = scene.engine.build(
        scene.project.folder, *scene.export("build-contexts").split(), policy=scene.project.folder / "policy.json"
    )
    assert build.files == _LOCKED


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_a_target_of_bake_inherits_the_locked_images(scene: _Scene, spelling: str) -> None:
    scene.write("Dockerfile", _SPELLINGS[spelling].replace("RUN ", "RUN --network=none "))
    scene.project.write("docker-bake.hcl", 'target "default" {\n  inherits = ["_imagelock"]\n}\n')
    scene.project.write("images.bake.json", scene.export("bake"))
    assert scene.bake("docker-bake.hcl", "images.bake.json").files == _LOCKED
    printed = json.loads(scene.run("docker", "buildx", "bake", "-f", "images.bake.json", "--print").stdout or "{}")
    assert "_imagelock" not in printed.get("target", {})


_COMPOSE = """\
services:
  web:
    build: .
    image: example.com/web:dev
  run:
    image: $NAME:1
  newest:
    image: docker.io/library/$NAME
    profiles: [extra]
  extended:
    extends: {service: run}
  other:
    image: other:7
"""


def test_compose_takes_the_override(scene: _Scene) -> None:
    scene.write("compose.yaml", _COMPOSE)
    scene.write("Dockerfile", _SPELLINGS["variable"].replace("RUN ", "RUN --network=none "))
    scene.project.write("lock.yaml", scene.export("compose", "--from", "compose.yaml"))
    files = ("-f", "compose.yaml", "-f", "lock.yaml", "--profile", "extra")
    merged = json.loads(scene.run("docker", "compose", *files, "config", "--format", "json").stdout)
    images = {name: service.get("image") for name, service in merged["services"].items()}
    digest = scene.locked.digest
    assert images == {
        "web": "example.com/web:dev",
        "run": f"{scene.name}:1@{digest}",
        "newest": f"docker.io/library/{scene.name}@{digest}",
        "extended": f"{scene.name}:1@{digest}",
        "other": "other:7",
    }
    assert [name for name, service in merged["services"].items() if "build" in service] == ["web"]
    scene.project.write("bake.json", scene.run("docker", "compose", *files, "build", "--print").stdout)
    assert scene.bake("bake.json").files == _LOCKED


def test_compose_pulls_what_the_override_names(scene: _Scene) -> None:
    scene.write("compose.yaml", _COMPOSE.replace("  other:\n    image: other:7\n", ""))
    scene.project.write("lock.yaml", scene.export("compose", "--from", "compose.yaml"))
    done = scene.run("docker", "compose", "-f", "compose.yaml", "-f", "lock.yaml", "pull", "run")
    assert done.returncode == 0, done.stderr
    digests = scene.run("docker", "image", "inspect", f"{scene.name}:1@{scene.locked.digest}")
    assert digests.returncode == 0


def test_compose_and_a_shell_read_the_variables(scene: _Scene) -> None:
    scene.project.write("images.env", scene.export("env"))
    scene.project.write("variables.yaml", "services:\n  run:\n    image: ${IMAGE_ONE:?}\n")
    files = ("--env-file", "images.env", "-f", "variables.yaml")
    assert (
        scene.run("docker", "compose", *files, "config", "--images").stdout == f"{scene.name}:1@{scene.locked.digest}\n"
    )
    shell = scene.run("sh", "-euc", ". ./images.env; echo $IMAGE_NEWEST")
    assert shell.stdout == f"{scene.name}:latest@{scene.locked.digest}\n"


def test_a_mirror_builds_without_the_registry(scene: _Scene, repository: RemoteRepository, tmp_path: Path) -> None:
    """The image is gone from its registry, and only an OCI layout has it; the policy is the strict one."""
    require_programs("skopeo")
    image = _image("mirrored")
    repository.upload(image)
    project = scene.project
    project.write("mirrored/images.toml", f'[images]\nbase = "{repository}:1"\n')
    options = ("--file", "mirrored/images.toml")
    assert project.run("lock", *options).exit_code == 0
    layout = tmp_path / "mirror"
    source = f"docker://{repository}@{image.digest}"
    run(["skopeo", "copy", "--all", "--quiet", "--src-tls-verify=false", source, f"oci:{layout}:{repository}:1"])
    repository.delete(image.digest)
    project.write("Dockerfile", f"FROM {repository}:1\n{_STEP}{_END}")
    assert scene.engine.build(project.folder).exit_code == 1
    arguments = scene.export("build-contexts", *options, "--mirror", str(layout)).split()
    project.write("policy.json", scene.export("buildkit-policy", *options))
    for reference in (f"{repository}:1", f"{repository}:1@{image.digest}", f"{repository}@{image.digest}"):
        project.write("Dockerfile", f"FROM {reference}\n{_STEP}{_END}")
        build = scene.engine.build(project.folder, *arguments, policy=project.folder / "policy.json")
        assert build.files == {"who": "mirrored", "variable": "mirrored"}, build.error


_KUBERNETES = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      initContainers:
      - {name: long, image: "docker.io/library/$NAME:1"}
      containers:
      - {name: tag, image: "$NAME:1"}
      - {name: other, image: "$NAME:2"}
      - {name: short, image: "library/$NAME:1"}
      - {name: elsewhere, image: "127.0.0.1:25500/library/$NAME:1"}
      - {name: newest, image: "$NAME"}
      - {name: stale, image: "$NAME:1@sha256:$ZEROS"}
      - {name: digest, image: "$NAME@sha256:$ZEROS"}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
spec: {image: "$NAME:1", nested: {containers: [{name: nested, image: "$NAME:1"}]}}
"""


def test_kustomize_pins_each_spelling_of_the_locked_tags_and_nothing_else(scene: _Scene) -> None:
    require_programs("kubectl")
    zeros = "0" * 64
    scene.write("deploy/all.yaml", _KUBERNETES.replace("$ZEROS", zeros))
    scene.project.write("deploy/kustomization.yaml", "resources: [all.yaml]\ncomponents: [lock]\n")
    (scene.project.folder / "deploy" / "lock").mkdir()
    scene.export("kustomize", "-o", "deploy/lock/kustomization.yaml")
    output = scene.run("kubectl", "kustomize", "deploy").stdout
    found = [
        line.strip().removeprefix("- ").removeprefix("image: ") for line in output.splitlines() if "image:" in line
    ]
    name, digest = scene.name, scene.locked.digest
    assert found == [
        f"{name}:1@{digest}",
        f"{name}:2",
        f"library/{name}:1@{digest}",
        f"127.0.0.1:25500/library/{name}:1",
        f"{name}:latest@{digest}",
        f"{name}:1@{digest}",
        f"{name}@sha256:{zeros}",
        f"docker.io/library/{name}:1@{digest}",
        f"{name}:1",
        f"{name}:1@{digest}",
    ]

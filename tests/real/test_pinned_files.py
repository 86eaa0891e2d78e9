"""Files that were pinned in place, read by the programs that they are for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.support.buildah import Buildah
from tests.support.host_shell import host_platform, shell_files
from tests.support.oci_images import image_index, platform_image
from tests.support.processes import run
from tests.support.project import Project
from tests.support.real_software import new_repository, require_programs
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_INDEX = image_index(platform_image(host_platform()))

_DOCKERFILE = """\
ARG BASE={base}:1
ARG TOOLS={builder}
FROM --platform=$BUILDPLATFORM "{builder}:1" \\
    # a comment inside of the instruction
    AS build
RUN echo built > /result
FROM ${{TOOLS}}:1 AS again
FROM $BASE
COPY --from=build /result /result
COPY --from={extra}:1 /etc/platform /extra
"""

_COMPOSE = """\
x-common: &common
  image: &image "{image}"   # kept
services:
  web:
    <<: *common
    ports: ["80:80"]
  worker: {{image: {image}, command: [run]}}
  built:
    build:
      context: .
      dockerfile_inline: |
        FROM {image}
        RUN true
      additional_contexts:
        base: docker-image://{image}
    image: registry.example.com/ours:1
"""

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      initContainers:
      - {{name: first, image: '{image}'}}
      containers:
      - name: web
        image: {image}
"""

_POD_IN_A_LIST = """\
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {{name: one}}
  spec:
    containers:
    - name: one
      image: "{image}"
"""


def test_buildah_builds_a_pinned_dockerfile_of_many_stages(
    project: Project, anonymous: RegistryServer, buildah: Buildah
) -> None:
    builder, base, extra = (new_repository(anonymous) for _ in range(3))
    builder_index = image_index(platform_image(host_platform(), files=shell_files()))
    images = {"builder": builder.push(builder_index), "base": base.push(_INDEX), "extra": extra.push(_INDEX)}
    dockerfile = _pin(project, images, "Dockerfile", _DOCKERFILE.format(builder=builder, base=base, extra=extra))
    for repository in (builder, base, extra):
        repository.push(image_index(platform_image(host_platform(), files={"moved": b""})))
    assert dockerfile.read_text().count("@sha256:") == 4
    image = buildah.build(project.folder, registry=anonymous)
    assert buildah.read_file(image, "/result") == b"built\n"
    assert buildah.read_file(image, "/extra") == f"{host_platform()}\n".encode()
    _assert_idempotent_and_reversible(project, dockerfile)


def test_hadolint_reads_a_pinned_dockerfile(project: Project, repository: RemoteRepository) -> None:
    require_programs("hadolint")
    image = repository.push(_INDEX)
    text = f"FROM {image} AS build\nFROM {image}\nCOPY --from=build /etc/platform /platform\n"
    dockerfile = _pin(project, {"app": image}, "Dockerfile", text)
    assert json.loads(run(["hadolint", "--format", "json", str(dockerfile)])) == []


def test_only_the_images_of_a_compose_file_change(project: Project, repository: RemoteRepository) -> None:
    image = repository.push(_INDEX)
    text = _COMPOSE.format(image=image)
    path = _pin(project, {"app": image}, "compose.yaml", text)
    pinned = f"{image}@{_INDEX.digest}"
    assert _scalars(yaml.safe_load(path.read_text())) == [
        scalar.replace(image, pinned) for scalar in _scalars(yaml.safe_load(text))
    ]
    assert path.read_text() == text.replace(image, pinned)
    _assert_idempotent_and_reversible(project, path)


def test_kubectl_reads_pinned_files(project: Project, repository: RemoteRepository) -> None:
    """By a command that needs no cluster: even `create --dry-run=client` asks one which kinds there are."""
    require_programs("kubectl")
    image = repository.push(_INDEX)
    path = _pin(project, {"app": image}, "k8s/web.yaml", (_DEPLOYMENT + _POD_IN_A_LIST).format(image=image))
    command = ["kubectl", "annotate", "--local", "--output=json", "--filename", str(path), "read=yes"]
    assert _images(_documents(run(command).decode())) == [f"{image}@{_INDEX.digest}"] * 3
    _assert_idempotent_and_reversible(project, path)


def test_kustomize_builds_from_pinned_files(project: Project, repository: RemoteRepository) -> None:
    require_programs("kubectl")
    image = repository.push(_INDEX)
    (project.folder / "k8s").mkdir()
    (project.folder / "k8s" / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    _pin(project, {"app": image}, "k8s/web.yaml", _DEPLOYMENT.format(image=image))
    built = run(["kubectl", "kustomize", str(project.folder / "k8s")]).decode()
    assert _images(list(yaml.safe_load_all(built))) == [f"{image}@{_INDEX.digest}"] * 2


def test_the_digest_of_a_kustomization_reaches_what_kustomize_builds(
    project: Project, repository: RemoteRepository
) -> None:
    require_programs("kubectl")
    image = repository.push(_INDEX)
    (project.folder / "k8s").mkdir()
    (project.folder / "k8s" / "web.yaml").write_text(_DEPLOYMENT.format(image="app"))
    old = f"sha256:{'0' * 64}"
    text = f'resources: [web.yaml]\nimages:\n- name: app\n  newName: {repository}\n  newTag: "1"\n  digest: {old}\n'
    _pin(project, {"app": image}, "k8s/kustomization.yaml", text)
    built = run(["kubectl", "kustomize", str(project.folder / "k8s")]).decode()
    images = _images(list(yaml.safe_load_all(built)))
    # Old versions leave the tag out where there is a digest.
    assert {each.replace(":1@", "@") for each in images} == {f"{repository}@{_INDEX.digest}"}


def test_a_pinned_file_follows_its_range(project: Project, repository: RemoteRepository) -> None:
    (project.folder / "images.toml").write_text(
        f'[images.app]\nimage = "{repository}"\nversion = ">=1.0,<2"\n\n[pin]\nfiles = ["Dockerfile"]\n'
    )
    first = repository.push(_INDEX, tag="1.0")
    dockerfile = project.folder / "Dockerfile"
    dockerfile.write_text(f"FROM {first}\n")
    assert project.run("lock").exit_code == 0
    assert project.run("render").exit_code == 0
    assert dockerfile.read_text() == f"FROM {first}@{_INDEX.digest}\n"
    newer = image_index(platform_image(host_platform(), files={"newer": b""}))
    second = repository.push(newer, tag="1.1")
    assert project.run("update").exit_code == 0
    assert project.run("check").stderr == (
        "error: 1 reference not as locked\n"
        f"  Dockerfile:1:6: {first}@sha256:{_INDEX.digest[7:19]}: its range gives `1.1` now\n\n"
        "hint: run `imagelock render`\n"
    )
    assert project.run("render").exit_code == 0
    assert dockerfile.read_text() == f"FROM {second}@{newer.digest}\n"
    assert project.run("check").exit_code == 0


def _pin(project: Project, images: dict[str, str], name: str, text: str) -> Path:
    path = project.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    project.declare(images)
    with (project.folder / "images.toml").open("a") as file:
        file.write(f'[pin]\nfiles = ["{name}"]\n')
    assert project.run("lock").exit_code == 0
    assert project.run("render").stderr == f"Rendered 1 of 1 file\nPinned {name}\n"
    assert project.run("check").exit_code == 0
    return path


def _assert_idempotent_and_reversible(project: Project, path: Path) -> None:
    pinned = path.read_bytes()
    assert project.run("render").stderr == "1 file already rendered\n"
    assert path.read_bytes() == pinned
    assert project.run("unpin", str(path)).exit_code == 0
    unpinned = path.read_bytes()
    assert unpinned != pinned
    assert b"@sha256" not in unpinned
    assert project.run("check").exit_code == 1
    assert project.run("render").exit_code == 0
    assert path.read_bytes() == pinned


def _scalars(node: Any) -> list[str]:  # noqa: ANN401  what YAML has
    if isinstance(node, dict):
        return [scalar for pair in node.items() for each in pair for scalar in _scalars(each)]
    if isinstance(node, list):
        return [scalar for each in node for scalar in _scalars(each)]
    return [str(node)]


def _documents(text: str) -> list[Any]:
    """Parse JSON documents that follow each other, as kubectl writes them."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while position < len(text.rstrip()):
        document, end = decoder.raw_decode(text, position)
        found.append(document)
        position = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def _images(node: Any) -> list[str]:  # noqa: ANN401  what JSON has
    if isinstance(node, list):
        return [image for each in node for image in _images(each)]
    if not isinstance(node, dict):
        return []
    own = [node["image"]] if isinstance(node.get("image"), str) else []
    return own + [image for each in node.values() for image in _images(each)]

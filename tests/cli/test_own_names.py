"""Names of images that a repository builds itself: `scan` and `check --all` agree about them."""

from __future__ import annotations

import json

import pytest

from tests.support.project import GO, Outcome, Project

_USER = "apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: '{image}'}}]}}\n"
_BUILDS = [
    ("compose.yaml", "services: {a: {build: ., image: acme/app}}\n", "acme/app:1"),
    ("compose.yaml", "services: {a: {build: {context: ., tags: ['ghcr.io/acme/app:2']}}}\n", "ghcr.io/acme/app:1"),
    ("docker-bake.json", '{"target": {"a": {"tags": ["acme/app:1"]}}}\n', "acme/app:2"),
    ("docker-bake.hcl", 'target "a" { tags = ["acme/app:1"] }\n', "acme/app:2"),
    ("skaffold.yaml", "apiVersion: skaffold/v4\nkind: Config\nbuild: {artifacts: [{image: app}]}\n", "app"),
    (
        ".github/workflows/a.yml",
        "jobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {tags: 'acme/app:1, acme/app:2'}}]}}\n",
        "acme/app",
    ),
]


@pytest.mark.parametrize(("path", "content", "image"), _BUILDS)
def test_what_the_repository_builds_is_external(pinned: Project, path: str, content: str, image: str) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write(path, content)
    pinned.write("pod.yaml", _USER.format(image=image))
    assert pinned.run("check", "--all").exit_code == 0
    scanned = {file["path"]: file for file in json.loads(pinned.run("scan", "--format", "json").stdout)["files"]}
    assert [(each["status"], each["reason"]) for each in scanned["pod.yaml"]["references"]] == [
        ("external", "built by this repository")
    ]
    assert json.loads(pinned.run("scan", "pod.yaml", "--format", "json").stdout)["files"] == [scanned["pod.yaml"]]
    written = json.loads(pinned.run("scan", "pod.yaml", "--write", "--format", "json").stdout)
    assert (written["images"], written["external_names"]) == ([], [image.partition(":")[0]])
    assert pinned.run("check", "--all").exit_code == 0


def test_the_images_of_gitlabs_own_registry_are_external(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write(
        ".gitlab-ci.yml", "a: {image: '$CI_REGISTRY_IMAGE/ci:1'}\nb: {image: '${CI_REGISTRY_IMAGE}:$CI_COMMIT_SHA'}\n"
    )
    assert pinned.run("check", "--all", "--strict").exit_code == 0
    assert "2 external" in pinned.run("scan").stderr


def test_a_declared_image_is_not_external_though_it_is_built_here(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write("compose.yaml", "services: {a: {build: ., image: 'nginx:1.25'}}\n")
    pinned.write("pod.yaml", _USER.format(image="nginx:1.25"))
    outcome = pinned.run("check", "--all")
    assert outcome.exit_code == 1
    assert "pod.yaml:3:30: nginx:1.25: it has no digest" in outcome.stderr


@pytest.mark.parametrize("folder", ["vendor/x", "tests/fixtures"])
def test_what_foreign_folders_build_is_no_reason_to_leave_an_image_bare(pinned: Project, folder: str) -> None:
    pinned.declare_locked('[external]\nfiles = []\n[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write(f"{folder}/compose.yaml", "services: {a: {build: ., image: 'redis:7'}}\n")
    pinned.write("pod.yaml", _USER.format(image="redis:7"))
    assert pinned.run("check", "--all") == Outcome(
        1,
        "",
        "error: 1 reference not as locked\n  pod.yaml:3:30: redis:7: images.lock does not have it\n\n"
        "hint: run `imagelock scan --write`, then `imagelock lock`, then `imagelock render`\n",
    )
    written = json.loads(pinned.run("scan", "--write", "--format", "json").stdout)
    assert written["images"] == [{"name": "redis", "image": "redis:7", "files": ["pod.yaml"]}]

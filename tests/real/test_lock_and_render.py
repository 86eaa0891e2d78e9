"""From images.toml to a built image, through each kind of registry; other programs check each step."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.buildah import Buildah
from tests.support.host_shell import host_platform, shell_files
from tests.support.oci_images import (
    DOCKER,
    IndexEntry,
    attestation_of,
    image_index,
    multi_platform_image,
    platform_digests,
    platform_image,
)
from tests.support.processes import run
from tests.support.project import Project
from tests.support.real_software import new_project, new_repository, require_programs
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_TWO_STAGES = """\
FROM {{images.builder}} AS build
RUN echo built > /result

FROM {{images.base}}
COPY --from=build /result /result
"""


def test_what_is_locked_is_what_other_clients_see(registry: RegistryServer, tmp_path: Path) -> None:
    repository = new_repository(registry)
    platforms = ("linux/amd64", "linux/arm/v7", "linux/arm64")
    repository.push(multi_platform_image(*platforms, family=DOCKER))
    project = new_project(tmp_path, registry)
    project.declare({"app": f"{repository}:1"}, platforms=platforms)
    assert project.run("lock").exit_code == 0
    (entry,) = project.locked.values()
    assert re.fullmatch("[0-9a-f]{16}", str(entry.pop("checksum")))
    assert {"app": entry} == {
        "app": {
            "repository": str(repository),
            "declared": {"tag": "1"},
            "tag": "1",
            "digest": repository.skopeo_digest(),
            "platforms": repository.docker_platform_digests(),
        },
    }


def test_a_rendered_dockerfile_is_built(registry: RegistryServer, buildah: Buildah, tmp_path: Path) -> None:
    builder, base = new_repository(registry), new_repository(registry)
    builder_index = image_index(platform_image(host_platform(), files=shell_files()))
    base_image = platform_image(host_platform())
    base_index = image_index(base_image, attestation_of(base_image))
    project = new_project(tmp_path, registry)
    project.declare(
        {"builder": builder.push(builder_index), "base": base.push(base_index)},
        rendered={"Dockerfile": "Dockerfile.in"},
    )
    (project.folder / "Dockerfile.in").write_text(_TWO_STAGES)
    assert project.run("lock").exit_code == 0
    assert project.run("render").exit_code == 0
    assert (project.folder / "Dockerfile").read_text() == _TWO_STAGES.replace(
        "{{images.builder}}", f"{builder}:1@{builder_index.digest}"
    ).replace("{{images.base}}", f"{base}:1@{base_index.digest}")
    image = buildah.build(project.folder, registry=registry)
    assert buildah.read_file(image, "/result") == b"built\n"
    assert project.run("check").exit_code == 0


def test_a_build_still_gets_the_locked_image_after_its_tag_has_moved(
    project: Project, repository: RemoteRepository, buildah: Buildah
) -> None:
    first, second = (
        image_index(platform_image(host_platform(), files={"version": version})) for version in (b"first", b"second")
    )
    project.declare({"base": repository.push(first)}, rendered={"Dockerfile": "Dockerfile.in"})
    (project.folder / "Dockerfile.in").write_text("FROM {{images.base}}\n")
    project.run("lock")
    repository.push(second)
    project.run("render")
    image = buildah.build(project.folder, registry=repository.registry)
    assert buildah.read_file(image, "/version") == b"first"


def test_platforms_are_matched_by_meaning_and_attestations_left_out(
    project: Project, repository: RemoteRepository
) -> None:
    amd64, arm64, arm = (platform_image(name) for name in ("linux/amd64", "linux/arm64/v8", "linux/arm"))
    index = image_index(amd64, arm64, arm, attestation_of(amd64), attestation_of(arm64))
    project.declare({"app": repository.push(index)})
    project.run("lock")
    assert project.locked["app"]["platforms"] == {
        "linux/amd64": amd64.digest,
        "linux/arm/v7": arm.digest,
        "linux/arm64": arm64.digest,
    }


def test_windows_platforms_carry_their_version(project: Project, repository: RemoteRepository) -> None:
    versions = ("10.0.17763.6414", "10.0.20348.2762")
    old, new = (platform_image("windows/amd64", os_version=version) for version in versions)
    project.declare({"app": repository.push(image_index(old, new))})
    project.run("lock")
    assert list(_locked_platforms(project).values()) == [old.digest, new.digest]
    assert [version for name in _locked_platforms(project) for version in versions if version in name] == [*versions]


def test_the_platform_of_an_image_without_index_is_read_from_its_config(
    project: Project, repository: RemoteRepository
) -> None:
    image = platform_image("linux/arm64/v8").content
    project.declare({"app": repository.push(image)}, platforms=("linux/arm64",))
    project.run("lock")
    assert project.locked["app"]["digest"] == image.digest
    assert _locked_platforms(project) == {"linux/arm64": image.digest}


def test_an_index_in_an_index_is_followed(project: Project, repository: RemoteRepository) -> None:
    inner, s390x = multi_platform_image("linux/amd64", "linux/arm64"), platform_image("linux/s390x")
    outer = image_index(IndexEntry(content=inner), s390x)
    project.declare({"app": repository.upload(outer)})
    project.run("lock")
    assert project.locked["app"]["digest"] == outer.digest
    assert _locked_platforms(project) == {**platform_digests(inner.body), "linux/s390x": s390x.digest}


def test_a_layout_that_skopeo_wrote_locks_as_the_registry_does(project: Project, repository: RemoteRepository) -> None:
    index = multi_platform_image("linux/amd64", "linux/arm64")
    reference = repository.push(index)
    copy = ["skopeo", "copy", "--all", "--preserve-digests", "--quiet", "--src-tls-verify=false"]
    run([*copy, f"docker://{reference}", f"oci:{project.folder / 'layout'}:app"])
    project.declare({"app": "oci:./layout:app"})
    project.run("lock")
    assert project.locked["app"]["digest"] == index.digest
    assert _locked_platforms(project) == platform_digests(index.body)


def test_a_layout_that_umoci_wrote_is_locked(project: Project) -> None:
    require_programs("umoci", "skopeo")
    layout = project.folder / "layout"
    run(["umoci", "init", "--layout", str(layout)])
    run(["umoci", "new", "--image", f"{layout}:app"])
    run(["umoci", "config", "--image", f"{layout}:app", "--architecture", "arm64", "--os", "linux"])
    project.declare({"app": "oci:./layout:app"})
    assert project.run("lock").exit_code == 0
    platforms = list(_locked_platforms(project).items())
    assert platforms == [("linux/arm64", project.locked["app"]["digest"])]


def test_a_login_is_needed_where_the_registry_wants_one(htpasswd: RegistryServer, tmp_path: Path) -> None:
    repository = new_repository(htpasswd)
    reference = repository.push(multi_platform_image("linux/amd64"))
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder=folder, environment={"SSL_CERT_FILE": htpasswd.environment["SSL_CERT_FILE"]})
    project.declare({"app": reference})
    outcome = project.run("lock")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(f"error: cannot lock `app`: {reference} does not exist or needs a login\n")
    assert outcome.stderr.endswith(f"\n\nhint: check the spelling, or run `docker login {htpasswd.address}`\n")
    assert not project.lock_path.exists()


def test_an_unknown_authority_is_not_trusted(htpasswd: RegistryServer, tmp_path: Path) -> None:
    repository = new_repository(htpasswd)
    project = Project(folder=tmp_path, environment={"DOCKER_CONFIG": htpasswd.environment["DOCKER_CONFIG"]})
    project.declare({"app": f"{repository}:1"})
    outcome = project.run("lock")
    assert outcome.exit_code == 2
    assert "certificate" in outcome.stderr


def _locked_platforms(project: Project) -> dict[str, object]:
    platforms = project.locked["app"]["platforms"]
    assert isinstance(platforms, dict)
    return platforms

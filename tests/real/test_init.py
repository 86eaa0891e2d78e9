"""What `init` writes, followed to its end: locked, rendered, checked and built."""

from __future__ import annotations

from tests.support.buildah import Buildah
from tests.support.host_shell import host_platform, shell_files
from tests.support.oci_images import image_index, multi_platform_image, platform_image
from tests.support.project import Project
from tests.support.remote_repository import RemoteRepository

_PLATFORMS = ("linux/amd64", "linux/arm64")


def test_a_digest_that_a_file_has_stays_until_somebody_lets_it_move(
    project: Project, repository: RemoteRepository
) -> None:
    old, new = (multi_platform_image(*_PLATFORMS, note=note) for note in ("old", "new"))
    reference = repository.push(old)
    dockerfile = project.folder / "Dockerfile"
    dockerfile.write_text(f"FROM {reference}@{old.digest}\n")
    repository.push(new)
    assert project.run("init").exit_code == 0
    for command in ("lock", "check"):
        assert project.run(command).exit_code == 0
    images_toml = project.folder / "images.toml"
    images_toml.write_text(images_toml.read_text().replace(f"@{old.digest}", ""))
    assert project.run("lock").exit_code == 0
    (name,) = project.locked
    assert project.locked[name]["digest"] == old.digest
    assert project.run("check").exit_code == 0
    assert project.run("update").exit_code == 0
    assert project.run("render").exit_code == 0
    assert dockerfile.read_text() == f"FROM {reference}@{new.digest}\n"


def test_a_template_that_init_made_is_locked_rendered_and_built(
    project: Project, repository: RemoteRepository, buildah: Buildah
) -> None:
    index = image_index(platform_image(host_platform(), files=shell_files()))
    reference = repository.push(index)
    dockerfile = project.folder / "Dockerfile"
    content = f"ARG BASE={reference}\nFROM {reference} AS build\nRUN echo built > /result\n\nFROM $BASE\n"
    dockerfile.write_text(f"{content}COPY --from=build /result /result\n")
    init = project.run("init", "--template", "Dockerfile", "--platform", host_platform())
    assert init.exit_code == 0
    assert project.run("lock").exit_code == 0
    assert project.run("render").exit_code == 0
    pinned = content.replace(reference, f"{reference}@{index.digest}")
    assert dockerfile.read_text() == f"{pinned}COPY --from=build /result /result\n"
    image = buildah.build(project.folder, registry=repository.registry)
    assert buildah.read_file(image, "/result") == b"built\n"
    assert project.run("check").exit_code == 0

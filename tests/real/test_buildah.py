"""A two-stage build from images pinned by digest works here, so that the tests of `render` may rely on it."""

from __future__ import annotations

from pathlib import Path

from tests.support.buildah import Buildah
from tests.support.host_shell import host_platform, shell_files
from tests.support.oci_images import image_index, platform_image
from tests.support.real_software import new_repository
from tests.support.registry_server import RegistryServer


def test_buildah_builds_two_stages_from_images_pinned_by_digest(
    registry: RegistryServer,
    buildah: Buildah,
    tmp_path: Path,
) -> None:
    builder, base = new_repository(registry), new_repository(registry)
    builder_index = image_index(platform_image(host_platform(), files=shell_files()))
    base_index = image_index(platform_image(host_platform()))
    builder.push(builder_index)
    base.push(base_index)
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builder}:1@{builder_index.digest} AS build\n"
        "RUN echo built > /result\n"
        f"FROM {base}:1@{base_index.digest}\n"
        "COPY --from=build /result /result\n",
    )
    image = buildah.build(tmp_path, registry=registry)
    assert buildah.read_file(image, "/result") == b"built\n"
    assert buildah.read_file(image, "/etc/platform") == f"{host_platform()}\n".encode()

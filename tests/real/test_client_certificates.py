"""A registry that opens to those alone who show a certificate, as companies run them."""

from __future__ import annotations

from pathlib import Path

from tests.support.oci_images import multi_platform_image
from tests.support.project import Project
from tests.support.real_software import NewFolder
from tests.support.registry_server import anonymous_registry, client_certificate_registry
from tests.support.remote_repository import RemoteRepository


def test_the_certificate_in_certs_d_is_shown_to_its_registry(new_folder: NewFolder, tmp_path: Path) -> None:
    servers = new_folder("client-certificates")
    image = multi_platform_image("linux/amd64")
    with anonymous_registry(servers) as open_registry:
        RemoteRepository(registry=open_registry, path="team/app").push(image)
    (tmp_path / "project").mkdir()
    project = Project(folder=tmp_path / "project")
    with client_certificate_registry(servers) as (address, certificates):
        project.declare({"app": f"{address}/team/app:1"})
        assert project.run("lock").exit_code != 0
        certificates.write(tmp_path / "home" / ".config" / "containers" / "certs.d" / address)
        assert project.run("lock").exit_code == 0
    assert project.locked["app"]["digest"] == image.digest

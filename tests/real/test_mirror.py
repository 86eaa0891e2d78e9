"""``imagelock mirror`` from real registries, read by skopeo and by the commands that an air gap leaves."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.attestations import attestation, dependency, statement
from tests.support.docker_engine import UNPACKED_ENGINE
from tests.support.layers import gzip_stored, tar_of
from tests.support.oci_images import Content, image_index, multi_platform_image, platform_image, sha256
from tests.support.processes import run
from tests.support.project import Outcome, Project
from tests.support.real_software import new_repository, require_engine
from tests.support.registry_server import RegistryServer, anonymous_registry
from tests.support.remote_repository import RemoteRepository
from tests.support.upload import upload

_TWO = ("linux/amd64", "linux/arm64")
_USAGE_OF = Path(__file__).parents[2] / "benchmarks/network/usage_of.py"


def _attested(*base: Content) -> Content:
    """Two platforms with attestations; those of an image that was built from another one say so."""
    images = [platform_image(platform, files={"note": b"app" * len(base)}) for platform in _TWO]
    used = [dependency("pkg:docker/base@1?platform=linux%2Famd64", image.digest) for image in base]
    attestations = [attestation(image, statement(used, subjects=[image.digest])) for image in images]
    return image_index(*images, *attestations)


def _bodies(*images: Content) -> dict[str, bytes]:
    return {content.digest: content.body for image in images for content in image.walk()}


def _blobs(layout: Path) -> dict[str, bytes]:
    return {f"sha256:{path.name}": path.read_bytes() for path in layout.glob("blobs/sha256/*")}


def _names(layout: Path) -> dict[str, str]:
    index = json.loads((layout / "index.json").read_text())
    return {entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"] for entry in index["manifests"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A project with two locked images; ``layout`` is where they are mirrored to."""

    project: Project
    base: RemoteRepository
    app: RemoteRepository
    base_image: Content
    app_image: Content

    @property
    def layout(self) -> Path:
        return self.project.folder / "vendor/layout"

    def mirror(self, *arguments: str) -> Outcome:
        outcome = self.project.run("mirror", "oci:vendor/layout", *arguments)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome


def _make_scene(registry: RegistryServer, project: Project) -> _Scene:
    base, app = new_repository(registry), new_repository(registry)
    base_image = _attested()
    app_image = _attested(base_image)
    for repository, image in ((base, base_image), (app, app_image)):
        repository.push(image)
    project.declare({"base": f"{base}:1", "app": f"{app}:1"})
    assert project.run("lock").exit_code == 0
    return _Scene(project=project, base=base, app=app, base_image=base_image, app_image=app_image)


@pytest.fixture
def scene(anonymous: RegistryServer, project: Project) -> _Scene:
    return _make_scene(anonymous, project)


def test_every_byte_arrives_under_canonical_names(scene: _Scene) -> None:
    scene.mirror()
    assert _blobs(scene.layout) == _bodies(scene.base_image, scene.app_image)
    assert _names(scene.layout) == {
        f"{scene.base}:1": scene.base_image.digest,
        f"{scene.app}:1": scene.app_image.digest,
    }


def test_skopeo_reads_the_layout_and_puts_it_back(scene: _Scene, anonymous: RegistryServer) -> None:
    scene.mirror()
    name = f"oci:{scene.layout}:{scene.app}:1"
    assert sha256(run(["skopeo", "inspect", "--raw", name])) == scene.app_image.digest
    copy = new_repository(anonymous)
    run(["skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", name, f"docker://{copy}:1"])
    assert copy.skopeo_digest() == scene.app_image.digest


def test_umoci_lists_the_names(scene: _Scene) -> None:
    scene.mirror()
    listed = run(["umoci", "ls", "--layout", str(scene.layout)]).decode().split()
    assert sorted(listed) == sorted([f"{scene.base}:1", f"{scene.app}:1"])


def test_nothing_is_fetched_twice_and_a_second_run_fetches_nothing(scene: _Scene) -> None:
    log = scene.base.registry.access_log
    mark = log.mark()
    scene.mirror("--no-cache")
    paths = [request.path for request in log.since(mark) if request.status == 200]
    assert len(paths) == len(set(paths))
    blobs = {path.rpartition("/")[2] for path in paths if "/blobs/" in path}
    assert blobs == {
        each.digest for image in (scene.base_image, scene.app_image) for each in image.walk() if each.is_blob
    }
    mark = log.mark()
    scene.mirror("--no-cache")
    content = [request for request in log.since(mark) if request.status == 200 and "/tags/list" not in request.path]
    assert content == []


def test_logins_and_tls_work(registry: RegistryServer, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    scene = _make_scene(registry, Project(folder=tmp_path / "project", environment=registry.environment))
    scene.mirror("--no-cache")
    assert _blobs(scene.layout) == _bodies(scene.base_image, scene.app_image)


def test_what_the_registry_lost_is_an_error_that_names_it(scene: _Scene) -> None:
    scene.app.delete(scene.app_image.children[1].digest)
    outcome = scene.project.run("mirror", "oci:vendor/layout", "--no-cache")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"error: cannot read `{scene.app}:1`: ")
    assert not (scene.layout / "index.json").exists()


def test_the_layout_serves_lock_verify_and_provenance_where_there_is_no_network(tmp_path: Path) -> None:
    with ExitStack() as stack:
        (tmp_path / "registry").mkdir()
        registry = stack.enter_context(anonymous_registry(tmp_path / "registry"))
        (tmp_path / "project").mkdir()
        scene = _make_scene(registry, Project(folder=tmp_path / "project", environment=registry.environment))
        scene.mirror()
    project = scene.project
    before = project.lock_bytes
    text = (project.folder / "images.toml").read_text()
    mirrors = f'[registries."{scene.base.registry.address}"]\nmirrors = ["oci:vendor/layout"]\n'
    (project.folder / "images.toml").write_text(f"{text}\n{mirrors}mirrors-resolve-tags = true\n")
    project.lock_path.unlink()
    assert project.run("lock", "--offline", "--no-cache").exit_code == 0
    assert project.lock_bytes == before
    assert project.run("verify", "--offline", "--no-cache", "--blobs") == Outcome(
        0, "", "2 of 2 images served as locked\nnote: offline: only OCI layouts were asked, and no registry's tags\n"
    )
    for image in (f"{scene.app}:1", f"oci:vendor/layout:{scene.app}:1"):
        assert project.run("provenance", "--offline", "--no-cache", image).exit_code == 0
    (scene.layout / "blobs/sha256" / scene.app_image.children[0].digest.removeprefix("sha256:")).write_text("x")
    assert project.run("verify", "--offline", "--no-cache").exit_code == 1


def test_the_printed_commands_copy_the_locked_bytes(scene: _Scene, anonymous: RegistryServer) -> None:
    target = f"{anonymous.address}/mirrored"
    outcome = scene.project.run("mirror", "--print", "skopeo", target)
    for command in outcome.stdout.splitlines():
        run(shlex.split(command))
    for repository, image in ((scene.base, scene.base_image), (scene.app, scene.app_image)):
        copy = RemoteRepository(registry=anonymous, path=f"mirrored/{repository.path}")
        assert copy.skopeo_digest() == image.digest


def test_an_image_declared_by_digest_can_be_copied_by_the_printed_command(
    project: Project, repository: RemoteRepository
) -> None:
    image = multi_platform_image(*_TWO, note="by digest")
    repository.push(image)
    project.declare({"app": f"{repository}@{image.digest}"})
    assert project.run("lock").exit_code == 0
    target = f"{repository.registry.address}/mirrored"
    [command] = project.run("mirror", "--print", "skopeo", target).stdout.splitlines()
    run(shlex.split(command))
    copy = f"docker://{target}/{repository.path}@{image.digest}"
    assert sha256(run(["skopeo", "inspect", "--raw", "--tls-verify=false", copy])) == image.digest


def test_a_large_layer_takes_little_memory(project: Project, repository: RemoteRepository) -> None:
    layer = gzip_stored(tar_of({"zeros": bytes(150_000_000)}))
    image = platform_image("linux/amd64").content
    config, small = image.children
    large = Content(media_type=small.media_type, body=layer)
    document = json.loads(image.body)
    document["layers"] = [large.descriptor()]
    manifest = Content(media_type=image.media_type, body=json.dumps(document).encode(), children=(config, large))
    upload(manifest, registry=repository.registry.address, repository=repository.path, tag="1")
    project.declare({"large": f"{repository}:1"})
    assert project.run("lock").exit_code == 0
    command = [sys.executable, str(_USAGE_OF), sys.executable, "-m", "imagelock", "mirror", "oci:layout"]
    done = subprocess.run(
        command, cwd=project.folder, env=project.process_environment(), check=True, capture_output=True
    )
    assert json.loads(done.stdout)["peak_megabytes"] < 80
    assert (project.folder / "layout/blobs/sha256" / large.digest.removeprefix("sha256:")).read_bytes() == layer


def test_the_signatures_of_a_real_cosign_come_along_and_verify(scene: _Scene, anonymous: RegistryServer) -> None:
    require_engine()
    keys = scene.project.folder / "keys"
    keys.mkdir()
    environment = {**os.environ, "COSIGN_PASSWORD": "", "HOME": str(keys), "DOCKER_CONFIG": str(keys)}
    cosign = str(UNPACKED_ENGINE / "bin/cosign")

    def call(*arguments: str) -> None:
        done = subprocess.run([cosign, *arguments], cwd=keys, env=environment, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()

    call("generate-key-pair")
    signed = f"{scene.base}@{scene.base_image.digest}"
    options = ["-y", "--recursive", "--tlog-upload=false", "--allow-http-registry", "--key", "cosign.key"]
    call("sign", *options, signed)
    scene.mirror("base")
    manifests = [scene.base_image, *scene.base_image.children]
    tags = {f"{scene.base}:{manifest.digest.replace(':', '-')}.sig" for manifest in manifests}
    names = _names(scene.layout)
    assert set(names) == {f"{scene.base}:1", *tags}
    copy = new_repository(anonymous)
    for name in names:
        source, target = f"oci:{scene.layout}:{name}", f"docker://{copy}:{name.rpartition(':')[2]}"
        run(["skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", source, target])
    copied = f"{copy}@{scene.base_image.digest}"
    call("verify", "--insecure-ignore-tlog", "--allow-http-registry", "--key", "cosign.pub", copied)
    assert scene.project.run("verify").exit_code == 0
    assert len(_names(scene.layout)) == len(tags) + 1
    scene.mirror("base", "--prune")
    assert set(_names(scene.layout)) == set(names)

"""Policies on a real Docker engine, after the tag has moved: it builds what was locked, or refuses.

Engine 26.1 converts a tag only after it has read its configuration. So the strict policy refuses a moved tag there;
newer BuildKit builds the locked image. A test that takes either holds on both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.docker_engine import Build, DockerEngine
from tests.support.host_shell import host_platform, shell_files
from tests.support.oci_images import Content, image_index, platform_image, with_configuration
from tests.support.project import Project
from tests.support.real_software import NewFolder, new_hub_repository, new_project
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_FOREIGN = "linux/s390x"
_END = "FROM scratch\nCOPY --from=0 /etc/who /etc/variable /\n"


def _image(who: str) -> Content:
    """Two platforms; the files and the configuration say whose image it is."""
    images = (
        platform_image(platform, files={**shell_files(), "etc/who": f"{who} {platform}\n".encode()})
        for platform in (host_platform(), _FOREIGN)
    )
    variables = {"Env": ["PATH=/usr/bin:/bin", f"WHO={who}"]}
    return image_index(*(with_configuration(image, variables) for image in images))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A project with one locked image, which another one may replace under its tag, and an image that nothing locks."""

    engine: DockerEngine
    project: Project
    repository: RemoteRepository
    name: str
    evil: str
    locked: Content
    moved: Content

    def build(self, dockerfile: str, *policy: str) -> Build:
        text = dockerfile.replace("$NAME", self.name).replace("$EVIL", self.evil)
        text = text.replace("$LOCKED", self.locked.digest).replace("$MOVED", self.moved.digest)
        self.project.write("Dockerfile", text.replace("$PLATFORM", self.locked.children[0].digest))
        assert self.project.run("export", *policy, "-o", "policy.json").exit_code == 0
        return self.engine.build(self.project.folder, policy=self.project.folder / "policy.json")

    def move(self) -> None:
        self.repository.upload(self.moved)


def _make_scene(engine: DockerEngine, folder: Path, hub: RegistryServer) -> _Scene:
    repository, evil = new_hub_repository(hub), new_hub_repository(hub)
    locked = _image("locked")
    repository.upload(locked)
    evil.upload(_image("evil"))
    project = new_project(folder, hub)
    mirror = f'[registries."docker.io"]\nmirrors = ["{hub.address}"]\nmirrors-resolve-tags = true\n'
    name = repository.path.removeprefix("library/")
    project.write("images.toml", f'[images]\nbase = "{name}:1"\n{mirror}')
    assert project.run("lock").exit_code == 0
    return _Scene(
        engine=engine,
        project=project,
        repository=repository,
        name=name,
        evil=evil.path.removeprefix("library/"),
        locked=locked,
        moved=_image("moved"),
    )


@pytest.fixture(scope="module")
def engine_scene(engine: DockerEngine, new_folder: NewFolder, anonymous: RegistryServer) -> _Scene:
    return _make_scene(engine, new_folder("policies"), anonymous)


@pytest.fixture(scope="module")
def classic_engine_scene(classic_engine: DockerEngine, new_folder: NewFolder, anonymous: RegistryServer) -> _Scene:
    return _make_scene(classic_engine, new_folder("policies"), anonymous)


@pytest.fixture
def scene(engine_scene: _Scene) -> _Scene:
    """The tag has the image that was locked."""
    engine_scene.repository.upload(engine_scene.locked)
    return engine_scene


@pytest.fixture(params=["engine_scene", "classic_engine_scene"])
def each_scene(request: pytest.FixtureRequest) -> _Scene:
    """The same, with each of the engine's image stores."""
    scene = request.getfixturevalue(request.param)
    assert isinstance(scene, _Scene)
    scene.repository.upload(scene.locked)
    return scene


_LOCKED = {"who": f"locked {host_platform()}", "variable": "locked"}
_STEP = "RUN echo $WHO > /etc/variable\n"
_READ = "RUN --mount=from=$NAME:1,target=/m read a < /m/etc/who; echo $a > /etc/who\n"
_BY_TAG = {
    "tag": f"FROM $NAME:1\n{_STEP}{_END}",
    "long spelling": f"FROM docker.io/library/$NAME:1\n{_STEP}{_END}",
    "old spelling": f"FROM index.docker.io/library/$NAME:1\n{_STEP}{_END}",
    "variable in the tag": f"ARG V=1\nFROM $NAME:${{V}}\n{_STEP}{_END}",
    "variable for all": f"ARG I=$NAME:1\nFROM ${{I}}\n{_STEP}{_END}",
    "copy": f"FROM $NAME@$LOCKED\n{_STEP}COPY --from=$NAME:1 /etc/who /etc/who\n{_END}",
    "mount": f"FROM $NAME@$LOCKED\n{_STEP}{_READ}{_END}",
}
_BY_DIGEST = {
    "tag and digest": f"FROM $NAME:1@$LOCKED\n{_STEP}{_END}",
    "digest": f"FROM $NAME@$LOCKED\n{_STEP}{_END}",
    "platform's digest": f"FROM $NAME@$PLATFORM\n{_STEP}{_END}",
    "tag and platform's digest": f"FROM $NAME:1@$PLATFORM\n{_STEP}{_END}",
}
_REFUSED = {
    "other image": f"FROM $EVIL:1\n{_STEP}{_END}",
    "other image copied": f"FROM $NAME@$LOCKED\n{_STEP}COPY --from=$EVIL:1 /etc/who /etc/who\n{_END}",
    "other image mounted": f"FROM $NAME@$LOCKED\n{_STEP}RUN --mount=from=$EVIL:1,target=/m true\n{_END}",
    "other frontend": f"# syntax=$EVIL:1\nFROM $NAME@$LOCKED\n{_STEP}{_END}",
    "other tag": f"FROM $NAME:2\n{_STEP}{_END}",
    "no tag": f"FROM $NAME\n{_STEP}{_END}",
    "other digest": f"FROM $NAME@$MOVED\n{_STEP}{_END}",
    "tag and other digest": f"FROM $NAME:1@$MOVED\n{_STEP}{_END}",
    "URL": f"FROM $NAME@$LOCKED\n{_STEP}ADD https://example.com/x /etc/who\n{_END}",
    "git": f"FROM $NAME@$LOCKED\n{_STEP}ADD https://example.com/x.git /etc/x\n{_END}",
}


@pytest.mark.parametrize("spelling", _BY_TAG)
def test_a_tag_builds_the_locked_image_and_once_it_moved_never_another(each_scene: _Scene, spelling: str) -> None:
    scene = each_scene
    assert scene.build(_BY_TAG[spelling], "buildkit-policy") == Build(exit_code=0, files=_LOCKED, error="")
    scene.move()
    build = scene.build(_BY_TAG[spelling], "buildkit-policy")
    assert dict(build.files) in ({}, _LOCKED)
    if build.exit_code:
        assert f'source "docker-image://docker.io/library/{scene.name}:1@{scene.moved.digest}" denied' in build.error


@pytest.mark.parametrize("spelling", _BY_DIGEST)
@pytest.mark.parametrize("options", [(), ("--pin-only",)])
def test_a_locked_digest_builds_though_the_tag_moved(scene: _Scene, spelling: str, options: tuple[str, ...]) -> None:
    scene.move()
    assert scene.build(_BY_DIGEST[spelling], "buildkit-policy", *options).files == _LOCKED


@pytest.mark.parametrize("dockerfile", _REFUSED)
def test_what_is_not_locked_is_refused(scene: _Scene, dockerfile: str) -> None:
    scene.move()
    build = scene.build(_REFUSED[dockerfile], "buildkit-policy")
    assert (build.exit_code, build.files) == (1, {})
    assert "denied by policy" in build.error


@pytest.mark.parametrize("spelling", _BY_TAG)
def test_the_policy_that_denies_nothing_builds_the_locked_files(scene: _Scene, spelling: str) -> None:
    """The configuration may be that of the moved tag on engine 26: the page "Pins without edits" says so."""
    scene.move()
    build = scene.build(_BY_TAG[spelling], "buildkit-policy", "--pin-only")
    assert build.files["who"] == f"locked {host_platform()}"
    assert scene.build(f"FROM $EVIL:1\n{_STEP}{_END}", "buildkit-policy", "--pin-only").exit_code == 0


def test_a_locked_frontend_is_let_in_and_a_moved_one_is_not(scene: _Scene) -> None:
    dockerfile = f"# syntax=$NAME:1\nFROM $NAME@$LOCKED\n{_STEP}{_END}"
    # It is no frontend, and the engine has no network to run one: it gets as far as that.
    assert "denied by policy" not in scene.build(dockerfile, "buildkit-policy").error
    scene.move()
    build = scene.build(dockerfile, "buildkit-policy")
    assert build.exit_code == 1
    assert f"{scene.name}:1@{scene.moved.digest}" in build.error or "denied by policy" not in build.error


def test_another_platform_gets_its_own_files(scene: _Scene) -> None:
    dockerfile = f"FROM --platform={_FOREIGN} $NAME:1\nFROM scratch\nCOPY --from=0 /etc/who /\n"
    assert scene.build(dockerfile, "buildkit-policy").files == {"who": f"locked {_FOREIGN}"}

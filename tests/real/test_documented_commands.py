"""Each command and output of the documentation is what happens, but for durations and the registry behind the names."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.desk import TWO_PLATFORMS, Desk, first_steps, new_desk
from tests.support.docker_engine import DockerEngine
from tests.support.documented import CHECKOUT, PAGES, Reader, console_blocks
from tests.support.oci_images import image_index, multi_platform_image, platform_image
from tests.support.provenance_vectors import write_built_images
from tests.support.real_software import NewFolder, require_programs
from tests.support.registry_server import RegistryServer, anonymous_registry
from tests.support.remote_repository import RemoteRepository

_PLATFORMS = 'platforms = ["linux/amd64", "linux/arm64"]\n'
_NOT_RUN = 4
"""So many blocks of all pages are not run, each with its reason in the page."""


def _front_page(desk: Desk) -> None:
    first_steps(desk)
    desk.before["imagelock outdated"] = lambda: desk.run("git add --all", "git commit -qm pins")


def _ranges(desk: Desk) -> None:
    slim = ("22.1.0-slim", "20.12.2-slim", "20.12.1-slim", "20.12-slim", "20.10.0-slim")
    desk.push("node", *slim, "20.12.2", "20.12.2-alpine", "latest", "slim")


def _pinning(desk: Desk) -> None:
    shutil.copytree(CHECKOUT / "demo", desk.folder, dirs_exist_ok=True)
    shown = next(console_blocks(CHECKOUT / "docs/pinning.md")[0].commands())[1]
    desk.write({"compose.yaml": shown.rstrip("\n") + "\n"})
    desk.run("imagelock lock")


def _air_gap(desk: Desk) -> None:
    first_steps(desk)
    image = image_index(*(platform_image(each, files={"app": b"app"}) for each in TWO_PLATFORMS))
    desk.push("golang", "1.22-bookworm", image=image)
    desk.write({"Dockerfile": "FROM golang:1.22-bookworm AS build\nFROM scratch\nCOPY --from=build /app /app\n"})
    desk.run("imagelock init")
    desk.run("imagelock lock")


def _policies(desk: Desk) -> None:
    image = image_index(*(platform_image(each, files={"etc/who": b"locked\n"}) for each in TWO_PLATFORMS))
    moved = image_index(*(platform_image(each, files={"etc/who": b"moved\n"}) for each in TWO_PLATFORMS))
    desk.push("golang", "1.22", image=image)
    desk.push("evil", "1", image=moved)
    desk.write(
        {
            "images.toml": f'{_PLATFORMS}[images]\ngolang = "golang:1.22"\n',
            "docker-bake.hcl": 'target "default" {\n  inherits = ["_imagelock"]\n}\n',
            "compose.yaml": "services: {app: {build: .}, go: {image: 'golang:1.22'}}\n",
            "deploy/kustomization.yaml": "resources: [pod.yaml]\ncomponents: [lock]\n",
            "deploy/pod.yaml": (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
                "spec: {containers: [{name: a, image: 'golang:1.22'}]}\n"
            ),
            "Dockerfile": ("ARG VERSION=1.22\nFROM golang:${VERSION}\nCOPY --from=evil:1 /etc/who /etc/evil\n"),
        }
    )
    desk.before["imagelock export buildkit-policy"] = lambda: desk.push("golang", "1.22", image=moved)


def _built_images(desk: Desk) -> None:
    write_built_images(desk.folder)


def _pinned_by_hand(desk: Desk) -> None:
    """A Dockerfile with the digest that its tag had some time ago."""
    old = multi_platform_image(*TWO_PLATFORMS, note="golang of last month")
    desk.push("golang", "1.22-bookworm", image=old)
    desk.push("golang", "1.22-bookworm")
    desk.write({"Dockerfile": f"# the toolchain\nFROM golang:1.22-bookworm@{old.digest} AS build\n"})


def _two_projects(desk: Desk) -> None:
    desk.push("golang", "1.22-bookworm")
    desk.push("node", "20-slim")
    for folder, image in (("api", "golang:1.22-bookworm"), ("web", "node:20-slim")):
        name = image.partition(":")[0]
        images = f'platforms = ["linux/amd64"]\n[images]\n{name} = "{image}"\n[pin]\nfiles = ["Dockerfile"]\n'
        desk.write({f"{folder}/images.toml": images, f"{folder}/Dockerfile": f"FROM {image}\n"})
    desk.run("git add --all")
    desk.before["imagelock check -C api"] = lambda: desk.run("imagelock render -C api", "imagelock render -C web")


def _moving(desk: Desk) -> None:
    """A tag that moves, an exact tag with newer ones beside it, and a range with a newer version in it."""
    for name, *tags in (("golang", "1.22-bookworm"), ("postgres", "16-alpine"), ("redis", "7.2.5")):
        desk.push(name, *tags)
    table = '[images.redis]\nimage = "redis"\nversion = ">=7.2,<8"\n'
    images = 'platforms = ["linux/amd64", "linux/arm64"]\n[images]\ngolang = "golang:1.22-bookworm"\n'
    images += 'postgres = "postgres:16-alpine"\n'
    dockerfile = "FROM golang:1.22-bookworm AS build\nFROM postgres:16-alpine\nFROM redis:7.2.5\n"
    desk.write({"images.toml": f'{images}[pin]\nfiles = ["Dockerfile"]\n{table}', "Dockerfile": dockerfile})
    desk.run("imagelock lock", "imagelock render", "git add --all", "git commit -qm pins")
    desk.push("golang", "1.22-bookworm", image=multi_platform_image(*TWO_PLATFORMS, note="golang, rebuilt"))
    desk.push("postgres", "17-alpine", image=multi_platform_image(*TWO_PLATFORMS, note="postgres 17"))
    desk.push("redis", "7.4.1", "8.0.0", image=multi_platform_image(*TWO_PLATFORMS, note="redis, newer"))
    desk.before["imagelock update redis"] = lambda: desk.run("git add --all", "git commit -qm updates")


def _questions(desk: Desk) -> None:
    """An image whose locked content is gone from the registry, and one for a single platform."""
    image = multi_platform_image(*TWO_PLATFORMS, note="golang of last month")
    repository = RemoteRepository(registry=desk.registry, path="library/golang")
    desk.push("golang", "1.22-bookworm", image=image)
    desk.write({"images.toml": f'{_PLATFORMS}[images]\ngolang = "golang:1.22-bookworm"\n'})
    desk.run("imagelock lock")
    desk.push("golang", "1.22-bookworm")
    for content in (image, *image.children):
        repository.delete(content.digest)
    desk.push("legacy-tool", "1", image=multi_platform_image("linux/amd64", note="legacy"))


_SCENES: Mapping[str, Callable[[Desk], None]] = {
    "README.md": _front_page,
    "docs/index.md": first_steps,
    "docs/migrate.md": _pinned_by_hand,
    "docs/monorepo.md": _two_projects,
    "docs/updates.md": _moving,
    "docs/faq.md": _questions,
    "docs/versions.md": _ranges,
    "docs/pinning.md": _pinning,
    "docs/air-gap.md": _air_gap,
    "docs/pins-without-edits.md": _policies,
    "docs/provenance.md": _built_images,
}
"""What is there before the first command of each page."""
_ELSEWHERE = frozenset({"docs/getting-started.md"})
"""Pages with a test of their own."""
_BUILDERS = frozenset({"docs/air-gap.md", "docs/pins-without-edits.md"})
"""Pages that build on a Docker engine."""


@pytest.mark.parametrize("name", [name for name in _SCENES if name not in _BUILDERS])
def test_a_page_is_true_from_top_to_bottom(new_folder: NewFolder, tmp_path: Path, name: str) -> None:
    with anonymous_registry(new_folder("registry")) as registry:
        _read(new_desk(registry, tmp_path), name)


def _read(desk: Desk, name: str) -> None:
    _SCENES[name](desk)
    reader = Reader(folder=desk.folder, environment=desk.environment, before=desk.before)
    shown, happened = reader.walk(CHECKOUT / name)
    assert "".join(shown) == "".join(happened)
    assert shown


@pytest.mark.parametrize("name", sorted(_BUILDERS))
def test_a_page_with_builds_is_true(engine: DockerEngine, anonymous: RegistryServer, tmp_path: Path, name: str) -> None:
    """The engine takes one registry for Docker Hub."""
    require_programs("umoci", "kubectl")
    desk = new_desk(anonymous, tmp_path)
    path = f"{desk.environment['PATH']}:{engine.environment['PATH']}"
    desk.environment |= {**engine.environment, "PATH": path}
    _read(desk, name)


def _names() -> dict[str, int]:
    return {page.relative_to(CHECKOUT).as_posix(): len(console_blocks(page)) for page in PAGES}


def test_no_page_with_commands_is_left_out() -> None:
    pages = {name for name, number in _names().items() if number}
    run = {name for name in pages if any(not each.reason_not_to_run for each in console_blocks(CHECKOUT / name))}
    assert run == set(_SCENES) | _ELSEWHERE


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    reasons = [block.reason_not_to_run for page in PAGES for block in console_blocks(page) if block.reason_not_to_run]
    assert len(reasons) <= _NOT_RUN
    assert all(len(reason.split()) >= 3 for reason in reasons), reasons

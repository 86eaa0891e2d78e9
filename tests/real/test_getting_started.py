"""The getting-started page is what happens, exactly as printed, but for durations and the registry behind the names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.project import DURATION, Project
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_CHECKOUT = Path(__file__).parents[2]
_PAGE = _CHECKOUT / "docs/getting-started.md"
_README = _CHECKOUT / "README.md"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_IMAGES = {
    "golang": ("1.22-bookworm",),
    "postgres": ("16-alpine",),
    "redis": ("7.2.5", "7.4.1", "8.0-rc1"),
}
_FILES = {
    "Dockerfile": (
        "FROM golang:1.22-bookworm AS build\n"
        "COPY . /src\n"
        "RUN cd /src && go build -o /app\n\n"
        "FROM scratch\n"
        "COPY --from=build /app /app\n"
    ),
    "compose.yaml": (
        "services:\n  app:\n    build: .\n    depends_on: [database]\n  database:\n    image: postgres:16-alpine\n"
    ),
}


@pytest.fixture(scope="module")
def images(anonymous: RegistryServer) -> RegistryServer:
    """A registry that has what the pages use."""
    _push_images(anonymous)
    return anonymous


def test_the_page_is_true_from_top_to_bottom(images: RegistryServer, tmp_path: Path) -> None:
    shown, happened = _walk(_BLOCK.findall(_PAGE.read_text()), images, tmp_path)
    assert shown == happened
    assert len(shown) >= 10


def test_the_first_commands_of_the_readme_are_true(images: RegistryServer, tmp_path: Path) -> None:
    block = next(block for block in _BLOCK.findall(_README.read_text()) if block.startswith("$ imagelock init\n"))
    shown, happened = _walk([block], images, tmp_path)
    assert shown == happened


def _walk(blocks: list[str], images: RegistryServer, tmp_path: Path) -> tuple[list[str], list[str]]:
    """Type every command of a page, and return what it shows and what came out, block by block."""
    folder = tmp_path / "app"
    folder.mkdir()
    for path, content in _FILES.items():
        (folder / path).write_text(content)
    environment = _environment(images, tmp_path)
    subprocess.run(["git", "init", "--quiet", "."], cwd=folder, env=environment, check=True)
    shown = [DURATION.sub(" in TIME", block) for block in blocks]
    happened: list[str] = []
    for block in shown:
        text = ""
        for command in (line[2:] for line in block.splitlines() if line.startswith("$ ")):
            output, folder = _run(command, folder, environment)
            text += f"$ {command}\n{DURATION.sub(' in TIME', output)}"
        happened.append(text)
    return shown, happened


def _push_images(registry: RegistryServer) -> None:
    for name, tags in _IMAGES.items():
        repository = RemoteRepository(registry=registry, path=f"getting-started/{name}")
        repository.upload_many(multi_platform_image("linux/amd64", "linux/arm64", note=name), tags=tags)
    newer = RemoteRepository(registry=registry, path="getting-started/postgres")
    newer.upload_many(multi_platform_image("linux/amd64", "linux/arm64", note="postgres 17"), tags=("17-alpine",))


def _environment(registry: RegistryServer, folder: Path) -> dict[str, str]:
    """Put our registry behind Docker Hub's names, as a company's registries.conf may."""
    conf = folder / "registries.conf"
    conf.write_text(
        '[[registry]]\nprefix = "docker.io/library"\n'
        f'location = "{registry.address}/getting-started"\ninsecure = true\n'
    )
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    environment = Project(folder=folder / "app").process_environment()
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return {**environment, **names, "CONTAINERS_REGISTRIES_CONF": str(conf), "PATH": path}


def _run(command: str, folder: Path, environment: dict[str, str]) -> tuple[str, Path]:
    """Run a line of a shell and return what it printed, and the folder in which it ended."""
    if command.startswith("cd "):
        return "", (folder / command.removeprefix("cd ")).resolve()
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout, folder

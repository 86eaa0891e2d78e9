"""What a reader of the documentation has: a folder in a git repository, and a registry that plays Docker Hub."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.oci_images import Content, multi_platform_image
from tests.support.project import Project
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

TWO_PLATFORMS = ("linux/amd64", "linux/arm64")


@dataclass(kw_only=True)
class Desk:
    """What a reader of a page has: a folder in a git repository, and a registry that plays Docker Hub."""

    folder: Path
    registry: RegistryServer
    environment: dict[str, str]
    before: dict[str, Callable[[], object]] = field(default_factory=dict)

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def push(self, name: str, *tags: str, image: Content | None = None) -> None:
        """Put an image of two platforms under its tags, as an official image of Docker Hub."""
        repository = RemoteRepository(registry=self.registry, path=f"library/{name}")
        repository.upload_many(image or multi_platform_image(*TWO_PLATFORMS, note=name), tags=tags)

    def run(self, *commands: str) -> None:
        for command in commands:
            words = command.split()
            done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr.decode()


def new_desk(registry: RegistryServer, tmp_path: Path) -> Desk:
    """A registry behind Docker Hub's names, as a company's registries.conf may have it."""
    conf = tmp_path / "registries.conf"
    conf.write_text(f'[[registry]]\nprefix = "docker.io"\nlocation = "{registry.address}"\ninsecure = true\n')
    folder = tmp_path / "app"
    folder.mkdir()
    environment = Project(folder=folder).process_environment()
    environment |= {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment |= {"CONTAINERS_REGISTRIES_CONF": str(conf), "IMAGELOCK_COLOR": "never"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    subprocess.run(["git", "init", "--quiet", "."], cwd=folder, env=environment, check=True)
    return Desk(folder=folder, registry=registry, environment=environment)


def first_steps(desk: Desk) -> None:
    """A Dockerfile and a compose file, as the tutorial has them."""
    desk.push("golang", "1.22-bookworm")
    desk.push("postgres", "16-alpine")
    newer = multi_platform_image(*TWO_PLATFORMS, note="postgres 17")
    desk.push("postgres", "17", "17-alpine", image=newer)
    desk.push("redis", "7.2.5", "7.4.1", "8.0-rc1")
    desk.write(
        {
            "Dockerfile": (
                "FROM golang:1.22-bookworm AS build\nCOPY . /src\nRUN cd /src && go build -o /app\n\n"
                "FROM scratch\nCOPY --from=build /app /app\n"
            ),
            "compose.yaml": (
                "services:\n  app:\n    build: .\n    depends_on: [database]\n"
                "  database:\n    image: postgres:16-alpine\n"
            ),
        }
    )

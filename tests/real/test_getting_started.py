"""The getting-started page is what happens, but for the registry: here it is one of ours, behind each name."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.oci_images import multi_platform_image
from tests.support.project import DURATION, Project
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_PAGE = Path(__file__).parents[2] / "docs/getting-started.md"
_BLOCK = re.compile(r"```console\n\$ (.*)\n((?:(?!```).*\n)*)```")
_IMAGES = {"golang": ("1.22-bookworm",), "postgres": ("16-alpine",), "redis": ("7.2.5", "7.4.1", "8.0-rc1")}
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


def test_the_page_is_true(anonymous: RegistryServer, project: Project) -> None:
    prefix = f"{anonymous.address}/getting-started/"
    for name, tags in _IMAGES.items():
        repository = RemoteRepository(registry=anonymous, path=f"getting-started/{name}")
        repository.upload_many(multi_platform_image("linux/amd64", "linux/arm64", note=name), tags=tags)
    for path, content in _FILES.items():
        text = re.sub("(?=golang:|postgres:)", prefix, content)
        (project.folder / path).write_text(text)
    blocks = _BLOCK.findall(_PAGE.read_text())
    shown = [(command, DURATION.sub(" in TIME", output)) for command, output in blocks]
    assert len(shown) == 10
    assert shown == [(command, _output(project, command, prefix).replace(prefix, "")) for command, _ in blocks]


def _output(project: Project, command: str, prefix: str) -> str:
    program, *arguments = shlex.split(command)
    if program == "cat":
        return (project.folder / arguments[0]).read_text()
    outcome = project.run(*(f"{prefix}{word}" if (command, word) in _REFERENCES else word for word in arguments))
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    return outcome.stderr


_REFERENCES = {("imagelock add redis --version", "redis")}

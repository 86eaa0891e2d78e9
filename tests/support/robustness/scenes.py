"""Projects in which each command that writes has something to change, and copies of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.support.oci_images import multi_platform_image
from tests.support.project import Project

Files = Mapping[str, bytes]
_IMAGES = ("golang:1.22", "golang:1.23", "node:20", "redis:7", "nginx:1.25")
_DECLARED = """\
# kept
platforms = ["linux/amd64"]

[images]
go = "oci:vendor:golang:1.22"
node = "oci:vendor:node:20"  # kept

[render]
"Dockerfile" = "Dockerfile.in"
"deploy/app.txt" = "app.in"

[pin]
files = ["compose.yaml", "two.Dockerfile"]
"""
WRITING_COMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lock": ("lock",),
        "update": ("update",),
        "render": ("render",),
        "add": ("add", "redis", "oci:vendor:redis:7"),
        "add another": ("add", "nginx", "oci:vendor:nginx:1.25"),
        "move": ("update", "go", "--to", "golang:1.23"),
        "remove": ("remove", "node"),
        "scan": ("scan", "--write"),
        "unpin": ("unpin", "compose.yaml", "two.Dockerfile"),
        "export": ("export", "env", "-o", "images.env"),
        "init": ("init", "--file", "other.toml", "--template", "three.Dockerfile"),
    }
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A folder to be copied; nothing runs in it."""

    template: Path

    def copy_to(self, folder: Path) -> Project:
        """Make a project of its own that is as the template."""
        shutil.copytree(self.template, folder / "project", symlinks=True)
        return Project(folder=folder / "project")


def make_scenes(folder: Path) -> dict[str, Scene]:
    """Make a project whose files are stale, and one whose lock is, which `lock` brings up to date."""
    fresh = _make_project(folder / "files")
    _run(fresh, "lock")
    _run(fresh, "render")
    fresh.write("Dockerfile", "old\n")
    fresh.write("deploy/app.txt", "old\n")
    fresh.push("golang:1.22", multi_platform_image("linux/amd64", note="new"))
    stale = Project(folder=folder / "lock" / "project")
    shutil.copytree(fresh.folder, stale.folder)
    stale.write(
        "images.toml", stale.read("images.toml").replace("\n[render]", 'more = "oci:vendor:nginx:1.25"\n\n[render]')
    )
    return {"files": Scene(fresh.folder), "lock": Scene(stale.folder)}


def scene_of(name: str) -> str:
    """Return the scene in which a command changes something."""
    return "lock" if name == "lock" else "files"


def files_of(project: Project) -> dict[str, bytes]:
    """Everything that commands may change: all but the layout."""
    return {name: content for name, content in project.files().items() if not name.startswith("vendor/")}


def left_overs(files: Files) -> list[str]:
    """Temporary files and journals."""
    return [name for name in files if name.endswith((".imagelock-tmp", ".imagelock-journal"))]


def _make_project(folder: Path) -> Project:
    project = Project(folder=folder / "project")
    project.folder.mkdir(parents=True)
    for name in _IMAGES:
        project.push(name, multi_platform_image("linux/amd64", note=name))
    project.write("images.toml", _DECLARED)
    project.write("Dockerfile.in", "FROM {{images.go}}\n")
    project.write("app.in", "{{images.go.digest}} {{images.go.tag}}\n")
    project.write("compose.yaml", "services:\n  a:\n    image: golang:1.22\n")
    project.write("two.Dockerfile", "FROM golang:1.22\n")
    project.write("three.Dockerfile", "FROM golang:1.22\n")
    return project


def _run(project: Project, *arguments: str) -> None:
    outcome = project.run(*arguments)
    assert outcome.exit_code == 0, outcome.stderr

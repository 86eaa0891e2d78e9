"""A project in a folder of its own, with a layout for a registry, and the command line run in this process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagelock.cli.main import run
from tests.support.oci_images import Content, multi_platform_image
from tests.support.oci_layout import write_layout
from tests.support.pinned_project import PinnedProject
from tests.support.project import DURATION, Outcome

IMAGES = """\
platforms = ["linux/amd64", "linux/arm64"]

[images]
go = "oci:vendor:golang:1.22"
node = "oci:vendor:node:20"

[render]
"Dockerfile" = "Dockerfile.in"
"""
TEMPLATE = "FROM {{images.go}}\r\nRUN go build # {{ .Id }} ${{ matrix.x }}\r\nFROM {{ images.node.pinned }}"


@dataclass(slots=True)
class Workshop:
    """What the tests of commands work with; ``folder`` is the working directory."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    images: dict[str, Content]

    def run(self, *arguments: str) -> Outcome:
        exit_code = run(list(arguments))
        out, err = self.capsys.readouterr()
        return Outcome(exit_code, out, DURATION.sub(" in TIME", err))

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def read(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()

    def push(self, name: str, image: Content) -> Content:
        """Put an image into the layout; what was there under that name stays as content."""
        self.images[name] = image
        write_layout(self.folder / "vendor", self.images)
        return image

    def short(self, name: str) -> str:
        """The digest of an image as a screen shows it."""
        return self.images[name].digest.removeprefix("sha256:")[:12]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Workshop:
    """Nothing locked, nothing rendered."""
    for name in list(os.environ):
        if name.startswith("IMAGELOCK_") or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder)
    workshop = Workshop(folder, capsys, {})
    workshop.push("golang:1.22", multi_platform_image("linux/amd64", "linux/arm64", "linux/s390x", note="go"))
    workshop.push("node:20", multi_platform_image("linux/amd64", "linux/arm64", note="node"))
    workshop.write("images.toml", IMAGES)
    workshop.write("Dockerfile.in", TEMPLATE)
    return workshop


@pytest.fixture
def locked(workshop: Workshop) -> Workshop:
    """Locked and rendered."""
    assert workshop.run("lock").exit_code == workshop.run("render").exit_code == 0
    return workshop


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> PinnedProject:
    """An empty folder to work in, where CI looks like a desk."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return PinnedProject(folder, capfd)

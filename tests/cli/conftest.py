"""Projects in folders of their own, with commands run in this process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.project import IMAGES, TEMPLATE, Project


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    """A layout with two images; nothing locked, nothing rendered."""
    for name in list(os.environ):
        if name.startswith("IMAGELOCK_") or name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CI"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder)
    project = Project(folder=folder, capture=capsys)
    project.push("golang:1.22", multi_platform_image("linux/amd64", "linux/arm64", "linux/s390x", note="go"))
    project.push("node:20", multi_platform_image("linux/amd64", "linux/arm64", note="node"))
    project.write("images.toml", IMAGES)
    project.write("Dockerfile.in", TEMPLATE)
    return project


@pytest.fixture
def locked(workshop: Project) -> Project:
    """Locked and rendered."""
    assert workshop.run("lock").exit_code == workshop.run("render").exit_code == 0
    return workshop


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Project:
    """An empty folder to work in, where CI looks like a desk."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("CI", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Project(folder=folder, capture=capfd)

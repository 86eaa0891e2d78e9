"""The questions that CI asks, and rendering, open no socket: an audit hook would end the process at the first one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.oci_layout import write_layout
from tests.support.project import Project

_WITHOUT_SOCKETS = """
import os, runpy, sys

def refuse(event, arguments):
    if event.startswith("socket."):
        os.write(2, f"{event}{arguments}".encode())
        os._exit(70)

sys.addaudithook(refuse)
sys.argv[0] = "imagelock"
runpy.run_module("imagelock", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Locked and rendered, from a layout."""
    (tmp_path / "project").mkdir()
    project = Project(folder=tmp_path / "project")
    write_layout(tmp_path / "layout", {"base:1": multi_platform_image("linux/amd64")})
    (project.folder / "Dockerfile.in").write_text("FROM {{images.base}}\n")
    project.declare({"base": "oci:../layout:base:1"}, rendered={"Dockerfile": "Dockerfile.in"})
    assert project.run("lock").exit_code == 0
    assert project.run("render").exit_code == 0
    return project


@pytest.mark.parametrize(
    "arguments", [["lock"], ["lock", "--check"], ["render"], ["render", "--check"], ["check"], ["list"]]
)
def test_no_socket_is_opened(project: Project, arguments: list[str]) -> None:
    assert _run_without_sockets(project, *arguments) == 0


def test_a_command_that_needs_the_network_is_caught_by_the_hook(project: Project) -> None:
    project.declare({"base": "127.0.0.1:1/no/registry:1"})
    assert _run_without_sockets(project, "lock") == 70


def _run_without_sockets(project: Project, *arguments: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT_SOCKETS, *arguments],
        capture_output=True,
        check=False,
        cwd=project.folder,
        env=project.process_environment(),
    ).returncode

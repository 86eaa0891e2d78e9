"""The transcripts of the demo and of pinning are what the commands print."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.project import DURATION, Project

_CHECKOUT = Path(__file__).parents[2]
_TRANSCRIPT = re.compile(r"```console\n(\$ cat images\.toml\n.*?)```", re.DOTALL)
_PINNING = re.compile(r"```console\n(\$ cat compose\.yaml\n(.*?)\n\$ .*?)```", re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """What scripts/demo puts into its scratch folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("images.toml", "Dockerfile.in"):
        shutil.copy(_CHECKOUT / "demo" / name, folder)
    shutil.copytree(_CHECKOUT / "demo/layout", folder / "layout")
    return Project(folder=folder)


def test_the_transcript_is_true(project: Project) -> None:
    match = _TRANSCRIPT.search((_CHECKOUT / "demo/README.md").read_text())
    assert match is not None
    written = DURATION.sub(" in TIME", match[1])
    assert written == _repeat(project, written)


def test_the_transcript_of_pinning_is_true(project: Project) -> None:
    match = _PINNING.search((_CHECKOUT / "docs/pinning.md").read_text())
    assert match is not None
    (project.folder / "compose.yaml").write_text(match[2])
    _output(project, "imagelock", "lock")
    assert match[1] == _repeat(project, match[1])
    assert (project.folder / "compose.yaml").read_text() == match[2]


def test_the_committed_lock_and_dockerfile_are_what_the_demo_makes(project: Project) -> None:
    _output(project, "imagelock", "lock")
    _output(project, "imagelock", "render")
    for name in ("images.lock", "Dockerfile"):
        assert (project.folder / name).read_bytes() == (_CHECKOUT / "demo" / name).read_bytes()


def _repeat(project: Project, transcript: str) -> str:
    commands = [line.removeprefix("$ ").split() for line in transcript.splitlines() if line.startswith("$ ")]
    return "\n".join(f"$ {' '.join(command)}\n{_output(project, *command)}" for command in commands)


def _output(project: Project, program: str, *arguments: str) -> str:
    if program == "cat":
        return (project.folder / arguments[0]).read_text()
    outcome = project.run(*arguments)
    assert outcome.exit_code == 0
    return outcome.stderr

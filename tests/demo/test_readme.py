"""The README's transcript is what the demo's commands print."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.project import DURATION, Project

_CHECKOUT = Path(__file__).parents[2]
_TRANSCRIPT = re.compile(r"```console\n(\$ cat images\.toml\n.*?)```", re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """What scripts/demo puts into its scratch folder."""
    folder = tmp_path / "project"
    (folder / "demo").mkdir(parents=True)
    shutil.copy(_CHECKOUT / "images.toml", folder)
    shutil.copy(_CHECKOUT / "demo/Dockerfile.in", folder / "demo")
    shutil.copytree(_CHECKOUT / "demo/layout", folder / "demo/layout")
    return Project(folder=folder)


def test_the_transcript_is_true(project: Project) -> None:
    match = _TRANSCRIPT.search((_CHECKOUT / "README.md").read_text())
    assert match is not None
    written = DURATION.sub(" in TIME", match[1])
    commands = [line.removeprefix("$ ").split() for line in written.splitlines() if line.startswith("$ ")]
    assert written == "\n".join(f"$ {' '.join(command)}\n{_output(project, *command)}" for command in commands)


def test_the_committed_lock_and_dockerfile_are_what_the_demo_makes(project: Project) -> None:
    _output(project, "imagelock", "lock")
    _output(project, "imagelock", "render")
    for name in ("images.lock", "demo/Dockerfile"):
        assert (project.folder / name).read_bytes() == (_CHECKOUT / name).read_bytes()


def _output(project: Project, program: str, *arguments: str) -> str:
    if program == "cat":
        return (project.folder / arguments[0]).read_text()
    outcome = project.run(*arguments)
    assert outcome.exit_code == 0
    return outcome.stderr

"""A process that is killed at any instant leaves old files or new ones, and nothing that stops the next run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.oci_layout import write_layout
from tests.support.project import Project

_NAMES = tuple(f"image{number}" for number in range(20))
_OUTPUTS = ("images.lock", "Dockerfile", "deploy/app.yaml")
_KILL_AFTER_LINES = """
import os, runpy, signal, sys

lines_left = int(sys.argv.pop(1))
is_writing = False

def count_down(frame, event, argument):
    global lines_left, is_writing
    folder, name = os.path.split(frame.f_code.co_filename)
    if name not in ("transaction.py", "staging.py", "journal.py") or os.path.basename(folder) != "project":
        return None
    if frame.f_code.co_name in ("_prefix", "_digest", "_refuse_misplaced") or frame.f_code.co_name.startswith("<"):
        return None  # computes, and touches no file
    is_writing = is_writing or frame.f_code.co_name == "write"
    lines_left -= is_writing and event == "line"
    if lines_left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return count_down

sys.argv[0] = "imagelock"
sys.settrace(count_down)
runpy.run_module("imagelock", run_name="__main__", alter_sys=True)
"""
"""Kills its own process before one of the lines through which all writing goes."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """A project whose files are as they were before a command, and what they are after it."""

    project: Project
    command: tuple[str, ...]
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]

    def restore(self) -> None:
        for name, content in self.before.items():
            (self.project.folder / name).write_bytes(content)
        for left_over in self.project.folder.rglob("*.imagelock-tmp"):
            left_over.unlink()

    def find_damaged(self) -> set[str]:
        """The files that are neither the old ones nor the new ones."""
        now = _contents(self.project)
        return {name for name in _OUTPUTS if now[name] not in (self.before[name], self.after[name])}

    def state(self) -> tuple[int, frozenset[str]]:
        """All that a next run could trip over: how many files are there, and which of them are new."""
        now = _contents(self.project)
        files = sum(path.is_file() for path in self.project.folder.rglob("*"))
        return files, frozenset(name for name in _OUTPUTS if now[name] == self.after[name])

    def assert_next_run_succeeds(self) -> None:
        outcome = self.project.run(*self.command)
        assert (outcome.exit_code, _contents(self.project)) == (0, self.after), outcome.stderr


@pytest.fixture(params=["lock", "render"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> _Scene:
    (tmp_path / "project").mkdir()
    project = Project(folder=tmp_path / "project")
    (project.folder / "template").write_text("".join(f"FROM {{{{images.{name}}}}}\n" for name in _NAMES))
    project.declare(
        {name: f"oci:../layout:{name}" for name in _NAMES},
        rendered=dict.fromkeys(_OUTPUTS[1:], "template"),
    )
    for note in ("old", "new"):
        write_layout(tmp_path / "layout", {name: multi_platform_image("linux/amd64", note=note) for name in _NAMES})
        if note == "old":
            _run(project, "lock")
            _run(project, "render")
            before = _contents(project)
    if request.param == "render":
        _run(project, "update")
        before = before | {"images.lock": project.lock_bytes}
        command: tuple[str, ...] = ("render",)
    else:
        command = ("update",)
    _run(project, *command)
    scene = _Scene(project, command, before, _contents(project))
    assert scene.before != scene.after
    scene.restore()
    return scene


def test_killed_before_any_line_that_writes(scene: _Scene) -> None:
    seen = set()
    for lines in count():
        program = [sys.executable, "-c", _KILL_AFTER_LINES, str(lines), *scene.command]
        environment = scene.project.process_environment()
        done = subprocess.run(program, cwd=scene.project.folder, env=environment, check=False, capture_output=True)
        if done.returncode != -signal.SIGKILL:
            break
        assert scene.find_damaged() == set()
        if scene.state() not in seen:
            seen.add(scene.state())
            scene.assert_next_run_succeeds()
        scene.restore()
    assert (done.returncode, _contents(scene.project)) == (0, scene.after)
    assert len(seen) > 2, "some were killed while a file was half done"


def test_killed_from_outside_at_any_time(scene: _Scene) -> None:
    program = [sys.executable, "-m", "imagelock", *scene.command]
    started = time.monotonic()
    _run(scene.project, *scene.command)
    whole_run_seconds = time.monotonic() - started
    scene.restore()
    rounds = 8
    for number in range(rounds):
        environment = scene.project.process_environment()
        with subprocess.Popen(program, cwd=scene.project.folder, env=environment, stderr=subprocess.DEVNULL) as process:
            # The files are written towards the end.
            time.sleep(whole_run_seconds * (0.5 + 0.5 * number / rounds))
            process.kill()
        assert scene.find_damaged() == set()
        scene.assert_next_run_succeeds()
        scene.restore()


def _run(project: Project, *arguments: str) -> None:
    outcome = project.run(*arguments)
    assert outcome.exit_code == 0, outcome.stderr


def _contents(project: Project) -> dict[str, bytes]:
    return {name: (project.folder / name).read_bytes() for name in _OUTPUTS}

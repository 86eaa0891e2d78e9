"""A mirror that is killed at any instant leaves a layout that is right as far as it goes, and resumes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.oci_images import Content, multi_platform_image, sha256
from tests.support.oci_layout import write_layout
from tests.support.project import Project

_STEPS = 16
_KILL_AFTER_LINES = """
import os, runpy, signal, sys, threading

lines_left = int(sys.argv.pop(1))
lines_run = 0

def count_down(frame, event, argument):
    global lines_left, lines_run
    if not os.path.basename(frame.f_code.co_filename).startswith("layout_"):
        return None
    if event == "line":
        lines_run += 1
        lines_left -= 1
        if lines_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return count_down

sys.argv[0] = "imagelock"
threading.settrace(count_down)
sys.settrace(count_down)
try:
    runpy.run_module("imagelock", run_name="__main__", alter_sys=True)
finally:
    sys.settrace(None)
    print(lines_run, file=sys.stderr)
"""
"""Kills its own process before a line of the modules that write a layout, in whichever thread that is."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two versions of two images, the older ones mirrored already."""
    (tmp_path / "project").mkdir()
    project = Project(folder=tmp_path / "project")
    project.declare({name: f"oci:../source:{name}" for name in ("go", "node")})
    for note in ("old", "new"):
        write_layout(tmp_path / "source", _images(note))
        assert project.run("update").exit_code == 0
        if note == "old":
            assert project.run("mirror", "oci:layout").exit_code == 0
    return project


def _images(note: str) -> dict[str, Content]:
    return {name: multi_platform_image("linux/amd64", note=f"{name} {note}") for name in ("go", "node")}


def _run(project: Project, lines: int) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", _KILL_AFTER_LINES, str(lines), "mirror", "oci:layout", "--prune"]
    environment = project.process_environment()
    return subprocess.run(program, cwd=project.folder, env=environment, check=False, capture_output=True, text=True)


def _assert_sound(layout: Path) -> None:
    """Everything that index.json names is there, and every blob is what its name says."""
    blobs = {f"sha256:{path.name}": path.read_bytes() for path in layout.glob("blobs/sha256/*")}
    assert all(sha256(body) == digest for digest, body in blobs.items())
    waiting = [entry["digest"] for entry in json.loads((layout / "index.json").read_text())["manifests"]]
    while waiting:
        document = json.loads(blobs[waiting.pop()])
        waiting += [entry["digest"] for entry in document.get("manifests", ())]
        for blob in (document["config"], *document["layers"]) if "layers" in document else ():
            assert blob["digest"] in blobs


def test_killed_before_any_line_it_resumes(project: Project) -> None:
    layout = project.folder / "layout"
    before = {path.relative_to(layout): path.read_bytes() for path in layout.rglob("*") if path.is_file()}
    whole = _run(project, 0)
    assert whole.returncode == 0, whole.stderr
    lines = int(whole.stderr.split()[-1])
    after = {path.relative_to(layout): path.read_bytes() for path in layout.rglob("*") if path.is_file()}
    assert before != after
    killed = 0
    for number in range(1, _STEPS + 1):
        _restore(layout, before)
        done = _run(project, lines * number // _STEPS)
        killed += done.returncode == -signal.SIGKILL
        _assert_sound(layout)
        resumed = project.run("mirror", "oci:layout", "--prune")
        assert resumed.exit_code == 0, resumed.stderr
        now = {path.relative_to(layout): path.read_bytes() for path in layout.rglob("*") if path.is_file()}
        assert now == after
    assert killed > _STEPS // 2


def _restore(layout: Path, files: dict[Path, bytes]) -> None:
    for path in sorted(layout.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    for name, body in files.items():
        (layout / name).parent.mkdir(parents=True, exist_ok=True)
        (layout / name).write_bytes(body)

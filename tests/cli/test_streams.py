"""The answer survives its streams: closed, full, or read by a program that has gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.project import Project

_FULL = Path("/dev/full")
_NO_SPACE = "error: cannot write to standard output\n  No space left on device\n"


@pytest.fixture
def stale(locked: Project) -> Project:
    """The answer to `check` and to `lock --check` is no."""
    locked.write("images.toml", locked.read("images.toml").replace("node:20", "node:21"))
    return locked


def _run(project: Project, *arguments: str, redirection: str) -> tuple[int, str]:
    """Run a command with a redirection of the shell; its exit code, and what came on standard error."""
    script = f'"$@" {redirection}; echo "${{PIPESTATUS[0]}}" >"$CODE"'
    code = project.folder.parent / "code"
    done = subprocess.run(
        ["bash", "-c", script, "bash", sys.executable, "-m", "imagelock", *arguments],
        cwd=project.folder,
        env={**project.process_environment(), "CODE": str(code)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    return int(code.read_text()), done.stderr.decode()


_REDIRECTIONS = (
    "| true",
    "2>&1 | true",
    ">&-",
    "2>&-",
    ">&- 2>&-",
    "<&- >&- 2>&-",
    ">/dev/full",
    "2>/dev/full",
    "&>/dev/full",
)


@pytest.mark.skipif(not _FULL.exists(), reason="/dev/full is a device of Linux")
@pytest.mark.parametrize("redirection", _REDIRECTIONS)
@pytest.mark.parametrize("command", ["check", "check --format json", "lock --check", "lock --check --format json"])
def test_no_stays_no(stale: Project, command: str, redirection: str) -> None:
    code, stderr = _run(stale, *command.split(), redirection=redirection)
    assert code == 1
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr


@pytest.mark.skipif(not _FULL.exists(), reason="/dev/full is a device of Linux")
@pytest.mark.parametrize("redirection", _REDIRECTIONS)
@pytest.mark.parametrize("command", ["list", "--help", "check --help", "--version", "cache dir", "export json"])
def test_what_can_t_be_printed_is_not_called_done(locked: Project, command: str, redirection: str) -> None:
    code, stderr = _run(locked, *command.split(), redirection=redirection)
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    assert code == (2 if redirection in (">/dev/full", "&>/dev/full") else code)
    assert code in (0, 2)
    assert stderr == (_NO_SPACE if redirection == ">/dev/full" else stderr)


@pytest.mark.parametrize("redirection", ["| true", ">&-", "2>&-", ">&- 2>&-", ">/dev/full", "&>/dev/full"])
def test_work_that_is_done_stays_done(workshop: Project, redirection: str) -> None:
    code, stderr = _run(workshop, "lock", "--format", "json", redirection=redirection)
    assert (code, "Traceback" in stderr) == (0, False)
    assert workshop.run("lock", "--check").exit_code == 0
    if redirection == ">/dev/full":
        assert stderr == "warning: cannot write to standard output: No space left on device; the files are written\n"


def test_a_closed_stream_s_number_is_not_given_to_a_file(workshop: Project) -> None:
    """Otherwise what is printed ends up in images.lock."""
    code, _ = _run(workshop, "lock", "-v", redirection="<&- >&- 2>&-")
    assert code == 0
    assert workshop.lock_bytes.startswith(b"# This file is @generated")
    assert workshop.run("lock", "--check").exit_code == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_that_an_encoding_lacks_are_escaped(pinned: Project, encoding: str) -> None:
    name = os.fsdecode("D\u00fc\u4e2d-".encode() + b"\xff.Dockerfile")
    pinned.declare_locked()
    pinned.write(name, "FROM golang:1.22\n")
    environment = {**pinned.process_environment(), "PYTHONIOENCODING": encoding}
    for arguments in (
        ["check", "--all", "--format", "json"],
        ["check", "--all"],
        ["init", "--dry-run", "--file", "new.toml"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "imagelock", *arguments],
            cwd=pinned.folder,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        assert b"Traceback" not in done.stderr
        if "json" in arguments:
            json.loads(done.stdout.decode(encoding))


@pytest.mark.parametrize(
    "name", ["::error::x", "  ::warning::x", "##[error]x", "##vso[task.complete]x", "a\n::error::x"]
)
def test_names_that_look_like_commands_of_a_ci_system_are_text(pinned: Project, name: str) -> None:
    pinned.declare_locked('[pin]\nfiles = ["**"]\n')
    pinned.write(f"{name}/Dockerfile", "FROM golang:1.22\nFROM redis\n")
    outputs = [pinned.run(*command.split()) for command in ("render", "check", "check --all", "check --format json")]
    outputs = [pinned.run("unpin", f"{name}/Dockerfile"), *outputs]
    lines = [line for outcome in outputs for line in (outcome.stdout + outcome.stderr).splitlines()]
    assert any("Dockerfile" in line for line in lines)
    for line in lines:
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line, line
        assert "##vso[" not in line, line
    json.loads(outputs[-1].stdout)


def test_a_name_with_control_characters_can_t_be_declared(workshop: Project) -> None:
    workshop.write(
        "images.toml", workshop.read("images.toml") + '"a\\nb" = "t\\u001b.in"\n[pin]\nfiles = ["c\\u0000d"]\n'
    )
    outcome = workshop.run("render")
    assert outcome.exit_code == 2
    assert outcome.stderr.count("control character") == 2
    assert len(outcome.stderr.splitlines()) == 3


def test_what_a_person_typed_before_a_host_is_not_repeated(workshop: Project) -> None:
    workshop.push("x:1", multi_platform_image("linux/amd64", note="x"))
    for text in ("https://user:hunter2@host.example/x", "user:hunter2@host.example/x:1", "user:hunter2@host.example"):
        for command in ("digest", "inspect", "tags", "add"):
            outcome = workshop.run("--offline", command, text)
            assert "hunter2" not in outcome.stdout + outcome.stderr, (command, text)
    workshop.write(
        "Dockerfile", "FROM user:hunter2-hunter2@host.example/x:1\nFROM https://user:hunter2@host.example/y\n"
    )
    workshop.write(
        "bad.toml", '[images]\n[registries."user:hunter2@host"]\nmirrors = ["https://user:hunter2@host/x"]\n'
    )
    for arguments in ("scan", "scan --format json", "init --dry-run --file new.toml", "check --file bad.toml"):
        outcome = workshop.run(*arguments.split())
        assert "hunter2" not in outcome.stdout + outcome.stderr, arguments

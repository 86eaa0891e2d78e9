"""A checkout is data: no command runs a program of it, writes outside, hangs, or prints what is not ours as ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hostile_repositories import HOSTILE, Attack
from tests.support.real_software import require_programs
from tests.support.robustness.hostile import AUDITED, PROGRAM, VIOLATION, Sweep, audited_environment
from tests.support.robustness.scenes import make_scenes

_COMMANDS = (
    "check --all --format json",
    "scan",
    "diff HEAD --format json",
    "lock",
    "render",
    "unpin compose.yaml",
    "init --file other.toml",
)
"""`benchmarks/robustness/hostile.py` runs all of them."""


@pytest.mark.parametrize("attack", HOSTILE)
def test_no_command_follows_a_checkout(tmp_path: Path, attack: str) -> None:
    assert list(Sweep(tmp_path).run(attack, commands=_COMMANDS)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "import subprocess; subprocess.run(['sh', '-c', 'true'])",
        "import os; os.system('true')",
        "import os; os.execv('/bin/sh', ['sh', '-c', 'true'])",
        "open('../outside', 'w')",
        "import os; os.open('../outside', os.O_CREAT | os.O_WRONLY)",
        "import os; os.rename('file', '../outside')",
        "import os; os.mkdir('../outside')",
        "import os; os.symlink('file', '../outside')",
        "import os; os.remove('../file')",
        "import os; os.mkdir('.git'); open('.git/config', 'w')",
    ],
)
def test_the_watch_sees_what_it_is_for(tmp_path: Path, statement: str) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "file").touch()
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-c", statement],
        cwd=tmp_path / "project",
        env=audited_environment({"PYTHONPATH": str(AUDITED)}, tmp_path / "project"),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr[:7]) == (VIOLATION, b"AUDIT: ")


@pytest.mark.parametrize("command", ["check --all", "scan", "diff HEAD", "render"])
@pytest.mark.parametrize(
    "attack", ["an embedded repository", "a configuration of git", "a partial clone", "a .git file"]
)
def test_git_starts_nothing(tmp_path: Path, attack: str, command: str) -> None:
    require_programs("strace", "git")
    project = make_scenes(tmp_path / "scenes")["files"].copy_to(tmp_path)
    for name in ("outside", "marks"):
        (tmp_path / name).mkdir()
    HOSTILE[attack](Attack(project, tmp_path / "outside", tmp_path / "marks"))
    log = tmp_path / "log"
    strace = ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=execve"]
    subprocess.run(
        [*strace, sys.executable, "-c", PROGRAM, *command.split()],
        cwd=project.folder,
        env=project.process_environment(),
        capture_output=True,
        check=False,
    )
    started = re.findall(r'execve\("([^"]+)".* = 0$', log.read_text(), re.MULTILINE)
    assert started[0] == sys.executable
    assert {Path(program).name for program in started[1:]} <= {"git"}
    assert list((tmp_path / "marks").iterdir()) == []

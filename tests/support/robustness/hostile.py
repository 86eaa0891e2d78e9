"""Runs every command in hostile checkouts, where the first program but git and the first write outside end it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.hostile_repositories import HOSTILE, Attack
from tests.support.project import Outcome, Project
from tests.support.robustness.scenes import make_scenes

COMMANDS = (
    "check",
    "check --all",
    "check --format json",
    "lock --check",
    "lock --check --format json",
    "list --format json",
    "explain go",
    "mirror oci:copy",
    "scan",
    "diff HEAD",
    "diff HEAD --format json",
    "diff HEAD --format markdown",
    "render --check",
    "render --diff",
    "outdated --format json",
    "verify --format json",
    "export json",
    "lock",
    "update --format json",
    "render",
    "render --pin compose.yaml",
    "unpin compose.yaml",
    "export env -o images.env",
    "add redis oci:vendor:redis:7",
    "remove node",
    "init --file other.toml",
    "scan --write",
)
VIOLATION = 99
AUDITED = Path(__file__).parents[1] / "audited"
PROGRAM = "import sys; del sys.path[0]; sys.argv[0] = 'imagelock'; from imagelock.__main__ import main; main()"
"""As the installed command is started: not by `python -m`, which takes modules from the working directory."""


class Sweep:
    """One scene for all attacks, each in a copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scene = make_scenes(folder / "scenes")["files"]

    def run(self, name: str, *, commands: tuple[str, ...] = COMMANDS) -> Iterator[str]:
        """Give everything that is wrong in one hostile checkout."""
        folder = self._folder / str(len(list(self._folder.iterdir())))
        (folder / "outside").mkdir(parents=True)
        (folder / "marks").mkdir()
        (folder / "outside" / "file").write_text("services:\n  a:\n    image: golang:1.22\n")
        project = self._scene.copy_to(folder)
        before = {path.name: path.read_bytes() for path in (folder / "outside").iterdir()}
        HOSTILE[name](Attack(project, folder / "outside", folder / "marks"))
        for command in commands:
            outcome = self._run_audited(project, command)
            yield from (f"{command}: {problem}" for problem in _judge(command, outcome))
            for mark in (folder / "marks").iterdir():
                yield f"{command}: ran {mark.name}"
            if {path.name: path.read_bytes() for path in (folder / "outside").iterdir()} != before:
                yield f"{command}: changed a file outside"
        shutil.rmtree(folder)

    def _run_audited(self, project: Project, command: str) -> Outcome:
        environment = project.process_environment()
        # Relative entries mean the checkout.
        environment["PATH"] = os.pathsep.join([".", "", "bin", environment["PATH"]])
        try:
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, *command.split()],
                cwd=project.folder,
                env=audited_environment(environment, project.folder),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=120,
            )
        except subprocess.TimeoutExpired:
            return Outcome(-1, "", "it hangs")
        return Outcome(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def audited_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Add what makes a Python end at a program but git, and at a write outside of the folder and the cache."""
    folders = [str(folder), *filter(None, [environment.get("XDG_CACHE_HOME")])]
    # A run that measures coverage of its processes writes a file of its own beside the checkout.
    quiet = {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}
    return {
        **quiet,
        "AUDIT_GIT": shutil.which("git") or "",
        "AUDIT_FOLDERS": os.pathsep.join(folders),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(AUDITED),
    }


def _judge(command: str, outcome: Outcome) -> Iterator[str]:
    if outcome.exit_code == VIOLATION or "AUDIT:" in outcome.stderr:
        yield outcome.stderr
    elif outcome.exit_code not in (0, 1, 2, 3):
        yield f"exit code {outcome.exit_code}: {outcome.stderr}"
    if "Traceback" in outcome.stderr:
        yield outcome.stderr
    if "json" in command and outcome.stdout:
        try:
            json.loads(outcome.stdout)
        except ValueError as error:
            yield f"no JSON: {error}"
    printed = [*outcome.stderr.splitlines(), *(outcome.stdout.splitlines() if "--diff" not in command else ())]
    for line in printed:
        if line.lstrip().startswith("::") or "##[" in line or "\x1b" in line:
            yield f"printed {line!r}"

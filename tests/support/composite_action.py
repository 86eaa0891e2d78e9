"""Runs the steps of a composite action as GitHub's runner does, in bash with its files and variables."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_INPUT = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")


@dataclass(frozen=True, slots=True)
class ActionRun:
    """What an action left behind; ``exit_code`` is that of the step that failed, or 0."""

    exit_code: int
    outputs: Mapping[str, str]
    summary: str
    log: str


def run_action(
    action: Path, *, inputs: Mapping[str, str], checkout: Path, scratch: Path, environment: Mapping[str, str]
) -> ActionRun:
    """Run an action.yml for a checkout; ``scratch`` is the runner's temporary folder, kept between steps."""
    document = yaml.safe_load(action.read_text())
    values = {name: str(declared.get("default", "")) for name, declared in document["inputs"].items()} | dict(inputs)
    scratch.mkdir(exist_ok=True)
    files = {name: scratch / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    variables = dict(environment) | {name: str(file) for name, file in files.items()}
    variables |= {
        "GITHUB_ACTIONS": "true",
        "CI": "true",
        "GITHUB_ACTION_PATH": str(action.parent),
        "GITHUB_WORKSPACE": str(checkout),
        "RUNNER_TEMP": str(scratch),
    }
    log, exit_code = "", 0
    for step in document["runs"]["steps"]:
        done = _run_step(step, values, checkout, variables | _assignments(files["GITHUB_ENV"]))
        log += done.stdout
        exit_code = done.returncode
        if exit_code:
            break
    return ActionRun(exit_code, _assignments(files["GITHUB_OUTPUT"]), files["GITHUB_STEP_SUMMARY"].read_text(), log)


def _run_step(
    step: Mapping[str, Any], values: Mapping[str, str], checkout: Path, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    assert step["shell"] == "bash"
    assert "${{" not in step["run"], "an input inside a script could be a script"
    own = {name: _filled(text, values) for name, text in step.get("env", {}).items()}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        check=False,
        cwd=checkout / _filled(step.get("working-directory", "."), values),
        env=os.environ | variables | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _INPUT.sub(lambda found: values[found[1]], text)


def _assignments(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())

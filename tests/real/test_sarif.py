"""What `check --format sarif` writes, read by the validator of Microsoft with the rules of GitHub's code scanning."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.git import Repository
from tests.support.project import Project
from tests.support.real_software import sarif_multitool

_PINNED = '[pin]\nfiles = ["Dockerfile", "déploiement/*.yaml"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder=folder)
    project.declare_locked(_PINNED)
    project.write("Dockerfile", "FROM golang:1.22\n")
    project.write("déploiement/a b.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: other:1}]}\n")
    Repository(folder).start()
    return project


def _in_order(project: Project) -> None:
    project.write("déploiement/a b.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx:1.25}]}\n")
    assert project.run("render").exit_code == 0


def _failing(project: Project) -> None:
    project.write("Dockerfile", "FROM golang:1.21\nFROM golang:${V}\nFROM golang:1.22\n")


def _stale(project: Project) -> None:
    project.declare_locked(_PINNED, images='[images]\ngo = "golang:1.23"\n')


def _with_a_pattern_that_finds_nothing(project: Project) -> None:
    project.declare_locked('[pin]\nfiles = ["nothing/**"]\n')


@pytest.mark.parametrize(
    ("prepare", "arguments", "rules"),
    [
        (_in_order, (), set()),
        (_failing, (), {"not-locked", "other-tag", "unresolved", "no-digest"}),
        (_failing, ("--all", "--strict"), {"not-locked", "other-tag", "unresolved", "no-digest"}),
        (_stale, (), {"selector-changed", "image-not-declared", "not-compared"}),
        (_with_a_pattern_that_finds_nothing, (), {"pin-pattern"}),
    ],
)
def test_each_report_is_what_code_scanning_takes(
    project: Project, prepare: object, arguments: tuple[str, ...], rules: set[str]
) -> None:
    assert callable(prepare)
    prepare(project)
    outcome = project.run("check", *arguments, "--format", "sarif")
    path = project.write("found.sarif", outcome.stdout)
    results = json.loads(outcome.stdout)["runs"][0]["results"]
    assert ({result["ruleId"] for result in results} <= rules, bool(results)) == (True, bool(rules))
    assert outcome.exit_code == bool(rules)
    _validate(path)


def test_a_run_that_cannot_answer_says_so_and_has_no_results(project: Project) -> None:
    project.write("images.toml", "[images]\ngo = 1\n")
    outcome = project.run("check", "--format", "sarif")
    path = project.write("found.sarif", outcome.stdout)
    (run,) = json.loads(outcome.stdout)["runs"]
    (invocation,) = run["invocations"]
    assert (outcome.exit_code, invocation["exitCode"], invocation["executionSuccessful"]) == (2, 2, False)
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification == {
        "level": "error",
        "message": {"text": "cannot use images.toml\nimages.toml:2: images.go: must be a reference or a table"},
    }
    assert "results" not in run
    _validate(path, rules="Sarif")


def _validate(path: Path, *, rules: str = "Sarif;Ghas") -> None:
    """Its exit code is 0 with errors, too: they are in its lines."""
    done = subprocess.run(
        [sarif_multitool(), "validate", path, "--rule-kind", rules],
        capture_output=True,
        check=False,
        env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        text=True,
    )
    problems = [line for line in (done.stdout + done.stderr).splitlines() if ": error " in line or ": warning " in line]
    assert problems == []
    assert "Analysis completed successfully" in done.stdout, done.stdout + done.stderr

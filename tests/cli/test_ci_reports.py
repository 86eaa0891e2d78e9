"""What GitLab and Azure Pipelines show of `check` and `verify`: reports and annotations in their forms."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.support.project import Project

_GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 32},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?![./])"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""What GitLab's page on Code Quality asks for; its own parser wants the same keys, but for `check_name`."""
_COMMAND = re.compile(r"##vso\[task\.logissue (?P<properties>(?:[a-z]+=[^;\]]*;)+)\](?P<message>[^\r\n]*)")
"""What Azure's agent takes for a command, and its properties without what must be escaped in them."""


def _issues(project: Project, *arguments: str) -> list[dict[str, Any]]:
    issues: list[dict[str, Any]] = json.loads(project.run("check", "--format", "gitlab", *arguments).stdout)
    assert [error.message for error in Draft7Validator(_GITLAB).iter_errors(issues)] == []
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return issues


def _failing(project: Project) -> None:
    project.declare_locked('[pin]\nfiles = ["Dockerfile", "missing"]\n')
    project.write("Dockerfile", "FROM golang:1.22\nFROM golang:1.22 AS b\nFROM redis:7\n")


def test_gitlab_gets_an_issue_for_each_problem(pinned: Project) -> None:
    _failing(pinned)
    issues = _issues(pinned)
    assert [(issue["check_name"], issue["severity"], issue["location"], issue["description"]) for issue in issues] == [
        (
            "pin-pattern",
            "major",
            {"path": "images.toml", "lines": {"begin": 5}},
            'images.toml: pin.files: "missing" matches no file',
        ),
        ("no-digest", "major", {"path": "Dockerfile", "lines": {"begin": 1}}, "golang:1.22: it has no digest"),
        ("no-digest", "major", {"path": "Dockerfile", "lines": {"begin": 2}}, "golang:1.22: it has no digest"),
        ("not-locked", "major", {"path": "Dockerfile", "lines": {"begin": 3}}, "redis:7: images.lock does not have it"),
    ]


def test_a_fingerprint_stays_when_lines_move(pinned: Project) -> None:
    _failing(pinned)
    before = _issues(pinned)
    pinned.write("Dockerfile", f"# one line more\n{pinned.read('Dockerfile')}")
    after = _issues(pinned)
    assert [issue["fingerprint"] for issue in after] == [issue["fingerprint"] for issue in before]
    assert [issue["location"]["lines"]["begin"] for issue in after] == [5, 2, 3, 4]


def test_what_check_lists_without_failing_is_information(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("Dockerfile", "ARG V=1.22\nFROM golang:${V}\n")
    outcome = pinned.run("check", "--all", "--format", "gitlab")
    assert (outcome.exit_code, [issue["severity"] for issue in json.loads(outcome.stdout)]) == (0, ["info"])
    assert [issue["severity"] for issue in _issues(pinned, "--strict")] == ["major"]


def test_nothing_wrong_is_an_empty_report(pinned: Project) -> None:
    pinned.declare_locked()
    assert pinned.run("check", "--format", "gitlab").stdout == "[]\n"


@pytest.mark.parametrize(("arguments", "stdout"), [(["--format", "gitlab"], ""), (["--format", "markdown"], "")])
def test_a_run_that_cannot_answer_reports_nothing(pinned: Project, arguments: list[str], stdout: str) -> None:
    pinned.write("images.toml", "[images]\ngo = 1\n")
    outcome = pinned.run("check", *arguments)
    assert (outcome.exit_code, outcome.stdout) == (2, stdout)


def test_a_stale_lock_is_reported_at_the_lines_of_both_files(pinned: Project) -> None:
    pinned.declare_locked(images='[images]\ngo = "golang:1.23"\n')
    places = {issue["check_name"]: issue["location"] for issue in _issues(pinned)}
    line = pinned.read("images.lock").splitlines().index("[images.nginx]") + 1
    assert places == {
        "selector-changed": {"path": "images.toml", "lines": {"begin": 2}},
        "image-not-declared": {"path": "images.lock", "lines": {"begin": line}},
    }


@pytest.mark.parametrize("variable", ["CI_PROJECT_DIR", "WORKSPACE", "BUILD_SOURCESDIRECTORY", "GITHUB_WORKSPACE"])
def test_paths_are_those_of_the_checkout(pinned: Project, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    _failing(pinned)
    monkeypatch.setenv(variable, str(pinned.folder.parent))
    assert {issue["location"]["path"] for issue in _issues(pinned)} == {"project/Dockerfile", "project/images.toml"}
    monkeypatch.setenv(variable, str(pinned.folder.parent / "elsewhere"))
    assert {issue["location"]["path"] for issue in _issues(pinned)} == {"Dockerfile", "images.toml"}


def _commands(stderr: str) -> list[tuple[dict[str, str], str]]:
    found = []
    for line in stderr.splitlines():
        if line.startswith("##vso["):
            match = _COMMAND.fullmatch(line)
            assert match is not None, line
            pairs = (part.split("=", 1) for part in match["properties"].rstrip(";").split(";"))
            found.append((dict(pairs), match["message"]))
    return found


def test_azure_shows_each_problem_beside_its_line(pinned: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned.declare_locked('[pin]\nfiles = ["100%;a]b/Dockerfile"]\n')
    pinned.write("100%;a]b/Dockerfile", "# x\nFROM golang:1.22\n")
    assert _commands(pinned.run("check").stderr) == []
    monkeypatch.setenv("TF_BUILD", "True")
    assert _commands(pinned.run("check").stderr) == [
        (
            {
                "type": "error",
                "sourcepath": "100%25%3Ba%5Db/Dockerfile",
                "linenumber": "2",
                "columnnumber": "6",
                "code": "no-digest",
            },
            "golang:1.22: it has no digest",
        )
    ]
    assert _commands(pinned.run("check", "-qq").stderr) == []


def test_azure_is_told_how_many_there_are(pinned: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", "FROM golang:1.22\n" * 11)
    monkeypatch.setenv("TF_BUILD", "True")
    commands = _commands(pinned.run("check").stderr)
    assert len(commands) == 12
    assert commands[-1] == ({"type": "warning"}, "11 problems in all; the log of this step has every one")


def test_a_reference_cannot_end_a_command(pinned: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned.declare_locked('[pin]\nfiles = ["compose.yaml"]\n')
    pinned.write("compose.yaml", 'services: {a: {image: "x:1\\n##vso[task.setvariable variable=a;]b"}}\n')
    monkeypatch.setenv("TF_BUILD", "True")
    stderr = pinned.run("check").stderr
    assert len(_commands(stderr)) >= 1
    assert not [line for line in stderr.splitlines() if line.lstrip().startswith("##vso[task.setvariable")]

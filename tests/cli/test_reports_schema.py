"""Every `--format json` against its schema: in success, failure, stale and broken states.

`Project.run` holds what is printed to the schema, here and in all other tests.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft7Validator

from imagelock.cli.main import cli
from imagelock.locking.inspection import UNREADABLE
from imagelock.model.artifacts import ARTIFACT_KINDS, NO_PLATFORM, OTHER_ARTIFACT
from tests.support.oci_images import multi_platform_image
from tests.support.project import Project
from tests.support.reports import report_schemas

_CHECKOUT = Path(__file__).parents[2]
_SHIPPED = _CHECKOUT / "src/imagelock/cli/reports/reports.schema.json"
_NODE = "oci:vendor:node:20"
_COMMANDS = {
    "lock": "lock",
    "lock --check": "lock --check",
    "lock --dry-run": "lock",
    "update --dry-run": "update",
    "update": "update",
    "render --check": "render",
    "render": "render",
    "check": "check",
    "check --all": "check",
    "list": "list",
    "outdated": "outdated",
    "verify": "verify",
    "verify --blobs": "verify",
    "explain go": "explain",
    "scan": "scan",
    "scan --kinds": "scan --kinds",
    "diff images.lock old.lock": "diff",
    "diff --layers old.lock images.lock": "diff",
    f"digest {_NODE}": "digest",
    f"digest --platform linux/amd64 {_NODE}": "digest",
    f"inspect {_NODE}": "inspect",
    f"inspect --platform linux/arm64 {_NODE}": "inspect",
    "tags oci:vendor": "tags",
    f"provenance {_NODE}": "provenance",
    "mirror oci:out": "mirror",
    "unpin Dockerfile": "unpin",
    "scan --write": "scan --write",
    f"add node20 {_NODE}-again": "add",
    "remove node": "remove",
}
"""What is typed, and the name of its schema."""
_UNREAD = {"run.sh": "docker run alpine:3\n", "ci/.gitlab-ci.yml": "a: {script: [docker pull alpine:3]}\n"}


def _in_order(project: Project) -> None:
    project.push("node:20-again", multi_platform_image("linux/amd64", "linux/arm64", note="again"))
    project.write("old.lock", project.read("images.lock"))


def _moved(project: Project) -> None:
    _in_order(project)
    project.push("golang:1.22", multi_platform_image("linux/amd64", "linux/arm64", note="moved"))
    project.write("compose.yaml", "services: {a: {image: 'redis:7'}, b: {image: 'x:${V}'}}\n")


def _stale(project: Project) -> None:
    _in_order(project)
    project.write(
        "images.toml", project.read("images.toml").replace('go = "oci:vendor:golang:1.22"', f'go = "{_NODE}"')
    )


def _edited(project: Project) -> None:
    _in_order(project)
    project.write("Dockerfile", "FROM golang\n")
    project.write("images.toml", f'{project.read("images.toml")}[pin]\nfiles = ["compose.yaml", "missing"]\n')
    project.write("compose.yaml", "services: {a: {image: 'redis:7'}}\n")


def _damaged(project: Project) -> None:
    _in_order(project)
    project.write("images.lock", project.read("images.lock").replace('checksum = "', 'checksum = "0', 1))


def _unread(project: Project) -> None:
    _in_order(project)
    project.write("images.toml", project.read("images.toml").partition("[render]")[0])
    project.write("run.sh", _UNREAD["run.sh"])
    project.write("ci/.gitlab-ci.yml", _UNREAD["ci/.gitlab-ci.yml"])


def _broken(project: Project) -> None:
    project.write("images.toml", "[images\n")
    project.write("old.lock", "")


@pytest.mark.parametrize("typed", _COMMANDS)
@pytest.mark.parametrize("prepare", [_in_order, _moved, _stale, _edited, _damaged, _unread, _broken])
def test_every_report_is_as_its_schema_says(locked: Project, prepare: Any, typed: str) -> None:  # noqa: ANN401
    prepare(locked)
    outcome = locked.run(*shlex.split(typed), "--format", "json")
    assert outcome.stdout.startswith("{")


@pytest.mark.parametrize("files", [{"Dockerfile": "FROM golang:1.22\nFROM x:${V}\n"}, _UNREAD, {}])
def test_the_first_images_file(workshop: Project, files: Mapping[str, str]) -> None:
    (workshop.folder / "images.toml").unlink()
    for name, text in files.items():
        workshop.write(name, text)
    assert workshop.run("init", "--dry-run", "--format", "json").stdout.startswith("{")
    assert workshop.run("init", "--format", "json").stdout.startswith("{")


def test_every_command_that_prints_json_is_tried_and_has_a_schema() -> None:
    tried = {f"command {name}" for name in (*_COMMANDS.values(), "init")}
    assert tried == {name for name in report_schemas() if name.startswith("command ")}
    root = click.Context(cli)
    commands = {name: cli.get_command(root, name) for name in cli.list_commands(root)}
    printing = {f"command {name}" for name, command in commands.items() if command and _prints_json(command)}
    assert printing == {name for name in tried if "--" not in name}


def _prints_json(command: click.Command) -> bool:
    choices = (option.type for option in command.params if option.name == "output_format")
    return any(isinstance(choice, click.Choice) and "json" in choice.choices for choice in choices)


def test_every_object_of_the_schema_is_closed() -> None:
    """Else a key that is not documented would pass."""
    objects = list(_objects(json.loads(_SHIPPED.read_text())["definitions"]))
    assert len(objects) > 30
    assert [each for each in objects if each.get("additionalProperties", True) is True] == []
    assert [each for each in objects if not set(each.get("required", ())) <= set(each.get("properties", ()))] == []


def _objects(schema: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  any part of a schema
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from _objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _objects(part)


@pytest.mark.parametrize(
    ("typed", "images"),
    [
        ("init", '[external]\nnames = ["x"]\n'),
        ("init --template Dockerfile", "[images]\n"),
        ("init --template Dockerfile --dry-run", "[images]\n"),
        ("scan --write", "[images]\n"),
        ("scan --write", None),
        ("scan --write Dockerfile", None),
        ("scan", None),
    ],
)
def test_whatever_begins_or_adds_to_images_toml(workshop: Project, typed: str, images: str | None) -> None:
    for name in ("images.toml", "Dockerfile.in"):
        (workshop.folder / name).unlink()
    if images is not None:
        workshop.write("images.toml", images)
    for name, text in {"Dockerfile": "FROM golang:1.22\nFROM x:${V}\n", **_UNREAD}.items():
        workshop.write(name, text)
    outcome = workshop.run(*typed.split(), "--format", "json")
    assert (outcome.exit_code, outcome.stdout[:1]) == (0, "{")


def test_a_failure_says_what_where_and_what_next(workshop: Project) -> None:
    workshop.write("images.toml", "[image]\n")
    outcome = workshop.run("lock", "--format", "json")
    assert outcome.exit_code == 2
    assert json.loads(outcome.stdout) == {
        "schema": 1,
        "ok": False,
        "error": {
            "message": "cannot use images.toml",
            "details": ["images.toml:1: image: is not a known key; did you mean `images`?"],
            "hint": None,
            "further_hints": [],
            "exit_code": 2,
        },
    }
    assert outcome.stderr.startswith("error: cannot use images.toml\n")


def test_a_failure_has_every_hint_with_the_options_of_the_run(pinned: Project) -> None:
    pinned.declare_locked()
    outcome = pinned.run("--lockfile", "images.lock", "add", "nginx:1.26", "--format", "json")
    error = json.loads(outcome.stdout)["error"]
    assert error["hint"] == "run `imagelock --lockfile images.lock update nginx --to 1.26` to move it"
    assert error["further_hints"] == ["run `imagelock --lockfile images.lock add nginx-1-26 nginx:1.26` to have both"]


def test_a_document_that_says_no_is_the_only_one(locked: Project) -> None:
    locked.write("Dockerfile", "")
    outcome = locked.run("check", "--format", "json")
    assert (outcome.exit_code, json.loads(outcome.stdout)["ok"]) == (1, False)


def test_the_program_prints_the_schema_of_each_command(workshop: Project) -> None:
    schema = json.loads(workshop.run("schema", "lock", "--check").stdout)
    assert Draft7Validator(schema).is_valid({"schema": 1, "ok": True, "problems": []})
    assert not Draft7Validator(schema).is_valid({"schema": 1, "ok": "yes", "problems": []})
    assert "did you mean `check`?" in workshop.run("schema", "chekc").stderr


def test_the_copy_that_is_published_is_the_one_that_is_shipped() -> None:
    assert (_CHECKOUT / "schema/reports.schema.json").read_bytes() == _SHIPPED.read_bytes()


def test_every_kind_of_artifact_is_a_code_of_the_schema() -> None:
    codes = {kind.code for _, kind in ARTIFACT_KINDS} | {OTHER_ARTIFACT}
    definitions = json.loads(_SHIPPED.read_text())["definitions"]
    others = definitions["command inspect"]["properties"]["others"]["items"]["properties"]["kind"]["enum"]

    assert set(definitions["artifact"]["properties"]["kind"]["enum"]) == codes
    assert set(others) == codes | {NO_PLATFORM, UNREADABLE}

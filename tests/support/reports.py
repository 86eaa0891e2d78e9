"""The JSON that commands print, held to the schema that is published, in every test that asks for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from jsonschema import Draft7Validator

_SHIPPED = Path(__file__).parents[2] / "src/imagelock/cli/reports/reports.schema.json"
_FLAGS = ("--check", "--kinds", "--write")
"""Options with which a command prints another report."""


@cache
def report_schemas() -> dict[str, Draft7Validator]:
    """A validator for each report by the name of its definition: ``command lock --check``, ``failure``."""
    document = json.loads(_SHIPPED.read_text())
    Draft7Validator.check_schema(document)
    definitions = document["definitions"]
    return {
        name: Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": definitions}) for name in definitions
    }


def asks_for_json(arguments: Sequence[str]) -> bool:
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def check_report(arguments: Sequence[str], stdout: str, exit_code: int) -> None:
    """Assert that what a command printed is one document, and as its schema says."""
    document = json.loads(stdout)
    if "error" in document:
        assert exit_code == document["error"]["exit_code"] > 0
        name = "failure"
    else:
        name = _report_of(arguments)
    problems = [f"{list(error.path)}: {error.message}" for error in report_schemas()[name].iter_errors(document)]
    assert problems == [], f"{' '.join(arguments)}: {problems}"


def _report_of(arguments: Sequence[str]) -> str:
    commands = {name.split()[1] for name in report_schemas() if name.startswith("command ")}
    command = next(argument for argument in arguments if argument in commands)
    flags = (f"command {command} {flag}" for flag in _FLAGS if flag in arguments)
    return next((name for name in flags if name in report_schemas()), f"command {command}")

"""Write the pages of the reference that are made from the program: docs/commands.md, docs/rules.md and docs/json.md.

    python scripts/generate_docs.py [--check]

With --check nothing is written; the exit code is 1 if a page is not what it should be. Versions of click format help
differently: the pages are those of the newest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from imagelock.cli.main import cli
from imagelock.cli.reports.rules import RULES

_DOCS = Path(__file__).parents[1] / "docs"
_REPORTS = Path(__file__).parents[1] / "schema/reports.schema.json"
_DEFINITIONS: Mapping[str, Any] = json.loads(_REPORTS.read_text("utf-8"))["definitions"]
_WIDTH = 100
_NAMES = {"integer": "number", "boolean": "true or false"}
_COMMANDS_INTRODUCTION = """\
# Commands

`imagelock help COMMAND` shows the same in a terminal. Data goes to standard output, everything about the work to
standard error. Every option has an environment variable.
"""
_RULES_INTRODUCTION = """\
# Rules of check

Each problem that `imagelock check` reports breaks one of these rules. The identifier is `kind` in JSON and `ruleId` in
SARIF, and never changes its meaning.
"""
_JSON_INTRODUCTION = """\
# JSON of each command

`--format json` prints one object on standard output, also where the answer is no. Within a `schema` number, keys are
only added: ignore those that you do not know. Their order has no meaning. `imagelock schema COMMAND` prints the JSON
Schema; [one file](https://github.com/imagelock/imagelock/blob/main/schema/reports.schema.json) has all of them.

Every object has `schema`, which is 1. A key in parentheses is there only if there is something to say.
"""


def main(arguments: list[str]) -> int:
    """Write or check each page, and return how many were not as they should be."""
    wrong = 0
    for name, text in {"commands.md": _commands(), "rules.md": _rules(), "json.md": _json()}.items():
        path = _DOCS / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        wrong += 1
        if "--check" in arguments:
            print(f"docs/{name} is not what the program says: run python scripts/generate_docs.py")
        else:
            path.write_text(text, "utf-8")
    return wrong if "--check" in arguments else 0


def _commands() -> str:
    root = click.Context(cli, info_name="imagelock", terminal_width=_WIDTH, help_option_names=["-h", "--help"])
    parts = [_COMMANDS_INTRODUCTION, f"```text\n{cli.get_help(root).rstrip()}\n```\n"]
    for name in sorted(cli.list_commands(root)):
        command = cli.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root, terminal_width=_WIDTH)
        parts.append(f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def _rules() -> str:
    rows = [f"| `{name}` | {rule.summary} | {rule.remedy} |" for name, rule in sorted(RULES.items())]
    lines = [_RULES_INTRODUCTION, "| rule | what it says | what to do |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _json() -> str:
    definitions = _DEFINITIONS
    reports = {name.removeprefix("command "): each for name, each in definitions.items() if name.startswith("command ")}
    objects = {
        name: each for name, each in definitions.items() if name not in ("digest", "failure") and " " not in name
    }
    lines = [_JSON_INTRODUCTION]
    for name, report in sorted(reports.items()):
        lines += [f"## {name}", "", *_table(report), ""]
    lines += ["## A command that fails", "", "Instead of a report, with an exit code that is not 0:", ""]
    lines += [*_table(definitions["failure"]), "", "## Objects in several reports", ""]
    for name, value in sorted(objects.items()):
        lines += [f"### {name}", "", *_table(value.get("items", value)), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(report: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | value | meaning |"
    yield "|---|---|---|"
    for key, value, is_required in _keys(report, ""):
        shown = f"`{key}`" if is_required else f"(`{key}`)"
        yield f"| {shown} | {_type(value)} | {value.get('description', '').rstrip('.')} |"


def _keys(report: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield each key of an object with its path, those of objects in it after it."""
    for key, value in report.get("properties", {}).items():
        if key == "schema" and not prefix:
            continue
        path = f"{prefix}{key}"
        yield path, value, key in report.get("required", ())
        for part in (value, *value.get("anyOf", ())):
            yield from _keys(part, f"{path}.")
            yield from _keys(part.get("items", {}), f"{path}[].")


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        is_list = "items" in _DEFINITIONS[name]
        return name if name == "digest" else f"{'list of ' if is_list else ''}[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(map(_type, value["anyOf"]))
    if "enum" in value:
        return ", ".join("null" if each is None else f"`{each}`" for each in value["enum"])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    kinds = value.get("type", "any")
    names = [_NAMES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    if "items" in value:
        names[0] = f"list of {_type(value['items'])}"
    return " or ".join(names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Write the pages of the reference that are made from the program: docs/commands.md and docs/rules.md.

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
_WIDTH = 100
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
_REPORTS_INTRODUCTION = """\
# JSON of each command

`--format json` prints one object. Within a `schema` number keys are only added: ignore those that you do not know. A
command that fails before it has a report prints `ok`, which is false, and `error` with `message`, `details`, `hint` and
`exit_code`. `imagelock schema COMMAND` prints the JSON Schema.
"""


def main(arguments: list[str]) -> int:
    """Write or check each page, and return how many were not as they should be."""
    wrong = 0
    for name, text in {"commands.md": _commands(), "rules.md": _rules()}.items():
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
    reports = _report_lines(json.loads(_REPORTS.read_text("utf-8"))["definitions"])
    lines = [_RULES_INTRODUCTION, "| rule | what it says | what to do |", "|---|---|---|", *rows]
    lines += ["", _REPORTS_INTRODUCTION, *reports]
    return "\n".join(lines) + "\n"


def _report_lines(definitions: Mapping[str, Any]) -> Iterator[str]:
    yield "| command | keys |"
    yield "|---|---|"
    for name, report in sorted(definitions.items()):
        if name.startswith("command "):
            keys = ", ".join(_key(key, value) for key, value in report["properties"].items() if key != "schema")
            yield f"| `{name.removeprefix('command ')}` | {keys} |"


def _key(key: str, value: Mapping[str, Any]) -> str:
    about = value.get("description")
    return f"`{key}`" + (f" ({about.rstrip('.')})" if about else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

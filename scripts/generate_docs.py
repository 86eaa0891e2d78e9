"""Write the pages of the reference that are made from the program: docs/commands.md, docs/rules.md, docs/json.md and
docs/llms.txt, and the manual pages in man/.

    python scripts/generate_docs.py [--check]

With --check nothing is written; the exit code is 1 if a page is not what it should be. Versions of click format help
differently: the pages are those of the newest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from imagelock.cli.help import GROUPS
from imagelock.cli.main import cli
from imagelock.cli.reports.rules import RULES

_PROJECT = Path(__file__).parents[1]
_DOCS = _PROJECT / "docs"
_REPORTS = _PROJECT / "schema/reports.schema.json"
_DEFINITIONS: Mapping[str, Any] = json.loads(_REPORTS.read_text("utf-8"))["definitions"]
_DESCRIPTIONS = {name: text for commands in GROUPS.values() for name, text in commands.items()}
_WIDTH = 100
_UNBROKEN = 10_000
"""The width of manual pages, whose lines man breaks."""
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
    for path, text in _pages():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        wrong += 1
        if "--check" in arguments:
            name = path.relative_to(_PROJECT)
            print(f"{name} is not what the program says: run python scripts/generate_docs.py")
        else:
            path.write_text(text, "utf-8")
    return wrong if "--check" in arguments else 0


def _pages() -> Iterator[tuple[Path, str]]:
    yield _DOCS / "commands.md", _commands()
    yield _DOCS / "rules.md", _rules()
    yield _DOCS / "json.md", _json()
    yield _DOCS / "llms.txt", _index()
    for name, text in _man_pages():
        yield _PROJECT / "man" / name, text


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


def _index() -> str:
    """Return the pages of the site for language models: https://llmstxt.org."""
    site = yaml.safe_load((_PROJECT / "mkdocs.yml").read_text("utf-8"))
    lines = [f"# {site['site_name']}\n", f"> {site['site_description']}\n", "## Pages\n"]
    for title, name in _leaves(site["nav"]):
        path = "" if name == "index.md" else f"{name.removesuffix('.md')}/"
        lines.append(f"- [{title}]({site['site_url']}{path})")
    return "\n".join(lines) + "\n"


def _leaves(nav: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for entry in nav:
        for title, value in entry.items():
            if isinstance(value, str):
                yield title, value
            else:
                yield from _leaves(value)


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


def _man_pages() -> Iterator[tuple[str, str]]:
    """Yield the file name and the text of each page: imagelock.1, imagelock-add.1 and so on."""
    root = click.Context(cli, info_name="imagelock", terminal_width=_UNBROKEN, help_option_names=["-h", "--help"])
    yield "imagelock.1", _page(cli, root, "keep container images at locked digests", see=sorted(_DESCRIPTIONS))
    for name in sorted(cli.list_commands(root)):
        command = cli.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root, terminal_width=_UNBROKEN)
        yield f"imagelock-{name}.1", _page(command, context, _DESCRIPTIONS[name], see=())


def _page(command: click.Command, context: click.Context, description: str, *, see: Sequence[str]) -> str:
    path = context.command_path
    title = path.replace(" ", "-")
    formatter = _Roff()
    formatter.write(f'.TH "{_escape(title.upper())}" 1 "" "imagelock" "imagelock manual"\n.nh\n')
    formatter.write(f".SH NAME\n{_escape(title)} \\- {_escape(description[0].lower() + description[1:])}\n")
    command.format_help(context, formatter)
    others = ", ".join(f"\\fBimagelock\\-{_escape(name)}\\fP(1)" for name in see) or "\\fBimagelock\\fP(1)"
    formatter.write(f".SH SEE ALSO\n{others}\n")
    return formatter.getvalue()


class _Roff(click.HelpFormatter):
    """Writes what a command says of itself as sections of a manual page."""

    def __init__(self) -> None:
        super().__init__(width=_UNBROKEN)

    def write(self, string: str) -> None:
        """Keep macros, and what is written as it is, such as examples, apart from blank lines."""
        if string.startswith("."):
            super().write(string)
        elif string.strip():
            super().write(f".PP\n{_escape(string.strip())}\n" if string.startswith(" ") else string)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:  # noqa: ARG002  as click calls it
        self.write(f".SH SYNOPSIS\n.B {_escape(prog)}\n{_escape(args)}\n.SH DESCRIPTION\n")

    def write_heading(self, heading: str) -> None:
        self.write(f".SH {_escape(heading.partition(' (')[0].upper())}\n")

    def write_paragraph(self) -> None:
        pass

    def write_text(self, text: str) -> None:
        for paragraph in filter(None, text.split("\n\n")):
            self.write(f".PP\n{_escape(' '.join(paragraph.split()))}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002
        for term, text in rows:
            self.write(f".TP\n\\fB{_escape(term.strip())}\\fP\n{_escape(text)}\n")


def _escape(text: str) -> str:
    """Escape what troff reads as its own: backslashes, hyphens, and dots or quotes that begin a line."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in escaped.split("\n"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

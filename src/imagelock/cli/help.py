"""The help: commands in groups, common options once, variables, exit codes and examples."""

from __future__ import annotations

from collections.abc import Sequence

import click

from imagelock.cli.options import is_shared

GROUPS: dict[str, dict[str, str]] = {
    "Start": {
        "init": "Create images.toml from the files in this repository",
        "scan": "List every image reference in this project's files",
        "add": "Add an image to images.toml and lock it",
        "remove": "Remove images from images.toml and images.lock",
    },
    "Every day": {
        "lock": "Update images.lock to match images.toml",
        "render": "Write the locked digests into your files",
        "check": "Verify lock and files (offline, for CI)",
        "unpin": "Remove digests from pinned files",
    },
    "Update": {
        "outdated": "Show images with newer content or tags",
        "update": "Update images to their current tags",
        "diff": "Show changes between two lockfiles or git revisions",
    },
    "Prove and carry": {
        "verify": "Ask registries whether they serve what is locked",
        "provenance": "Show whether images were built from the lock",
        "mirror": "Copy locked images into an OCI layout",
        "export": "Write locked images for builders and other tools",
    },
    "Look up": {
        "list": "List the locked images",
        "explain": "Show everything about one image",
        "digest": "Print the digests of references",
        "inspect": "Show an image index or an image",
        "tags": "List the tags of a repository",
    },
    "Other": {
        "cache": "Manage the cache",
        "completion": "Print a completion script for a shell",
        "schema": "Print the JSON Schema of images.toml",
        "help": "Show the help of a command",
    },
}
_EXAMPLES: dict[str, tuple[str, ...]] = {
    "add": ("imagelock add golang:1.22", "imagelock add node --version '>=20,<21' --variant slim"),
    "cache": ("imagelock cache size", "imagelock cache clean"),
    "check": ("imagelock check", "imagelock check --all --format json"),
    "diff": ("imagelock diff", "imagelock diff main HEAD --format markdown"),
    "digest": ("imagelock digest golang:1.22", "imagelock digest --full-ref golang:1.22 node:20"),
    "explain": ("imagelock explain golang",),
    "export": ("imagelock export buildkit-policy -o policy.json", "imagelock export env golang"),
    "help": ("imagelock help lock",),
    "init": ("imagelock init", "imagelock init --template Dockerfile"),
    "inspect": ("imagelock inspect golang:1.22", "imagelock inspect golang:1.22 --platform linux/arm64"),
    "list": ("imagelock list", "imagelock list --format json"),
    "lock": ("imagelock lock", "imagelock lock --check"),
    "mirror": ("imagelock mirror oci:./vendor/layout", "imagelock mirror --print skopeo registry.example.com/hub"),
    "outdated": ("imagelock outdated", "imagelock outdated golang --exit-code"),
    "provenance": ("imagelock provenance ghcr.io/acme/app:1.4",),
    "remove": ("imagelock remove redis",),
    "render": ("imagelock render", "imagelock render --diff"),
    "scan": ("imagelock scan", "imagelock scan --write"),
    "schema": ("imagelock schema", "imagelock schema check"),
    "tags": ("imagelock tags node --version '>=20,<21'",),
    "unpin": ("imagelock unpin compose.yaml",),
    "update": ("imagelock update", "imagelock update nginx --to 1.27"),
    "verify": ("imagelock verify", "imagelock verify golang --blobs"),
}
_CANNOT = "2 error · 3 try again later"
_EXIT_CODES: dict[str, str] = {
    "check": f"0 everything matches · 1 something does not · {_CANNOT}",
    "lock": f"0 done · 1 stale (with --check) · {_CANNOT}",
    "outdated": f"0 done · 1 outdated (with --exit-code) · {_CANNOT}",
    "provenance": f"0 built from the lock · 1 not · 2 cannot say · {_CANNOT.partition(' · ')[2]}",
    "render": f"0 done · 1 not up to date (with --check) · {_CANNOT}",
    "verify": f"0 all served · 1 something is gone · {_CANNOT}",
}
_DONE = f"0 done · {_CANNOT}"


def write_command_sections(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the sections below a command's description."""
    options = command.get_params(ctx)
    own = [it for it in options if isinstance(it, click.Option) and not is_shared(it)]
    rows = [row for option in own if (row := _option_row(option, ctx))]
    if rows:  # click before 8.3 refuses a list without entries
        with formatter.section("Options"):
            _write_options(rows, formatter)
    with formatter.section("Common options (`imagelock --help` describes them)"):
        formatter.write_text(" ".join(max(option.opts, key=len) for option in options if is_shared(option)))
    write_examples(command.name or "", formatter)


def write_examples(name: str, formatter: click.HelpFormatter) -> None:
    """Write the exit codes and the examples of a command."""
    with formatter.section("Exit codes"):
        formatter.write_text(_EXIT_CODES.get(name, _DONE))
    if name in _EXAMPLES:
        with formatter.section("Examples"):
            for example in _EXAMPLES[name]:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")


def write_subcommands(group: click.Group, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the commands of a group below its description, with examples."""
    with formatter.section("Commands"):
        rows = [(name, command.get_short_help_str()) for name, command in sorted(group.commands.items())]
        formatter.write_dl(rows)
    write_examples(ctx.info_name or "", formatter)


def write_groups(formatter: click.HelpFormatter) -> None:
    """Write all commands in their groups, aligned with each other."""
    width = max(len(name) for commands in GROUPS.values() for name in commands)
    for title, commands in GROUPS.items():
        with formatter.section(title):
            formatter.write_dl([(f"{name:{width}}", text) for name, text in commands.items()])


def write_common_options(context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options that every command has, and an example."""
    rows = [row for option in context.command.get_params(context) if (row := _option_row(option, context))]
    with formatter.section("Common options, before or behind the command"):
        _write_options(rows, formatter)
    with formatter.section("Examples"):
        for example in ("imagelock init && imagelock lock && imagelock render", "imagelock check  # in CI"):
            formatter.write(f"{'':{formatter.current_indent}}{example}\n")


def _write_options(rows: Sequence[tuple[str, str]], formatter: click.HelpFormatter) -> None:
    """Write options with their remarks, each of which stays on one line."""
    begin = len(formatter.buffer)
    formatter.write_dl(
        [(names, text.replace("[env: ", "[env:\xa0").replace("[default: ", "[default:\xa0")) for names, text in rows]
    )
    formatter.buffer[begin:] = [part.replace("\xa0", " ") for part in formatter.buffer[begin:]]


def _option_row(parameter: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    """Write an option with its variable, and its default where that is not nothing."""
    record = parameter.get_help_record(context)
    if record is None or not isinstance(parameter, click.Option):
        return record
    names, text = record
    remarks = []
    if isinstance(parameter.envvar, str):
        remarks.append(f"[env: {parameter.envvar}]")
    if isinstance(parameter.default, str) and parameter.default:
        remarks.append(f"[default: {parameter.default}]")
    return names, " ".join([text, *remarks])

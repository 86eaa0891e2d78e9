"""``imagelock render``: write every file that has a template, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import click

from imagelock.cli.console import Console
from imagelock.cli.options import Settings, with_settings
from imagelock.cli.outputs import Output, choose_targets, render_outputs
from imagelock.cli.project import Project, find_project
from imagelock.cli.words import count
from imagelock.errors import CheckFailedError, DocumentError
from imagelock.files import write_changed


@click.command("render")
@click.argument("outputs", nargs=-1, metavar="[OUTPUT]...")
@click.option("--check", is_flag=True, help="Ask whether each file is what render would write; write nothing.")
@click.option("--diff", is_flag=True, help="Show what would change; write nothing.")
@with_settings
def command(settings: Settings, *, outputs: tuple[str, ...], check: bool, diff: bool) -> None:
    """Write every file under [render], or the named ones, with the locked digests.

    Uses images.lock alone: never the network, and never a lock that images.toml has outgrown.
    """
    project = find_project(settings)
    rendered = _render(project, outputs)
    stale = [output for output in rendered if not output.is_current()]
    if diff:
        for output in stale:
            settings.console.raw_data(_unified_diff(output))
    if check:
        _refuse_stale(settings.console, rendered, stale)
    elif not diff:
        _write(settings.console, rendered, stale)


def _render(project: Project, outputs: tuple[str, ...]) -> tuple[Output, ...]:
    images_file, lockfile = project.read_fresh()
    if not images_file.targets:
        raise DocumentError(
            f"{project.images_path} names no file to render",
            hint='add `[render]` and a line such as `"Dockerfile" = "Dockerfile.in"` to it',
        )
    return render_outputs(project, choose_targets(project, images_file, outputs), images_file, lockfile)


def _write(console: Console, rendered: tuple[Output, ...], stale: Iterable[Output]) -> None:
    contents = {output.path: output.rendering.content for output in stale}
    written = write_changed(contents, like={output.path: output.template for output in stale})
    total = count(len(rendered), "file")
    console.say(f"Rendered {len(written)} of {total}" if written else f"{total} already rendered")
    for path in written:
        console.say(f"{click.style('Wrote', fg='green', bold=True)} {path}")
    _note_single_platforms(console, rendered)


def _note_single_platforms(console: Console, rendered: Iterable[Output]) -> None:
    fields = {field: output.path for output in rendered for field in output.rendering.single_platforms}
    if fields:
        field, path = next(iter(fields.items()))
        console.note(f"{path} has the digest of one platform ({field}); builders on other platforms can't use it")


def _refuse_stale(console: Console, rendered: tuple[Output, ...], stale: list[Output]) -> None:
    if stale:
        raise CheckFailedError(
            f"{count(len(stale), 'file')} of {len(rendered)} not rendered from the current lock",
            details=[str(output.path) for output in stale],
            hint="run `imagelock render`",
        )
    console.say(f"{count(len(rendered), 'file')} rendered from the current lock")


def _unified_diff(output: Output) -> bytes:
    import difflib  # noqa: PLC0415  only a diff needs it

    old = output.path.read_bytes() if output.path.exists() else b""
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        # As patch splits them: a lone CR ends no line.
        BytesIO(old).readlines(),
        BytesIO(output.rendering.content).readlines(),
        str(output.path).encode(),
        f"{output.path} (rendered)".encode(),
    )
    return b"".join(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines)

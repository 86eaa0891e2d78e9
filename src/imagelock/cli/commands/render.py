"""``imagelock render``: write every file that has a template, and pin those that have none, all or nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelock.cli.console import Console
from imagelock.cli.options import Settings, complete_outputs, format_option, with_settings
from imagelock.cli.text import absent_notes, count
from imagelock.cli.transactions import begin
from imagelock.errors import CheckFailedError
from imagelock.project.project import Project, find_project
from imagelock.project.transaction import Transaction
from imagelock.rendering.file_choice import FileChoice, all_files, files_to_pin, named_files
from imagelock.rendering.outputs import Output, make_outputs

if TYPE_CHECKING:
    from imagelock.documents.pinning import Pinned  # 30 ms that only [pin] needs


@click.command("render")
@click.argument("outputs", nargs=-1, metavar="[OUTPUT]...", shell_complete=complete_outputs)
@click.option("--pin", is_flag=True, help="Pin the named files, whether or not images.toml lists them.")
@click.option("--retag", is_flag=True, help="Give references with another tag the locked one.")
@click.option("--check", is_flag=True, help="Verify that each file is up to date; write nothing.")
@click.option("--diff", is_flag=True, help="Show what would change; write nothing.")
@format_option
@with_settings
def command(  # noqa: PLR0913  one a command-line option
    settings: Settings,
    *,
    outputs: tuple[str, ...],
    pin: bool,
    retag: bool,
    check: bool,
    diff: bool,
    output_format: str,
) -> None:
    """Write the locked digests into your files.

    Writes all files under [render], [pin] and [export], or only OUTPUT. Offline. Fails if images.lock is stale. Skips
    references that cannot be pinned with a warning; `imagelock check` fails for them.
    """
    if pin and not outputs:
        raise click.UsageError("--pin needs the files to pin", click.get_current_context())
    if diff and output_format == "json":
        raise click.UsageError("--diff is a text of its own: leave out --format", click.get_current_context())
    project = find_project(settings.images_path, settings.lock_path)
    if check or diff:
        with project.reading():
            choice, made = _make(project, outputs, takes_any_file=pin, retags=retag)
            stale = _stale(made)
            differences = [_unified_diff(output) for output in stale] if diff else []
        _note_left_out(settings.console, choice, made if outputs else ())
        for difference in differences:
            settings.console.raw_data(difference)
        if check:
            _report_check(settings.console, made, stale, output_format=output_format)
        return
    with begin(settings.console, project) as transaction:
        choice, made = _make(project, outputs, takes_any_file=pin, retags=retag)
        written = _write(transaction, _stale(made))
    if output_format == "json":
        settings.console.json(_document(made, stale=(), written=written))
        return
    _note_left_out(settings.console, choice, made if outputs else ())
    _tell(settings.console, made, written)


def _stale(made: Iterable[Output]) -> list[Output]:
    return [output for output in made if not output.is_current()]


def _make(
    project: Project, names: tuple[str, ...], *, takes_any_file: bool, retags: bool
) -> tuple[FileChoice, tuple[Output, ...]]:
    images_file, lockfile = project.read_fresh()
    if takes_any_file:
        choice = files_to_pin(project, images_file, names)
    elif names:
        choice = named_files(project, images_file, names)
    else:
        choice = all_files(project, images_file)
    if not retags:
        return choice, make_outputs(project, choice, images_file, lockfile)
    from imagelock.documents.locked_references import Retag  # noqa: PLC0415  only --retag needs it

    return choice, make_outputs(project, choice, images_file, lockfile, retag=Retag())


def _write(transaction: Transaction, stale: Iterable[Output]) -> tuple[Path, ...]:
    return transaction.write(
        {output.path: output.content for output in stale},
        like={output.path: output.template for output in stale if output.template},
        seen={output.path: output.original for output in stale if output.original is not None},
    )


def _tell(console: Console, made: tuple[Output, ...], written: Collection[Path]) -> None:
    done = f"Rendered {len(written)} of {count(len(made), 'file')}" if written else _counts(made, "already rendered")
    console.say(done)
    whole = {output.path for output in made if output.is_whole}
    for path in written:
        verb = "Wrote" if path in whole else "Pinned"
        console.say(f"{click.style(verb, fg='green', bold=True)} {path}")
    _note_single_platforms(console, made)
    _warn_of_plain_templates(console, made)
    _note_exports(console, made)
    _tell_what_stayed(console, made)


def _document(made: Iterable[Output], *, stale: Collection[Output], written: Collection[Path]) -> dict[str, Any]:
    """Describe every file for scripts, with what was left as it is in it."""
    return {
        "ok": not stale,
        "files": [
            {
                "path": str(output.path),
                "current": output not in stale,
                "written": output.path in written,
                "left_alone": [
                    {"line": line, "column": column, "reason": reason}
                    for line, column, reason in _left_alone(output.pinned)
                ],
            }
            for output in made
        ],
    }


def _left_alone(pinned: Pinned | None) -> Iterator[tuple[int, int, str]]:
    if pinned is not None:
        for problem in pinned.problems:
            yield problem.position.line, problem.position.column, problem.reason
        for refusal in pinned.refused:
            position = refusal.reference.position
            yield position.line, position.column, f"{refusal.reference.shown}: {refusal.reason}"


def _note_left_out(console: Console, choice: FileChoice, named: Iterable[Output]) -> None:
    """Note which files are left as they are, and which of those that were named have no image."""
    for output in named:
        if output.pinned and not output.pinned.names_image:
            console.note(f"{output.path} names no image")
    for path in choice.external:
        console.note(f"`{path}` is not pinned: `[external] files` excludes it")
    for note in absent_notes(choice.absent):
        console.note(note)


def _note_exports(console: Console, made: Iterable[Output]) -> None:
    for output in made:
        for note in output.exported.notes if output.exported else ():
            console.note(f"{output.path}: {note}")


def _counts(made: Sequence[Output], state: str) -> str:
    """Return how many files are in a state, and how many could not be read."""
    if not made:
        return "no file here has anything to render"
    unread = sum(1 for output in made if output.pinned and output.pinned.problems)
    parts = [f"{count(len(made) - unread, 'file')} {state}"] if len(made) > unread or not unread else []
    parts += [f"{count(unread, 'file')} could not be read"] if unread else []
    return ", ".join(parts)


def _tell_what_stayed(console: Console, made: Iterable[Output]) -> None:
    pinned = {output.path: output.pinned for output in made if output.pinned}
    if pinned:
        from imagelock.cli.reports.unpinned import tell_what_stayed  # noqa: PLC0415  30 ms that only pinning needs

        tell_what_stayed(console, pinned)


def _note_single_platforms(console: Console, made: Iterable[Output]) -> None:
    fields = {field: output.path for output in made if output.rendering for field in output.rendering.single_platforms}
    if fields:
        field, path = next(iter(fields.items()))
        console.note(f"{path} has the digest of one platform ({field}); builders on other platforms can't use it")


def _warn_of_plain_templates(console: Console, made: Iterable[Output]) -> None:
    for note in dict.fromkeys(note for output in made for note in output.template_notes):
        console.warn(note)


def _report_check(console: Console, made: tuple[Output, ...], stale: list[Output], *, output_format: str) -> None:
    if output_format == "json":
        console.json(_document(made, stale=stale, written=()))
    _warn_of_plain_templates(console, made)
    _tell_what_stayed(console, made)
    if stale:
        raise CheckFailedError(
            f"{count(len(stale), 'file')} of {len(made)} not rendered from the current lock",
            details=[str(output.path) for output in stale],
            hint="run `imagelock render`",
        )
    if output_format == "text":
        console.say(_counts(made, "rendered from the current lock"))


def _unified_diff(output: Output) -> bytes:
    import difflib  # noqa: PLC0415  only a diff needs it

    old = output.path.read_bytes() if output.path.exists() else b""
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        # As patch splits them: a lone CR ends no line.
        BytesIO(old).readlines(),
        BytesIO(output.content).readlines(),
        str(output.path).encode(),
        f"{output.path} (rendered)".encode(),
    )
    return b"".join(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines)

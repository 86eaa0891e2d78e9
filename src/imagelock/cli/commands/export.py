"""``imagelock export``: the locked images in the format of a builder or another tool."""

from __future__ import annotations

from pathlib import Path

import click

from imagelock.cli.options import Settings, complete_formats, complete_images, with_settings
from imagelock.cli.transactions import begin
from imagelock.errors import DocumentError
from imagelock.images_file.exports import Export, ExportFormat, read_format
from imagelock.images_file.parser import refuse_unknown_images
from imagelock.project.files import read_bytes
from imagelock.project.project import Project, find_project
from imagelock.project.transaction import Transaction
from imagelock.project.work_tree import identify
from imagelock.rendering.exports.formats import ExportInput, make_export
from imagelock.rendering.template import images_to_render

_READERS = """\b
Formats and their readers:
  buildkit-policy  docker buildx, EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=FILE;
                   buildctl build --source-policy-file FILE
  buildah-policy   buildah build --source-policy-file FILE (1.44 and newer)
  rego             docker buildx build --policy filename=FILE (0.31 and newer)
  bake             docker buildx bake -f docker-bake.hcl -f FILE; each target
                   needs inherits = ["_imagelock"]
  build-contexts   docker buildx build $(imagelock export build-contexts) .
  compose          docker compose -f compose.yaml -f FILE
  kustomize        a kustomization, with components: [DIR of FILE]
  env              sh, make, and docker compose --env-file FILE
  json             scripts in any language"""


def _read_format(context: click.Context, parameter: click.Parameter, text: str) -> ExportFormat:
    found = read_format(text)
    if not isinstance(found, ExportFormat):
        raise click.BadParameter(found, context, parameter)
    return found


@click.command("export", epilog=_READERS)
@click.argument("format_", metavar="FORMAT", callback=_read_format, shell_complete=complete_formats)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_images)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to this file.")
@click.option("--from", "sources", multiple=True, metavar="FILE", help="For compose: override this file; repeatable.")
@click.option(
    "--allow",
    metavar="SCHEME,…",
    default="",
    callback=lambda _context, _option, text: tuple(filter(None, (scheme.strip() for scheme in text.split(",")))),
    help="For buildkit-policy and rego: allow git, http or https sources.",
)
@click.option("--pin-only", is_flag=True, help="For policies: convert tags to digests and deny nothing.")
@click.option("--mirror", metavar="DIR", help="For build-contexts: take images from this OCI layout.")
@with_settings
def command(  # noqa: PLR0913  click hands over each option as an argument
    settings: Settings,
    *,
    format_: ExportFormat,
    names: tuple[str, ...],
    output: Path | None,
    sources: tuple[str, ...],
    allow: tuple[str, ...],
    pin_only: bool,
    mirror: str | None,
) -> None:
    """Write locked images for builders and other tools.

    Offline. A policy lets only locked images and local files into a build. To keep a file up to date with `render`
    and `check`, list it under [export] in images.toml.
    """
    export = Export(format=format_, names=names, sources=sources, allow=allow, pin_only=pin_only, mirror=mirror)
    problems = [f"--{option} {sentence}" for option, sentence in export.find_problems()]
    if problems:
        raise click.UsageError("; ".join(problems), click.get_current_context())
    project = find_project(settings.images_path, settings.lock_path)
    if output is None or str(output) == "-":
        settings.console.raw_data(_make(settings, project, export))
    else:
        with begin(settings.console, project) as transaction:
            _write(settings, project, transaction, output, _make(settings, project, export))


def _make(settings: Settings, project: Project, export: Export) -> bytes:
    images_file, lockfile = project.read_fresh()
    refuse_unknown_images(export.names, images_file)
    images = images_to_render(images_file, lockfile)
    source = ExportInput(images=images, read=lambda name: read_bytes(Path(name)), external=images_file.external)
    made = make_export(export, source)
    for note in made.notes:
        settings.console.note(note)
    return made.text.encode()


def _write(settings: Settings, project: Project, transaction: Transaction, output: Path, content: bytes) -> None:
    if identify(output) in (identify(project.images_path), identify(project.lock_path)):
        raise DocumentError(f"cannot write an export to {output}: imagelock needs it")
    written = transaction.write({output: content})
    verb = click.style("Wrote", fg="green", bold=True) if written else "Unchanged:"
    settings.console.say(f"{verb} {output}")

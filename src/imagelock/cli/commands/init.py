"""``imagelock init``: write images.toml from the files that are here, and make templates of files at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelock.cli.console import Console
from imagelock.cli.first_run import FirstFileRequest, make_templates, plan_project, tell_beginning, template_sources
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.reports.scan import Adoption, adoption_document
from imagelock.cli.transactions import begin
from imagelock.cli.tree_scan import scan_named
from imagelock.errors import FileError
from imagelock.images_file.discovery import survey
from imagelock.images_file.parser import IMAGES_FILE_NAME, RenderTarget, parse_images_file
from imagelock.images_file.templating import TEMPLATE_SUFFIX, Template
from imagelock.project.files import read_text
from imagelock.project.project import Project, find_or_begin_project, find_project

if TYPE_CHECKING:
    from imagelock.images_file.additions import Additions  # loads what edits images.toml


@click.command("init")
@click.option(
    "--template", "templates", multiple=True, metavar="FILE", help="Make a template FILE.in of this file; repeatable."
)
@click.option("--platform", "platforms", multiple=True, metavar="PLATFORM", help="Lock this platform; repeatable.")
@click.option("--exclude", "excluded", multiple=True, metavar="PATTERN", help="Leave these files out; repeatable.")
@click.option("--follow-tags", is_flag=True, help="Declare tags without the digests beside them.")
@click.option("--dry-run", is_flag=True, help="Print images.toml; write nothing.")
@format_option
@with_settings
def command(  # noqa: PLR0913  click hands over each option as an argument
    settings: Settings,
    *,
    templates: tuple[str, ...],
    platforms: tuple[str, ...],
    excluded: tuple[str, ...],
    follow_tags: bool,
    dry_run: bool,
    output_format: str,
) -> None:
    """Create images.toml from the files in this repository.

    Names the images of all files that git tracks or would add. Files are pinned in place, unless --template makes
    templates of them, which also works later. Offline.
    """
    images_path = settings.images_path or Path(IMAGES_FILE_NAME)
    if images_path.exists():
        if platforms:
            raise click.UsageError(f"--platform is for a new file: {images_path} has `platforms` already")
        if templates:
            _add_templates(settings, templates, is_dry_run=dry_run, output_format=output_format)
        else:
            _go_on(settings, excluded, follows_tags=follow_tags, is_dry_run=dry_run, output_format=output_format)
        return
    request = FirstFileRequest(templates=templates, platforms=platforms, excluded=excluded, follows_tags=follow_tags)
    plan = partial(plan_project, settings.console, images_path, request)
    if dry_run:
        begun = plan()
    else:
        with begin(settings.console, find_or_begin_project(images_path, settings.lock_path)) as transaction:
            begun = plan()
            transaction.write(begun.contents(), like=begun.originals)
    tell_beginning(settings.console, begun, is_dry_run=dry_run, output_format=output_format)


def _go_on(
    settings: Settings, excluded: Sequence[str], *, follows_tags: bool, is_dry_run: bool, output_format: str
) -> None:
    """Add everything to an images.toml that is there and declares nothing yet."""
    project = find_project(settings.images_path, settings.lock_path)
    if is_dry_run:
        hint = "run `imagelock scan` to see what is new"
        raise FileError(f"cannot create {project.images_path}: it exists already", hint=hint)
    images_file = project.read_images_file()
    if images_file.images or images_file.targets or images_file.pins.names_files:
        hint = "run `imagelock scan --write` to add what is new"
        raise FileError(f"cannot create {project.images_path}: it exists already", hint=hint)
    from imagelock.cli.commands.scan import scan_and_write  # noqa: PLC0415  only a file that declares nothing needs it

    scan_and_write(settings, project, excluded=excluded, follows_tags=follows_tags, output_format=output_format)


def _add_templates(settings: Settings, names: Sequence[str], *, is_dry_run: bool, output_format: str) -> None:
    """Make templates, declare the images in them that are new, and list what they are rendered to."""
    from imagelock.images_file.additions import Additions, find_additions  # noqa: PLC0415  loads what edits images.toml

    project = find_project(settings.images_path, settings.lock_path)
    with begin(settings.console, project) as transaction:
        images_file = project.read_images_file()
        named = {document.path: document for document in scan_named(project.folder, names, rules=images_file.documents)}
        found = survey(named.values(), images_file)
        targets = tuple(RenderTarget(path, f"{path}{TEMPLATE_SUFFIX}") for path in sorted(named))
        listed = {target.output for target in images_file.targets}
        if already := [target.output for target in targets if target.output in listed]:
            hint = f"edit its template, `{next(it.template for it in images_file.targets if it.output == already[0])}`"
            raise FileError(f"{project.images_path} renders `{already[0]}` already", hint=hint)
        images = find_additions(found, images_file, carried=named).images
        additions = Additions(images=images, targets=targets)
        templates = make_templates(project.folder, named, found)
        edited = additions.apply(read_text(project.images_path))
        parse_images_file(edited, file_name=str(project.images_path))
        contents = {path: template.content for path, template in templates.items()}
        contents[project.images_path] = project.encode_images_file(edited)
        if not is_dry_run:
            transaction.write(contents, like=template_sources(templates))
    if output_format == "json":
        adoption = Adoption(
            images={it.alias: it.image for it in additions.images},
            files={image.alias: image.paths for image in found.images},
            written=tuple(contents),
            left=[obstacle for template in templates.values() for obstacle in template.remaining],
        )
        settings.console.json(adoption_document(adoption, is_dry_run=is_dry_run))
    else:
        _tell_templates(settings.console, project, additions, templates, is_dry_run=is_dry_run)


def _tell_templates(
    console: Console, project: Project, additions: Additions, templates: Mapping[Path, Template], *, is_dry_run: bool
) -> None:
    console.say(f"{'Would add' if is_dry_run else 'Added'} to {project.images_path}:")
    for line in additions.lines():
        console.say(f"  {line}")
    for path, template in templates.items():
        console.say(f"{'Would write' if is_dry_run else click.style('Wrote', fg='green', bold=True)} {path}")
        for obstacle in template.remaining:
            console.warn(str(obstacle))
    if not is_dry_run:
        console.next_step(*(["imagelock lock"] if additions.images else []), "imagelock render")

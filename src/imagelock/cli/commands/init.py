"""``imagelock init``: write images.toml from the files that are here, and make templates of files at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelock.cli.console import Console
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.reports.scan import obstacle_document
from imagelock.cli.text import count
from imagelock.cli.transactions import begin
from imagelock.cli.tree_scan import scan_named, scan_tree
from imagelock.errors import FileError
from imagelock.images_file.discovery import FoundImage, ScannedDocument, Survey, Unlockable, survey
from imagelock.images_file.first_file import DEFAULT_PLATFORMS, FirstFile, dump_first_file
from imagelock.images_file.parser import IMAGES_FILE_NAME, RenderTarget, parse_images_file
from imagelock.images_file.templating import TEMPLATE_SUFFIX, Template, make_template
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.project.files import read_text
from imagelock.project.project import Project, find_or_begin_project, find_project
from imagelock.rendering.pinned_files import external_files

if TYPE_CHECKING:
    from imagelock.images_file.additions import Additions  # loads what edits images.toml


@click.command("init")
@click.option(
    "--template", "templates", multiple=True, metavar="FILE", help="Make a template FILE.in of this file; repeatable."
)
@click.option("--platform", "platforms", multiple=True, metavar="PLATFORM", help="A platform to lock; repeatable.")
@click.option("--exclude", "excluded", multiple=True, metavar="PATTERN", help="Leave these files out; repeatable.")
@click.option("--follow-tags", is_flag=True, help="Declare tags alone where digests are beside them.")
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

    Finds the images of all files that git knows or would add, and names them. Files are pinned in place, unless
    --template makes templates of them; that also works later, when there is an images.toml. Offline.
    """
    images_path = settings.images_path or Path(IMAGES_FILE_NAME)
    if images_path.exists():
        _go_on(settings, templates, excluded, is_dry_run=dry_run, output_format=output_format)
        return
    plan = partial(
        plan_project,
        settings.console,
        images_path,
        templates=templates,
        platforms=platforms,
        excluded=excluded,
        follows_tags=follow_tags,
    )
    if dry_run:
        begun = plan()
    else:
        with begin(settings.console, find_or_begin_project(images_path, settings.lock_path)) as transaction:
            begun = plan()
            transaction.write(begun.contents(), like=begun.originals)
    tell_beginning(settings.console, begun, is_dry_run=dry_run, output_format=output_format)


@frozen(kw_only=True)
class Beginning:
    """What a first images.toml is made of, and everything that is written with it."""

    images_path: Path
    file: FirstFile
    text: str
    templates: Mapping[Path, Template]

    @property
    def originals(self) -> dict[Path, Path]:
        """The files that templates are made of, by template."""
        return _originals(self.templates)

    def contents(self) -> dict[Path, bytes]:
        """Return every file with its bytes."""
        return {
            self.images_path: self.text.encode(),
            **{path: template.content for path, template in self.templates.items()},
        }


def plan_project(
    console: Console,
    images_path: Path,
    *,
    templates: Sequence[str] = (),
    platforms: Sequence[str] = (),
    excluded: Sequence[str] = (),
    follows_tags: bool = False,
) -> Beginning:
    """Compute the first images.toml and the templates: one that can't be made stops it all."""
    folder = images_path.parent
    named = {document.path: document for document in scan_named(folder, templates)}
    is_excluded = external_files(excluded)
    documents = scan_tree(folder, console, wants=lambda path: not is_excluded(path))
    found = survey(({document.path: document for document in documents} | named).values())
    file = FirstFile(
        survey=found.following_tags() if follows_tags else found,
        platforms=tuple(dict.fromkeys(str(Platform.parse(text)) for text in platforms)) or DEFAULT_PLATFORMS,
        targets=tuple(RenderTarget(path, f"{path}{TEMPLATE_SUFFIX}") for path in sorted(named)),
        excluded=tuple(excluded),
    )
    made = _make_templates(folder, named, file.survey)
    text = dump_first_file(file)
    parse_images_file(text, file_name=str(images_path))
    return Beginning(images_path=images_path, file=file, text=text, templates=made)


def tell_beginning(console: Console, beginning: Beginning, *, is_dry_run: bool = False, output_format: str) -> None:
    """Tell people or scripts what was written, and what was left out."""
    if output_format == "json":
        console.json(_document(beginning, is_dry_run=is_dry_run))
        return
    if is_dry_run:
        console.data(beginning.text.removesuffix("\n"))
    _tell(console, beginning, is_dry_run=is_dry_run)


def _go_on(
    settings: Settings, templates: Sequence[str], excluded: Sequence[str], *, is_dry_run: bool, output_format: str
) -> None:
    """Add to an images.toml that is there: templates of files, or everything where it declares nothing yet."""
    project = find_project(settings.images_path, settings.lock_path)
    if is_dry_run:
        raise FileError(f"there is an {project.images_path} already", hint="run `imagelock scan` to see what is new")
    if templates:
        _add_templates(settings, project, templates)
        return
    images_file = project.read_images_file()
    if images_file.images or images_file.targets or images_file.pins.names_files:
        hint = "run `imagelock scan --write` to add what is new"
        raise FileError(f"there is an {project.images_path} already", hint=hint)
    from imagelock.cli.commands.scan import scan_and_write  # noqa: PLC0415  each of the two may end in the other

    scan_and_write(settings, project, excluded=excluded, output_format=output_format)


def _add_templates(settings: Settings, project: Project, names: Sequence[str]) -> None:
    """Make templates, declare the images in them that are new, and list what they are rendered to."""
    from imagelock.images_file.additions import Additions, find_additions  # noqa: PLC0415  loads what edits images.toml

    with begin(settings.console, project) as transaction:
        images_file = project.read_images_file()
        named = {document.path: document for document in scan_named(project.folder, names, rules=images_file.documents)}
        found = survey(named.values(), images_file)
        targets = tuple(RenderTarget(path, f"{path}{TEMPLATE_SUFFIX}") for path in sorted(named))
        listed = {target.output for target in images_file.targets}
        if already := [target.output for target in targets if target.output in listed]:
            raise FileError(f"{project.images_path} renders `{already[0]}` already")
        images = find_additions(found, images_file, carried=named).images
        additions = Additions(images=images, targets=targets)
        templates = _make_templates(project.folder, named, found)
        edited = additions.apply(read_text(project.images_path))
        parse_images_file(edited, file_name=str(project.images_path))
        contents = {path: template.content for path, template in templates.items()}
        contents[project.images_path] = project.encode_images_file(edited)
        transaction.write(contents, like=_originals(templates))
    _tell_templates(settings.console, project, additions, templates)


def _tell_templates(
    console: Console, project: Project, additions: Additions, templates: Mapping[Path, Template]
) -> None:
    console.say(f"Added to {project.images_path}:")
    for line in additions.lines():
        console.say(f"  {line}")
    for path, template in templates.items():
        console.say(f"{click.style('Wrote', fg='green', bold=True)} {path}")
        for obstacle in template.remaining:
            console.warn(str(obstacle))
    console.next_step(*(["imagelock lock"] if additions.images else []), "imagelock render")


def _originals(templates: Iterable[Path]) -> dict[Path, Path]:
    return {path: path.with_name(path.name.removesuffix(TEMPLATE_SUFFIX)) for path in templates}


def _make_templates(folder: Path, named: Mapping[str, ScannedDocument], found: Survey) -> dict[Path, Template]:
    templates = {folder / f"{path}{TEMPLATE_SUFFIX}": make_template(each, found) for path, each in named.items()}
    for path in templates:
        if path.exists():
            raise FileError(f"there is a {path} already", hint="remove it, or leave out its `--template`")
    return templates


def _tell(console: Console, beginning: Beginning, *, is_dry_run: bool) -> None:
    found = beginning.file.survey
    paths = {path for image in found.images for path in image.paths}
    what = f"{count(len(found.images))} in {count(len(paths), 'file')}" if paths else "no image in any file"
    console.say(f"Found {what}")
    for path in beginning.contents():
        verb = "Would write" if is_dry_run else click.style("Wrote", fg="green", bold=True)
        console.say(f"{verb} {path}")
    for obstacle in _left_over(beginning):
        console.warn(str(obstacle))
    if found.unreadable:
        console.note(f"{count(len(found.unreadable), 'file')} could not be read, and may have images (-v lists them)")
        for obstacle in found.unreadable:
            console.detail(f"  {obstacle}")
    if found.images and not is_dry_run:
        _tell_next(console, beginning)


def _tell_next(console: Console, beginning: Beginning) -> None:
    pinned = set(beginning.file.pinned)
    if any(obstacle.path in pinned for obstacle in _left_over(beginning)):
        console.note("`check` will fail for these until [external] lists them: take off their `#` in images.toml")
    has_files = beginning.file.pinned or beginning.templates
    console.next_step("imagelock lock", *(["imagelock render"] if has_files else []))


def _left_over(beginning: Beginning) -> list[Unlockable]:
    remaining = [obstacle for template in beginning.templates.values() for obstacle in template.remaining]
    return [*beginning.file.survey.unresolved, *beginning.file.left_alone, *remaining]


def _document(beginning: Beginning, *, is_dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": is_dry_run,
        "images": [_image_document(image) for image in beginning.file.survey.images],
        "pinned": list(beginning.file.pinned),
        "written": [str(path) for path in beginning.contents()],
        "obstacles": [obstacle_document(each) for each in _left_over(beginning)],
        "unreadable": [obstacle_document(each) for each in beginning.file.survey.unreadable],
    }


def _image_document(image: FoundImage) -> dict[str, Any]:
    return {"name": image.alias, "image": image.text, "files": list(image.paths)}

"""A first images.toml: planned from the files that are there, and what is printed about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from imagelock.cli.console import Console
from imagelock.cli.reports.scan import Adoption, adoption_document
from imagelock.cli.reports.search_notes import Unread, print_unread, print_unreadable
from imagelock.cli.text import count, listing
from imagelock.cli.tree_scan import below, no_image, scan_named, scan_tree, searched_part
from imagelock.errors import FileError
from imagelock.images_file.discovery import ScannedDocument, Survey, Unlockable, survey
from imagelock.images_file.first_file import DEFAULT_PLATFORMS, FirstFile, dump_first_file
from imagelock.images_file.parser import RenderTarget, parse_images_file
from imagelock.images_file.templating import TEMPLATE_SUFFIX, Template, make_template
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.rendering.pinned_files import external_files


@frozen(kw_only=True)
class FirstFileRequest:
    """The options of `init`, as typed."""

    templates: Sequence[str] = ()
    platforms: Sequence[str] = ()
    excluded: Sequence[str] = ()
    paths: Sequence[Path] = ()
    """The only files, or folders of files, to look at; all where it is empty."""
    follows_tags: bool = False


@frozen(kw_only=True)
class Beginning:
    """What a first images.toml is made of, and everything that is written with it."""

    images_path: Path
    file: FirstFile
    text: str
    templates: Mapping[Path, Template]
    unread: Unread
    part: str
    """The part of the project that was searched, in words; nothing for all of it."""

    @property
    def originals(self) -> dict[Path, Path]:
        """The files that templates are made of, by template."""
        return template_sources(self.templates)

    def contents(self) -> dict[Path, bytes]:
        """Return every file with its bytes."""
        return {
            self.images_path: self.text.encode(),
            **{path: template.content for path, template in self.templates.items()},
        }


def plan_project(console: Console, images_path: Path, request: FirstFileRequest) -> Beginning:
    """Compute the first images.toml and the templates; a template that cannot be made is an error."""
    folder = images_path.parent
    named = {document.path: document for document in scan_named(folder, request.templates)}
    is_excluded = external_files(request.excluded)
    templates_here = frozenset(f"{path}{TEMPLATE_SUFFIX}" for path in named)
    scanned = scan_tree(
        folder,
        console,
        wants=lambda path: not is_excluded(path),
        shows=below(folder, request.paths) if request.paths else lambda _: True,
        templates=templates_here,
    )
    documents = {document.path: document for document in scanned.documents} | named
    found = survey(documents.values(), names=scanned.names)
    file = FirstFile(
        survey=found.following_tags() if request.follows_tags else found,
        platforms=tuple(dict.fromkeys(str(Platform.parse(text)) for text in request.platforms)) or DEFAULT_PLATFORMS,
        targets=tuple(RenderTarget(path, f"{path}{TEMPLATE_SUFFIX}") for path in sorted(named)),
        excluded=tuple(request.excluded),
    )
    made = make_templates(folder, named, file.survey)
    part = searched_part(request.paths, request.excluded)
    text = dump_first_file(file)
    parse_images_file(text, file_name=str(images_path))
    return Beginning(images_path=images_path, file=file, text=text, templates=made, unread=scanned.unread, part=part)


def tell_beginning(console: Console, beginning: Beginning, *, is_dry_run: bool = False, output_format: str) -> None:
    """Print what was written and what was left out: lines on stderr, or a JSON document."""
    if output_format == "json":
        console.json(adoption_document(_adoption(beginning), is_dry_run=is_dry_run))
        return
    if is_dry_run:
        console.data(beginning.text.removesuffix("\n"))
    _tell(console, beginning, is_dry_run=is_dry_run)


def template_sources(templates: Iterable[Path]) -> dict[Path, Path]:
    """Return the files that templates are made of, by template."""
    return {path: path.with_name(path.name.removesuffix(TEMPLATE_SUFFIX)) for path in templates}


def make_templates(folder: Path, named: Mapping[str, ScannedDocument], found: Survey) -> dict[Path, Template]:
    """Return a template for each named file, by the path it will have; one that is there already is an error."""
    templates = {folder / f"{path}{TEMPLATE_SUFFIX}": make_template(each, found) for path, each in named.items()}
    for path in templates:
        if path.exists():
            raise FileError(f"there is a {path} already", hint="remove it, or leave out its `--template`")
    return templates


def _tell(console: Console, beginning: Beginning, *, is_dry_run: bool) -> None:
    found = beginning.file.survey
    paths = {path for image in found.images for path in image.paths}
    what = f"{count(len(found.images))} in {count(len(paths), 'file')}" if paths else no_image(beginning.part)
    console.say(f"Found {what}")
    for path in beginning.contents():
        verb = "Would write" if is_dry_run else click.style("Wrote", fg="green", bold=True)
        console.say(f"{verb} {path}")
    _tell_external(console, found)
    for obstacle in _left_over(beginning):
        console.warn(str(obstacle))
    if found.images and not is_dry_run:
        _tell_acceptance(console, beginning)
    print_unreadable(console, [str(each) for each in found.unreadable])
    print_unread(console, beginning.unread)
    if found.images and not is_dry_run:
        _tell_next(console, beginning)
    elif not is_dry_run:
        console.next_step_is("run `imagelock add IMAGE`, as in `imagelock add golang:1.22`")


def _tell_external(console: Console, found: Survey) -> None:
    if found.external:
        what = count(len(found.external), "name")
        console.note(f"{what} built by this repository, in [external]: {listing(found.external)}")
    if found.external_files:
        what = count(len(found.external_files), "directory")
        console.note(f"{what} of vendored files or samples for tests, in [external]: {listing(found.external_files)}")


def _tell_acceptance(console: Console, beginning: Beginning) -> None:
    pinned = set(beginning.file.pinned)
    if any(obstacle.path in pinned for obstacle in _left_over(beginning)):
        console.note("`check` will fail for these until [external] lists them: take off their `#` in images.toml")


def _tell_next(console: Console, beginning: Beginning) -> None:
    has_files = beginning.file.pinned or beginning.templates
    console.next_step("imagelock lock", *(["imagelock render"] if has_files else []))


def _left_over(beginning: Beginning) -> list[Unlockable]:
    remaining = [obstacle for template in beginning.templates.values() for obstacle in template.remaining]
    return [*beginning.file.survey.unresolved, *beginning.file.left_alone, *remaining]


def _adoption(beginning: Beginning) -> Adoption:
    found = beginning.file.survey
    return Adoption(
        images={image.alias: image.text for image in found.images},
        files={image.alias: image.paths for image in found.images},
        pinned=beginning.file.pinned,
        external_names=found.external,
        external_files=(*found.external_files, *beginning.file.excluded),
        written=tuple(beginning.contents()),
        left=_left_over(beginning),
        unreadable=found.unreadable,
        unread=beginning.unread,
    )

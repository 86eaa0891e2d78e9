"""``imagelock init``: write images.toml from the files that are here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from imagelock.cli.console import Console
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.text import count
from imagelock.cli.transactions import begin
from imagelock.documents.kinds import find_references, kind_of_named
from imagelock.errors import DocumentError, FileError
from imagelock.images_file.discovery import FoundImage, ScannedDocument, Unlockable, survey
from imagelock.images_file.first_file import DEFAULT_PLATFORMS, FirstFile, dump_first_file
from imagelock.images_file.parser import IMAGES_FILE_NAME, RenderTarget, parse_images_file
from imagelock.images_file.templating import TEMPLATE_SUFFIX, Template, make_template
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.project.files import read_bytes
from imagelock.project.project import find_or_begin_project
from imagelock.project.tree import Document, list_own_files, read_document


@click.command("init")
@click.option(
    "--template", "templates", multiple=True, metavar="FILE", help="Make a template FILE.in of this file; repeatable."
)
@click.option("--platform", "platforms", multiple=True, metavar="P", help="A platform to lock; repeatable.")
@click.option("--dry-run", is_flag=True, help="Print images.toml; write nothing.")
@format_option
@with_settings
def command(
    settings: Settings, *, templates: tuple[str, ...], platforms: tuple[str, ...], dry_run: bool, output_format: str
) -> None:
    """Write images.toml from the files that are here.

    Finds the images of all Dockerfiles, compose, Kubernetes and CI files that git knows or would add, and names them.
    Files are pinned in place, unless --template makes templates of them. No network is used.
    """
    images_path = settings.images_path or Path(IMAGES_FILE_NAME)
    if images_path.exists():
        raise FileError(f"there is an {images_path} already", hint="run `imagelock add IMAGE` to add to it")
    if dry_run:
        beginning = _begin(settings.console, images_path, templates, platforms)
    else:
        with begin(settings.console, find_or_begin_project(images_path, settings.lock_path)) as transaction:
            beginning = _begin(settings.console, images_path, templates, platforms)
            transaction.write(beginning.contents(), like=beginning.originals)
    if output_format == "json":
        settings.console.json(_document(beginning, is_dry_run=dry_run))
        return
    if dry_run:
        settings.console.data(beginning.text.removesuffix("\n"))
    _tell(settings.console, beginning, is_dry_run=dry_run)


@frozen(kw_only=True)
class _Beginning:
    """Everything that is going to be written."""

    images_path: Path
    file: FirstFile
    text: str
    templates: Mapping[Path, Template]

    @property
    def originals(self) -> dict[Path, Path]:
        return {path: path.with_name(path.name.removesuffix(TEMPLATE_SUFFIX)) for path in self.templates}

    def contents(self) -> dict[Path, bytes]:
        return {
            self.images_path: self.text.encode(),
            **{path: template.content for path, template in self.templates.items()},
        }


def _begin(
    console: Console, images_path: Path, template_names: Sequence[str], platform_texts: Sequence[str]
) -> _Beginning:
    """Compute everything first: a template that can't be made stops it all."""
    folder = images_path.parent
    named = {document.path: document for document in scan_named(folder, template_names)}
    documents = {document.path: document for document in scan_tree(folder, console)} | named
    found = survey(documents.values())
    templates = {folder / f"{path}{TEMPLATE_SUFFIX}": make_template(each, found) for path, each in named.items()}
    for path in templates:
        if path.exists():
            raise FileError(f"there is a {path} already", hint="remove it, or leave out its `--template`")
    file = FirstFile(
        survey=found,
        platforms=tuple(dict.fromkeys(str(Platform.parse(text)) for text in platform_texts)) or DEFAULT_PLATFORMS,
        targets=tuple(RenderTarget(path, f"{path}{TEMPLATE_SUFFIX}") for path in sorted(named)),
    )
    text = dump_first_file(file)
    parse_images_file(text, file_name=str(images_path))
    return _Beginning(images_path=images_path, file=file, text=text, templates=templates)


def _tell(console: Console, beginning: _Beginning, *, is_dry_run: bool) -> None:
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
        has_files = beginning.file.pinned or beginning.templates
        console.say(f"\nNext: run `imagelock lock`{', then `imagelock render`' if has_files else ''}")


def _left_over(beginning: _Beginning) -> list[Unlockable]:
    remaining = [obstacle for template in beginning.templates.values() for obstacle in template.remaining]
    return [*beginning.file.survey.unresolved, *beginning.file.left_alone, *remaining]


def _document(beginning: _Beginning, *, is_dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": is_dry_run,
        "images": [_image_document(image) for image in beginning.file.survey.images],
        "pinned": list(beginning.file.pinned),
        "written": [str(path) for path in beginning.contents()],
        "obstacles": [_obstacle_document(each) for each in _left_over(beginning)],
        "unreadable": [_obstacle_document(each) for each in beginning.file.survey.unreadable],
    }


def _image_document(image: FoundImage) -> dict[str, Any]:
    return {"name": image.alias, "image": image.text, "files": list(image.paths)}


def _obstacle_document(obstacle: Unlockable) -> dict[str, Any]:
    position = {"line": obstacle.position.line, "column": obstacle.position.column}
    return {"path": obstacle.path, **position, "text": obstacle.text, "reason": obstacle.reason}


def scan_tree(folder: Path, console: Console) -> Iterator[ScannedDocument]:
    """Scan every document that git knows or would add."""
    paths = list(list_own_files(folder))
    for number, path in enumerate(paths, start=1):
        console.progress(f"Searching {number}/{len(paths)}: {path}")
        document = read_document(folder / path)
        if document is not None:
            yield _scanned(path, document)


def scan_named(folder: Path, names: Iterable[str]) -> Iterator[ScannedDocument]:
    """Scan files that somebody named as seen from the working directory; each must be a document that names images."""
    for name in names:
        path = Path(name)
        content = read_bytes(path)
        document = _scanned(
            Path(os.path.relpath(path, folder)).as_posix(), Document(content, kind_of_named(path, content))
        )
        _refuse_without_images(document, name)
        yield document


def _scanned(path: str, document: Document) -> ScannedDocument:
    return ScannedDocument(path, document.kind, document.content, find_references(document.content, document.kind))


def _refuse_without_images(document: ScannedDocument, name: str) -> None:
    for problem in document.scan.problems:
        place = f"{name}:{problem.position.line}:{problem.position.column}"
        raise DocumentError(f"cannot read {name}", details=[f"{place}: {problem.reason}"])
    if not any(document.images()):
        raise DocumentError(f"the {document.kind.title} {name} names no image")

"""Where a project's files have an image, for those who take it away."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from imagelock.cli.project import Project
from imagelock.errors import FileError
from imagelock.files import read_bytes
from imagelock.images_file import ImagesFile
from imagelock.placeholders import find_placeholders, position


def find_uses(project: Project, images_file: ImagesFile, aliases: Collection[str]) -> Iterator[str]:
    """Find the places in templates that have one of the images, as ``FILE:LINE:COLUMN: …``."""
    for template in dict.fromkeys(target.template for target in images_file.targets):
        with suppress(FileError):  # a template that is missing uses nothing; rendering reports it
            yield from _in_template(project.folder / template, aliases)


def _in_template(path: Path, aliases: Collection[str]) -> Iterator[str]:
    content = read_bytes(path)
    for placeholder in find_placeholders(content):
        if placeholder.alias in aliases:
            line, column = position(content, placeholder.start)
            text = content[placeholder.start : placeholder.end].decode()
            yield f"{path}:{line}:{column}: `{text}` is still there"

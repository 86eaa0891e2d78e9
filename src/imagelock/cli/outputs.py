"""The files that ``render`` writes and ``check`` compares: every template, rendered from the lock."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagelock.cli.project import Project
from imagelock.errors import DocumentError, FileError
from imagelock.files import read_bytes
from imagelock.images_file import ImagesFile, RenderTarget
from imagelock.lockfile import Lockfile
from imagelock.rendering import Rendering, SpelledImage, render, spelled_images
from imagelock.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class Output:
    """A file as it should be."""

    path: Path
    template: Path
    rendering: Rendering

    def is_current(self) -> bool:
        """Whether the file on disk is what rendering would write."""
        return self.path.exists() and read_bytes(self.path) == self.rendering.content


def render_outputs(
    project: Project, targets: Iterable[RenderTarget], images_file: ImagesFile, lockfile: Lockfile
) -> tuple[Output, ...]:
    """Render every target in memory; all problems of all templates are reported at once, and nothing is written."""
    images = spelled_images(images_file, lockfile)
    outputs: list[Output] = []
    problems: list[str] = []
    for target in targets:
        try:
            output = _render_one(project, target, images)
        except FileError as error:
            problems += [error.message, *(f"  {line}" for line in error.details)]
            continue
        outputs.append(output)
        problems += output.rendering.problems
    if problems:
        raise DocumentError("cannot render; no file was written", details=problems)
    return tuple(outputs)


def choose_targets(project: Project, images_file: ImagesFile, outputs: Sequence[str]) -> tuple[RenderTarget, ...]:
    """Find the targets that a person named by their outputs, as seen from the working directory; or all of them."""
    if not outputs:
        return images_file.targets
    by_path = {os.path.relpath(project.folder / target.output): target for target in images_file.targets}
    wanted = dict.fromkeys(map(os.path.relpath, outputs))
    unknown = [path for path in wanted if path not in by_path]
    if unknown:
        raise DocumentError(
            f"{project.images_path} renders no `{unknown[0]}`{did_you_mean(unknown[0], by_path)}",
            details=[f"it renders: {', '.join(by_path)}"],
        )
    return tuple(by_path[path] for path in wanted)


def _render_one(project: Project, target: RenderTarget, images: dict[str, SpelledImage]) -> Output:
    template = project.folder / target.template
    rendering = render(read_bytes(template), images, file_name=str(template))
    return Output(project.folder / target.output, template, rendering)

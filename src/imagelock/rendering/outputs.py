"""The files as ``render`` writes them and ``check`` wants them: templates rendered, plain files pinned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imagelock.errors import DocumentError, ImagelockError
from imagelock.images_file.parser import ImagesFile, RenderTarget
from imagelock.locking.lockfile import Lockfile
from imagelock.model.frozen import frozen
from imagelock.project.files import read_bytes
from imagelock.project.project import Project
from imagelock.project.work_tree import Identity, identify
from imagelock.rendering.file_choice import FileChoice
from imagelock.rendering.placement import refuse_misplaced
from imagelock.rendering.template import RenderedImage, Rendering, images_to_render, render

if TYPE_CHECKING:
    # The readers of documents take 30 ms, which only [pin] needs; the formats, 5 ms that only [export] needs.
    from imagelock.documents.pinning import Pinned
    from imagelock.images_file.exports import ExportTarget  # 1 ms that only [export] needs
    from imagelock.rendering.exports.formats import Exported, ExportInput
    from imagelock.rendering.pinned_files import PinnedFile
    from imagelock.rendering.pins import Pins


@frozen(kw_only=True)
class Output:
    """A file as it should be. It has a rendering, or was pinned in place, or both; or it is an export."""

    path: Path
    content: bytes
    template: Path | None = None
    rendering: Rendering | None = None
    pinned: Pinned | None = None
    original: bytes | None = None
    """What a file had that is pinned in place: only these bytes may be replaced."""
    exported: Exported | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of the file is ours, not only the digests in it."""
        return self.rendering is not None or self.exported is not None

    def is_current(self) -> bool:
        """Whether the file on disk is what rendering would write."""
        return self.path.exists() and read_bytes(self.path) == self.content


@frozen
class _Work:
    """What is done so far, by the file that each path leads to, and what went wrong."""

    outputs: dict[Identity, Output] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, make: Callable[[], Output | None]) -> None:
        try:
            output = make()
        except ImagelockError as error:
            self.problems.extend((error.message, *(f"  {line}" for line in error.details)))
            return
        if output is not None:
            self.outputs[identify(output.path)] = output
            if not output.pinned and output.rendering:
                self.problems.extend(output.rendering.problems)


def make_outputs(
    project: Project, choice: FileChoice, images_file: ImagesFile, lockfile: Lockfile
) -> tuple[Output, ...]:
    """Make every file in memory; all problems of all files are reported at once, and nothing is written."""
    refuse_misplaced(project, images_file)
    images = images_to_render(images_file, lockfile)
    work = _Work()
    for target in choice.targets:
        work.add(partial(_render, project, target, images))
    if choice.pins:
        from imagelock.rendering.pins import Pins  # noqa: PLC0415  30 ms that only [pin] needs

        pins = Pins.of(project.folder, images_file, images, pending=partial(_pending, work.outputs))
        for file in choice.pins:
            work.add(partial(_pin, pins, file, work.outputs.get(identify(file.path))))
    if choice.exports:
        from imagelock.rendering.exports.formats import ExportInput  # noqa: PLC0415  only [export] needs it

        read = partial(_read_new, project, work.outputs)
        source = ExportInput(images=images, read=read, external=images_file.external)
        for export in choice.exports:
            work.add(partial(_export, project, export, source))
    if work.problems:
        raise DocumentError("cannot render; no file was written", details=work.problems)
    return tuple(work.outputs.values())


def _render(project: Project, target: RenderTarget, images: dict[str, RenderedImage]) -> Output:
    template = project.folder / target.template
    rendering = render(read_bytes(template), images, file_name=str(template))
    path = project.folder / target.output
    return Output(path=path, content=rendering.content, template=template, rendering=rendering)


def _pin(pins: Pins, file: PinnedFile, rendered: Output | None) -> Output | None:
    output = rendered
    if output is None:
        original = read_bytes(file.path)
        output = Output(path=file.path, content=original, original=original)
    pinned = pins.pin(file, output.content)
    return None if pinned is None else replace(output, content=pinned.content, pinned=pinned)


def _pending(outputs: Mapping[Identity, Output], path: Path) -> bytes | None:
    """Return what a file will hold once all outputs are written, and ``None`` where that is what it holds."""
    output = outputs.get(identify(path))
    return output.content if output else None


def _read_new(project: Project, outputs: dict[Identity, Output], name: str) -> bytes:
    """Read a file as it will be once all outputs are written."""
    path = project.folder / name
    output = outputs.get(identify(path))
    return output.content if output else read_bytes(path)


def _export(project: Project, target: ExportTarget, source: ExportInput) -> Output:
    from imagelock.rendering.exports.formats import make_export  # noqa: PLC0415  imported already

    exported = make_export(target.export, source)
    return Output(path=project.folder / target.output, content=exported.text.encode(), exported=exported)

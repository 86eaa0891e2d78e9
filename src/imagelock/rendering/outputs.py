"""Make the content of every output in memory; ``render`` writes it, ``check`` compares it with the disk."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from imagelock.errors import DocumentError, FileError, ImagelockError
from imagelock.images_file.parser import ImagesFile, RenderTarget
from imagelock.images_file.toml import find_lines, nearest_line
from imagelock.locking.lockfile import Lockfile
from imagelock.model.frozen import frozen
from imagelock.project.files import MAX_OUTPUT_BYTES, read_bytes, read_text
from imagelock.project.project import Project
from imagelock.project.work_tree import Identity, identify
from imagelock.rendering.file_choice import FileChoice
from imagelock.rendering.placement import refuse_misplaced
from imagelock.rendering.template import RenderedImage, Rendering, images_to_render, render

if TYPE_CHECKING:
    # The readers of documents take 30 ms, which only [pin] needs; the formats, 5 ms that only [export] needs.
    from imagelock.documents.locked_references import Retag
    from imagelock.documents.pinning import Pinned
    from imagelock.images_file.exports import ExportTarget  # 1 ms that only [export] needs
    from imagelock.rendering.exports.formats import Exported
    from imagelock.rendering.pin_in_place import Pins
    from imagelock.rendering.pinned_files import PinnedFile


@frozen(kw_only=True)
class Output:
    """The wanted content of a file, which is rendered from a template, pinned in place, both, or an export."""

    path: Path
    content: bytes
    template: Path | None = None
    rendering: Rendering | None = None
    pinned: Pinned | None = None
    original: bytes | None = None
    """The content of a file before it is pinned in place; a file with other bytes is not replaced."""
    exported: Exported | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the whole file is generated, not only its digests."""
        return self.rendering is not None or self.exported is not None

    @property
    def template_notes(self) -> tuple[str, ...]:
        """Notes on the template, to be printed."""
        return self.rendering.notes if self.rendering else ()

    def is_current(self) -> bool:
        """Return whether the file on disk has this content."""
        return self.path.exists() and read_bytes(self.path, max_bytes=MAX_OUTPUT_BYTES) == self.content

    def overwrites_text(self) -> bool:
        """Whether rendering replaces words that are neither from a placeholder nor with a digest.

        Most often the file was edited instead of its template, and the edit would be lost.
        """
        if self.template is None or not self.path.exists():
            return False
        texts = [read_bytes(path, max_bytes=MAX_OUTPUT_BYTES) for path in (self.template, self.path)]
        template, before, after = (text.splitlines() for text in (*texts, self.content))
        if not len(template) == len(before) == len(after):
            return True
        return not all(map(_has_same_words, template, before, after))


def _has_same_words(template: bytes, before: bytes, after: bytes) -> bool:
    """Whether two lines differ in what the template's placeholders gave, and in digests, alone."""
    words = re.sub(rb"\{\{\s*images\.[^{}]*\}\}", b"{{}}", template).split(), before.split(), after.split()
    if len({*map(len, words)}) > 1:
        return False
    return all(old == new or b"{{}}" in word or b"@sha256:" in new for word, old, new in zip(*words, strict=True))


def make_outputs(
    project: Project,
    choice: FileChoice,
    images_file: ImagesFile,
    lockfile: Lockfile,
    *,
    retag: Retag | None = None,
) -> tuple[Output, ...]:
    """Return every chosen output; one ``DocumentError`` has all problems of all files. Nothing is written.

    ``retag`` lets references of pinned files follow an image to another tag.
    """
    refuse_misplaced(project, images_file)
    maker = _Maker(project, choice, images_file, images_to_render(images_file, lockfile), retag)
    chosen = (
        *(project.folder / target.output for target in choice.targets),
        *(file.path for file in choice.pins),
        *(project.folder / target.output for target in choice.exports),
    )
    outputs = {identify(path): maker.make(path) for path in chosen}
    maker.raise_problems()
    return tuple(output for output in outputs.values() if output)


_FOREIGN_NAME = r"write `\{{images.NAME}}` for a text that another tool reads"


class _Maker:
    """Makes outputs in dependency order: a template may be the output of another, or pinned."""

    def __init__(
        self,
        project: Project,
        choice: FileChoice,
        images_file: ImagesFile,
        images: dict[str, RenderedImage],
        retag: Retag | None,
    ) -> None:
        self._project = project
        self._images_file = images_file
        self._images = images
        self._retag = retag
        self._targets = {identify(project.folder / target.output): target for target in images_file.targets}
        self._exports = {identify(project.folder / target.output): target for target in images_file.exports}
        self._pinned_files = {identify(file.path): file for file in (*choice.pins_of_templates, *choice.pins)}
        self._made: dict[Identity, Output | None] = {}
        self._renderings: dict[Identity, Output] = {}
        self._open: dict[Identity, Path] = {}
        self._problems: dict[str, None] = {}
        self._hints: dict[str, None] = {}

    def make(self, path: Path) -> Output | None:
        """Return one output; None if the file has nothing to pin, or if a problem was recorded."""
        try:
            return self._output(path)
        except ImagelockError as error:
            self._problems |= dict.fromkeys((error.message, *(f"  {line}" for line in error.details)))
            self._hints |= dict.fromkeys(hint for hint in (error.hint, *error.further_hints) if hint)
            return None

    def raise_problems(self) -> None:
        """Raise ``DocumentError`` for all problems together."""
        if self._problems:
            hint, *others = self._hints or (None,)
            message = "cannot render; no file was written"
            raise DocumentError(message, details=self._problems, hint=hint, further_hints=filter(None, others))

    def _output(self, path: Path) -> Output | None:
        identity = identify(path)
        if identity in self._open:
            steps = [*self._open.values(), path]
            raise DocumentError(f"{path} is made from itself: {' from '.join(map(str, steps))}")
        if identity not in self._made:
            self._open[identity] = path
            try:
                self._made[identity] = self._make(identity)
            finally:
                del self._open[identity]
        return self._made[identity]

    def _make(self, identity: Identity) -> Output | None:
        if identity in self._exports:
            return self._export(self._exports[identity])
        output = self._rendered(identity)
        file = self._pinned_files.get(identity)
        return output if file is None else self._pin(file, output)

    def _rendered(self, identity: Identity) -> Output | None:
        """Return the rendered output, made once; None for a file without template."""
        if identity not in self._targets:
            return None
        if identity not in self._renderings:
            self._renderings[identity] = self._render(self._targets[identity])
        return self._renderings[identity]

    def _pending(self, path: Path) -> bytes | None:
        """Return the rendered content of a file, on which references of other files depend; None without template."""
        output = self._rendered(identify(path))
        return output.content if output else None

    def _read(self, path: Path) -> bytes:
        """Return the content that a file has after all outputs are written."""
        output = self._output(path)
        return read_bytes(path) if output is None else output.content

    def _render(self, target: RenderTarget) -> Output:
        template, path = self._project.folder / target.template, self._project.folder / target.output
        rendering = render(self._read_template(target), self._images, file_name=str(template))
        if identify(template) in self._targets:
            rendering = replace(rendering, notes=())
        self._problems |= dict.fromkeys(rendering.problems)
        if rendering.has_foreign_name:
            self._hints[_FOREIGN_NAME] = None
        return Output(path=path, content=rendering.content, template=template, rendering=rendering)

    def _read_template(self, target: RenderTarget) -> bytes:
        template = self._project.folder / target.template
        try:
            return self._read(template)
        except FileError as error:
            if template.exists() or identify(template) in self._targets:
                raise
            images_path = self._project.images_path
            line = nearest_line(find_lines(read_text(images_path)), ("render", target.output))
            raise DocumentError(
                f"{images_path}:{line}: the template `{target.template}` does not exist",
                hint=f"write {template}, or take its line out of [render]",
            ) from error

    def _pin(self, file: PinnedFile, rendered: Output | None) -> Output | None:
        output = rendered
        if output is None:
            original = read_bytes(file.path)
            output = Output(path=file.path, content=original, original=original)
        pinned = self._pins.pin(file, output.content)
        return rendered if pinned is None else replace(output, content=pinned.content, pinned=pinned)

    @cached_property
    def _pins(self) -> Pins:
        from imagelock.rendering.pin_in_place import Pins  # noqa: PLC0415  30 ms that only [pin] needs

        return Pins.of(self._project.folder, self._images_file, self._images, pending=self._pending, retag=self._retag)

    def _export(self, target: ExportTarget) -> Output:
        from imagelock.rendering.exports.formats import ExportInput, make_export  # noqa: PLC0415  only [export] needs it

        read = lambda name: self._read(self._project.folder / name)  # noqa: E731
        source = ExportInput(images=self._images, read=read, external=self._images_file.external)
        exported = make_export(target.export, source)
        return Output(path=self._project.folder / target.output, content=exported.text.encode(), exported=exported)

"""Pinning files in place: what ``render`` writes, and what ``check`` holds against the lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from imagelock.documents.checking import Finding, check
from imagelock.documents.kinds import DocumentKind, detect_kind
from imagelock.documents.locked_references import LockedReferences
from imagelock.documents.pinning import pin
from imagelock.errors import DocumentError
from imagelock.images_file.parser import ImagesFile
from imagelock.model.frozen import frozen
from imagelock.project.files import read_bytes
from imagelock.rendering.output import Output
from imagelock.rendering.pinned_files import PinnedFile
from imagelock.rendering.template import SpelledImage
from imagelock.rendering.written_references import locked_references


@frozen
class Pins:
    """What files are pinned to."""

    locked: LockedReferences
    external: tuple[str, ...]

    @classmethod
    def of(cls, images_file: ImagesFile, images: Mapping[str, SpelledImage]) -> Self:
        """Take it from a lock that answers images.toml."""
        return cls(locked_references(images.values()), images_file.external.names)

    def pin(self, file: PinnedFile, rendered: Output | None) -> Output | None:
        """Pin a file, or what it is rendered to; None for what is no document, though a pattern led to it."""
        output = rendered or Output(path=file.path, content=read_bytes(file.path))
        kind = _kind_of(file, output.content)
        if kind is None:
            return None
        pinned = pin(output.content, kind, self.locked, style=file.style, external=self.external)
        return replace(output, content=pinned.content, pinned=pinned)

    def check(self, file: PinnedFile) -> tuple[Finding, ...] | None:
        """Compare a file with the lock; None for what is no document, though a pattern led to it."""
        content = read_bytes(file.path)
        kind = _kind_of(file, content)
        if kind is None:
            return None
        return check(content, kind, self.locked, style=file.style, external=self.external)


def kind_of_named(path: Path, content: bytes) -> DocumentKind:
    """Tell the kind of a file that somebody named."""
    kind = detect_kind(path.absolute(), content)
    if kind is None:
        raise DocumentError(
            f"cannot tell what kind of file {path} is",
            details=["references are found in Dockerfiles, compose, Kubernetes and CI files, and Helm values"],
            hint="for other files, use a template with {{images.NAME}}",
        )
    return kind


def _kind_of(file: PinnedFile, content: bytes) -> DocumentKind | None:
    """Tell a file's kind; None for what a pattern took along."""
    return kind_of_named(file.path, content) if file.is_named else detect_kind(file.path.absolute(), content)

"""Select the files of a run: all that images.toml names, or those on the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imagelock.errors import DocumentError, did_you_mean
from imagelock.images_file.parser import ImagesFile, RenderTarget
from imagelock.model.frozen import frozen
from imagelock.project.project import Project

if TYPE_CHECKING:
    from imagelock.images_file.exports import ExportTarget  # 1 ms that only [export] needs
    from imagelock.rendering.pinned_files import PinnedFile, Selection  # 30 ms that only [pin] needs


@frozen
class FileChoice:
    """The files to render, to pin and to export; a file may be rendered and pinned."""

    targets: tuple[RenderTarget, ...] = ()
    pins: tuple[PinnedFile, ...] = ()
    exports: tuple[ExportTarget, ...] = ()
    external: tuple[str, ...] = ()
    """Files that ``[pin]`` names and ``external.files`` excludes."""
    absent: tuple[str, ...] = ()
    """What patterns of ``[pin]`` match and nothing can read here."""
    pins_of_templates: tuple[PinnedFile, ...] = ()
    """All files of ``[pin]``, needed for templates that are pinned."""


def all_files(project: Project, images_file: ImagesFile) -> FileChoice:
    """Return every file that images.toml names; ``DocumentError`` if there is none or a pattern matches nothing."""
    if not images_file.outputs and not images_file.pins.names_files:
        raise DocumentError(
            f"{project.images_path} names no file to render",
            hint='add `[render]` and a line such as `"Dockerfile" = "Dockerfile.in"` to it, '
            'or `[pin]` and `files = ["Dockerfile"]`',
        )
    selection = _select_pinned_files(project, images_file)
    if selection is None:
        return FileChoice(images_file.targets, exports=images_file.exports)
    return FileChoice(images_file.targets, selection.files, images_file.exports, selection.external, selection.absent)


def named_files(project: Project, images_file: ImagesFile, names: Sequence[str]) -> FileChoice:
    """Return the files with these names, relative to the working directory; ``DocumentError`` for an unknown one."""
    targets = {_seen(project.folder / target.output): target for target in images_file.targets}
    pins = _pinned_by_name(project, images_file)
    exports = {_seen(project.folder / target.output): target for target in images_file.exports}
    wanted = dict.fromkeys(map(_seen, names))
    unknown = [path for path in wanted if path not in {**targets, **pins, **exports}]
    if unknown:
        raise _unknown(project, unknown[0], renders=targets, pins=pins, exports=exports)
    return FileChoice(
        tuple(targets[path] for path in wanted if path in targets),
        tuple(pins[path] for path in wanted if path in pins),
        tuple(exports[path] for path in wanted if path in exports),
        pins_of_templates=tuple(pins.values()),
    )


def files_to_pin(project: Project, images_file: ImagesFile, names: Sequence[str]) -> FileChoice:
    """Return the named files to be pinned, with the settings of ``[pin]`` for those that it lists."""
    from imagelock.rendering.pinned_files import PinnedFile, is_external_file  # noqa: PLC0415  30 ms, as below

    listed = _pinned_by_name(project, images_file)
    paths = dict.fromkeys(map(_seen, names))
    external = [path for path in paths if is_external_file(project.folder, Path(path), images_file.external.files)]
    if external:
        raise DocumentError(
            f"cannot pin `{external[0]}`: {project.images_path} excludes it under `[external] files`",
            hint="remove it from `[external] files` to pin it",
        )
    return FileChoice(pins=tuple(listed.get(path) or PinnedFile(path=Path(path)) for path in paths))


def _pinned_by_name(project: Project, images_file: ImagesFile) -> dict[str, PinnedFile]:
    selection = _select_pinned_files(project, images_file)
    return {_seen(file.path): file for file in selection.files} if selection else {}


def _select_pinned_files(project: Project, images_file: ImagesFile) -> Selection | None:
    """Return the files of ``[pin]``, or None without that table."""
    _refuse_rule_problems(project, images_file)
    if not images_file.pins.names_files:
        return None
    from imagelock.rendering.pinned_files import (  # noqa: PLC0415  30 ms that only [pin] needs
        locate_entries,
        select_pinned_files,
    )

    selection = select_pinned_files(project, images_file)
    if selection.problems:
        raise DocumentError(
            f"{project.images_path} names files that are not there",
            details=locate_entries(project, selection.problems),
            hint="run `imagelock scan --write`" if selection.has_lost_names else None,
        )
    return selection


def _refuse_rule_problems(project: Project, images_file: ImagesFile) -> None:
    if images_file.documents is None:
        return
    from imagelock.project.rule_problems import find_rule_problems  # noqa: PLC0415  30 ms that only they need

    if problems := find_rule_problems(project, images_file):
        raise DocumentError(f"cannot use {project.images_path}", details=map(str, problems))


def _seen(path: str | Path) -> str:
    return os.path.relpath(path)


def _unknown(project: Project, path: str, **listings: Mapping[str, object]) -> DocumentError:
    known = [name for listing in listings.values() for name in listing]
    return DocumentError(
        f"{project.images_path} renders no `{path}`{did_you_mean(path, known)}",
        details=[f"it {verb}: {', '.join(paths)}" for verb, paths in listings.items() if paths],
        hint=f"run `imagelock render --pin {path}` to pin it in place" if Path(path).is_file() else None,
    )

"""Which files ``[pin]`` means. Names are looked up; patterns go through what git knows, or would add."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from posixpath import join, normpath

from imagelock.documents.pinning import PinStyle
from imagelock.images_file.parser import ImagesFile
from imagelock.model.frozen import frozen
from imagelock.project.globs import compile_glob, is_wild, split_fixed
from imagelock.project.tree import list_files


@frozen(kw_only=True)
class PinnedFile:
    """A file whose references get their digests in place."""

    path: Path
    style: PinStyle = PinStyle.TAG_AND_DIGEST
    found_by: tuple[str, ...] = ()
    """The keys of ``[pin]`` that lead to it; none where somebody named it for once."""

    @property
    def is_named(self) -> bool:
        """Whether somebody gave its very name; what a pattern leads to may be no document of ours."""
        return not self.found_by or not all(map(is_wild, self.found_by))


@frozen
class Selection:
    """All files that ``[pin]`` means, and each key of it that leads to none, as in ``pin.files: "*.yml" …``."""

    files: tuple[PinnedFile, ...]
    problems: tuple[str, ...]


def select_pinned_files(folder: Path, images_file: ImagesFile) -> Selection:
    """Find the files, each of them once, sorted by path; those that ``[render]`` writes need not be there yet."""
    pins = images_file.pins
    candidates = _Candidates(folder, images_file)
    files: dict[Path, PinnedFile] = {}
    problems: list[str] = []
    # A file in both lists is one of those that want no tag: whoever names it there means it.
    for style, key, patterns in (
        (PinStyle.DIGEST_ONLY, "digest-only", pins.digest_only),
        (PinStyle.TAG_AND_DIGEST, "files", pins.files),
    ):
        for pattern in patterns:
            paths = candidates.find(pattern)
            if not paths:
                problems.append(f'pin.{key}: "{pattern}" {_why_nothing(folder / pattern)}')
            for path in paths:
                new = PinnedFile(path=folder / path, style=style)
                file = files.get(new.path.resolve(), new)
                files[new.path.resolve()] = replace(file, found_by=(*file.found_by, pattern))
    return Selection(tuple(sorted(files.values(), key=lambda file: file.path)), tuple(problems))


def external_files(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Make the question whether a path below the folder of images.toml is nobody's business."""
    compiled = [compile_glob(pattern) for pattern in patterns]
    return lambda path: any(pattern.fullmatch(path) for pattern in compiled)


class _Candidates:
    """The files that patterns are held against; each folder is listed once."""

    def __init__(self, folder: Path, images_file: ImagesFile) -> None:
        self._folder = folder
        self._outputs = frozenset(normpath(target.output) for target in images_file.targets)
        self._is_external = external_files(images_file.external.files)
        self._list_files = cache(list_files)

    def find(self, pattern: str) -> tuple[str, ...]:
        """Find the files of a pattern, relative to the folder of images.toml."""
        if not is_wild(pattern):
            return (pattern,) if pattern in self._outputs or (self._folder / pattern).is_file() else ()
        fixed, _ = split_fixed(pattern)
        listed = {join(fixed, path) for path in self._list_files(self._folder / fixed)}
        matches = compile_glob(pattern).fullmatch
        return tuple(path for path in sorted(listed | self._outputs) if matches(path) and not self._is_external(path))


def _why_nothing(path: Path) -> str:
    return "names a folder: add `/**` for all files in it" if path.is_dir() else "matches no file"

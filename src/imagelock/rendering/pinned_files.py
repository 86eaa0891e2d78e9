"""Which files ``[pin]`` means. Names are looked up; patterns go through what git knows, or would add."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from os.path import realpath, relpath
from pathlib import Path
from posixpath import join, normpath
from typing import Self

from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import detect_kind, kind_of_named
from imagelock.documents.locked_references import LockedReferences
from imagelock.documents.pin_decisions import plan_pins
from imagelock.documents.pin_plan import IsExternal, PinPlan, PinStyle
from imagelock.documents.pinning import Pinned, pin
from imagelock.errors import DocumentError, InvalidReferenceError
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import LockedImage
from imagelock.model.frozen import frozen
from imagelock.model.globs import compile_glob, is_wild, split_fixed
from imagelock.model.reference import LayoutRepository, PinnedReference, split_reference
from imagelock.model.selector import accepts
from imagelock.model.tags.version_range import VersionRange
from imagelock.project.files import find_kind_problem, read_bytes
from imagelock.project.tree import list_files
from imagelock.project.work_tree import Identity, find_work_tree, identify
from imagelock.rendering.template import RenderedImage


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
    external: tuple[str, ...] = ()
    """The files that ``[pin]`` names and ``external.files`` excludes; they are neither read nor counted."""


def select_pinned_files(folder: Path, images_file: ImagesFile) -> Selection:
    """Find the files, each of them once, sorted by path; those that ``[render]`` writes need not be there yet.

    ``DocumentError`` if a pattern leads out of the work tree: nothing is listed or read there.
    """
    pins = images_file.pins
    candidates = _Candidates(folder, images_file)
    files: dict[Identity, PinnedFile] = {}
    problems: list[str] = []
    external: list[str] = []
    misplaced: list[str] = []
    # A file in both lists is one of those that want no tag: whoever names it there means it.
    for style, key, patterns in (
        (PinStyle.DIGEST_ONLY, "digest-only", pins.digest_only),
        (PinStyle.TAG_AND_DIGEST, "files", pins.files),
    ):
        for pattern in patterns:
            if not is_wild(pattern) and is_external_file(folder, folder / pattern, images_file.external.files):
                external.append(pattern)
                continue
            paths, objections = candidates.find(pattern)
            misplaced += [f'pin.{key}: "{pattern}" {objection}' for objection in objections]
            if not paths and not objections:
                problems.append(f'pin.{key}: "{pattern}" {_why_nothing(folder / pattern)}')
            for path in paths:
                new = PinnedFile(path=folder / path, style=style)
                file = files.get(identify(new.path), new)
                files[identify(new.path)] = replace(file, found_by=(*file.found_by, pattern))
    if misplaced:
        raise DocumentError("cannot pin files outside of the project", details=misplaced)
    return Selection(tuple(sorted(files.values(), key=lambda file: file.path)), tuple(problems), tuple(external))


def external_files(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a predicate for paths, relative to the folder of images.toml, that ``external.files`` excludes."""
    compiled = [compile_glob(pattern) for pattern in patterns]
    return lambda path: any(pattern.fullmatch(path) for pattern in compiled)


def is_external_file(folder: Path, path: Path, patterns: Iterable[str]) -> bool:
    """Whether ``external.files`` excludes a file, by the name that it is given or by that of the file it leads to."""
    is_external = external_files(patterns)
    names = (relpath(path, folder), relpath(realpath(path), realpath(folder)))
    return any(is_external(Path(name).as_posix()) for name in names)


class _Candidates:
    """The files that patterns are held against; each folder is listed once."""

    def __init__(self, folder: Path, images_file: ImagesFile) -> None:
        self._folder = folder
        self._tree = find_work_tree(folder)
        self._outputs = frozenset(normpath(target.output) for target in images_file.targets)
        self._exports = frozenset(normpath(target.output) for target in images_file.exports)
        self._is_external = external_files(images_file.external.files)
        self._list_files = cache(list_files)

    def find(self, pattern: str) -> tuple[list[str], list[str]]:
        """Find the files of a pattern, relative to the folder of images.toml, and what speaks against any of them."""
        start = split_fixed(pattern)[0] if is_wild(pattern) else pattern
        objection = self._tree.objection(self._folder / start)
        if objection:
            return [], [objection]
        paths = self._matches(pattern)
        objections = {path: self._tree.objection(self._folder / path) for path in paths}
        return paths, [f"leads to `{path}`, which {text}" for path, text in objections.items() if text]

    def _matches(self, pattern: str) -> list[str]:
        if not is_wild(pattern):
            return [pattern] if pattern in self._outputs or (self._folder / pattern).is_file() else []
        fixed, _ = split_fixed(pattern)
        listed = {join(fixed, path) for path in self._list_files(self._folder / fixed)}
        matches = compile_glob(pattern).fullmatch
        ours = sorted((listed | self._outputs) - self._exports)
        return [path for path in ours if matches(path) and not self._is_external(path)]


def _why_nothing(path: Path) -> str:
    if path.is_dir():
        return "names a folder: add `/**` for all files in it"
    return find_kind_problem(path) or "matches no file"


def locked_references(images: Iterable[RenderedImage]) -> LockedReferences:
    """Make the locked images findable; those of a layout count by the reference that is their name there, if it is."""
    found = [(reference, image.locked) for image in images if (reference := _reference(image))]
    ranges = {
        reference: partial(_is_in_range, locked)
        for reference, locked in found
        if isinstance(locked.selector, VersionRange)
    }
    return LockedReferences((reference for reference, _ in found), ranges=ranges)


def _is_in_range(locked: LockedImage, tag: str) -> bool:
    return accepts(locked.selector, tag=tag, digest=locked.digest)


def _reference(image: RenderedImage) -> PinnedReference | None:
    if image.name.startswith(str(LayoutRepository(""))):
        return None
    try:
        return PinnedReference(split_reference(image.name).repository, image.locked.digest, image.tag)
    except InvalidReferenceError:
        return None


@frozen
class Pins:
    """What files are pinned to."""

    locked: LockedReferences
    external: IsExternal

    @classmethod
    def of(cls, images_file: ImagesFile, images: Mapping[str, RenderedImage]) -> Self:
        """Take it from a lock that answers images.toml."""
        return cls(locked_references(images.values()), images_file.external.covers)

    def pin(self, file: PinnedFile, content: bytes) -> Pinned | None:
        """Pin what a file holds, or is going to hold; None for what is no document, though a pattern led to it."""
        kind = _kind_of(file, content)
        if kind is None:
            return None
        return pin(content, kind, self.locked, style=file.style, external=self.external)

    def plan(self, file: PinnedFile) -> PinPlan | None:
        """Compare a file with the lock; None for what is no document, though a pattern led to it."""
        content = read_bytes(file.path)
        kind = _kind_of(file, content)
        if kind is None:
            return None
        return plan_pins(content, kind, self.locked, style=file.style, external=self.external)


def _kind_of(file: PinnedFile, content: bytes) -> Format | None:
    """Tell a file's kind; None for what a pattern took along."""
    return kind_of_named(file.path, content) if file.is_named else detect_kind(file.path.absolute(), content)

"""Find the files of ``[pin]``: exact names on disk, patterns among the files that git tracks or would add."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from os.path import realpath, relpath
from pathlib import Path
from posixpath import join, normpath

from imagelock.documents.pin_plan import PinStyle
from imagelock.errors import DocumentError
from imagelock.images_file.parser import ImagesFile
from imagelock.images_file.toml import entry_line, find_lines, nearest_line
from imagelock.model.frozen import frozen
from imagelock.model.globs import compile_glob, is_wild, split_fixed
from imagelock.project.files import find_kind_problem, read_text
from imagelock.project.project import Project
from imagelock.project.tree import FileListing, list_tree
from imagelock.project.work_tree import Identity, find_work_tree, identify

_NO_FILE = "matches no file"


@frozen(kw_only=True)
class PinnedFile:
    """A file to be pinned in place."""

    path: Path
    style: PinStyle = PinStyle.TAG_AND_DIGEST
    found_by: tuple[str, ...] = ()
    """The keys of ``[pin]`` that match it; empty for a file from the command line."""

    @property
    def is_named(self) -> bool:
        """Whether its exact name was given; a pattern may also match files that are no documents."""
        return not self.found_by or not all(map(is_wild, self.found_by))


@frozen
class EntryProblem:
    """What is wrong with a name or pattern in ``[pin]``: ``pin.files: "*.yml" …``."""

    key: str
    """``files`` or ``digest-only``."""
    entry: str
    reason: str
    """The end of a sentence about the entry."""

    @property
    def is_lost_name(self) -> bool:
        """Whether a file is not there; a pattern of files may wait for some."""
        return self.reason == _NO_FILE and not is_wild(self.entry)

    def __str__(self) -> str:
        return f'pin.{self.key}: "{self.entry}" {self.reason}'


@frozen
class Selection:
    """The files of ``[pin]``, and a problem for each entry that matches none."""

    files: tuple[PinnedFile, ...]
    problems: tuple[EntryProblem, ...]
    external: tuple[str, ...] = ()
    """The files that ``[pin]`` names and ``external.files`` excludes; they are neither read nor counted."""
    absent: tuple[str, ...] = ()
    """What patterns match and nothing can read: files left out by a sparse checkout, and links out of the project."""

    @property
    def has_lost_names(self) -> bool:
        """Whether a name without wildcards leads to no file, which `scan --write` replaces by names of new files."""
        return any(problem.is_lost_name for problem in self.problems)


def select_pinned_files(project: Project, images_file: ImagesFile) -> Selection:
    """Return the files without duplicates, sorted by path; outputs of ``[render]`` need not exist yet.

    ``DocumentError`` if a pattern leads out of the work tree: nothing is listed or read there.
    """
    folder, pins = project.folder, images_file.pins
    candidates = _Candidates(folder, images_file)
    files: dict[Identity, PinnedFile] = {}
    problems: list[EntryProblem] = []
    external: list[str] = []
    misplaced: list[EntryProblem] = []
    absent: set[str] = set()
    # A file in both lists is one of those that want no tag: that list is the more specific one.
    for style, key, patterns in (
        (PinStyle.DIGEST_ONLY, "digest-only", pins.digest_only),
        (PinStyle.TAG_AND_DIGEST, "files", pins.files),
    ):
        for pattern in patterns:
            if not is_wild(pattern) and is_external_file(folder, folder / pattern, images_file.external.files):
                external.append(pattern)
                continue
            paths, objections = candidates.find(pattern)
            absent |= candidates.find_absent(pattern)
            misplaced += [EntryProblem(key, pattern, objection) for objection in objections]
            if not paths and not objections:
                problems.append(EntryProblem(key, pattern, _why_nothing(folder / pattern)))
            for path in paths:
                new = PinnedFile(path=folder / path, style=style)
                file = files.get(identify(new.path), new)
                files[identify(new.path)] = replace(file, found_by=(*file.found_by, pattern))
    if misplaced:
        raise DocumentError(
            "cannot pin files outside of the project",
            details=locate_entries(project, misplaced),
            hint=f"take them out of [pin] in {project.images_path}",
        )
    found = tuple(sorted(files.values(), key=lambda file: file.path))
    return Selection(found, tuple(problems), tuple(external), tuple(sorted(absent)))


def locate_entries(project: Project, problems: Iterable[EntryProblem]) -> list[str]:
    """Write each problem with its line in images.toml."""
    text = read_text(project.images_path)
    lines = find_lines(text)
    found = [(entry_line(text, nearest_line(lines, ("pin", it.key)), it.entry), it) for it in problems]
    return [f"{project.images_path}:{line}: {problem}" for line, problem in found]


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
    """The files that patterns are matched against; each folder is listed once."""

    def __init__(self, folder: Path, images_file: ImagesFile) -> None:
        self._folder = folder
        self._tree = find_work_tree(folder)
        self._outputs = frozenset(normpath(target.output) for target in images_file.targets)
        self._exports = frozenset(normpath(target.output) for target in images_file.exports)
        self._is_external = external_files(images_file.external.files)
        self._list_tree = cache(list_tree)

    def find(self, pattern: str) -> tuple[list[str], list[str]]:
        """Find the files of a pattern, relative to the folder of images.toml, and the objections to any of them."""
        start = split_fixed(pattern)[0] if is_wild(pattern) else pattern
        objection = self._tree.objection(self._folder / start)
        if objection:
            return [], [objection]
        paths = self._matches(pattern)
        objections = {path: self._tree.objection(self._folder / path) for path in paths}
        return paths, [f"leads to `{path}`, which {text}" for path, text in objections.items() if text]

    def find_absent(self, pattern: str) -> set[str]:
        """Find what a pattern matches and nothing can read here."""
        if not is_wild(pattern) or self._tree.objection(self._folder / split_fixed(pattern)[0]):
            return set()
        listing, fixed = self._list_below(pattern)
        paths = {join(fixed, path) for path in (*listing.sparse, *listing.outside_links)}
        matches = compile_glob(pattern).fullmatch
        return {path for path in paths if matches(path) and not self._is_external(path)}

    def _list_below(self, pattern: str) -> tuple[FileListing, str]:
        fixed, _ = split_fixed(pattern)
        return self._list_tree(self._folder / fixed), fixed

    def _matches(self, pattern: str) -> list[str]:
        if not is_wild(pattern):
            return [pattern] if pattern in self._outputs or (self._folder / pattern).is_file() else []
        listing, fixed = self._list_below(pattern)
        listed = {join(fixed, path) for path in listing.files}
        matches = compile_glob(pattern).fullmatch
        ours = sorted((listed | self._outputs) - self._exports)
        return [path for path in ours if matches(path) and not self._is_external(path)]


def _why_nothing(path: Path) -> str:
    if path.is_dir():
        return "names a directory: add `/**` for all files in it"
    return find_kind_problem(path) or _NO_FILE

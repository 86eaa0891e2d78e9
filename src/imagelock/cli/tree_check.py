"""``check --all``: images that no lock covers, in all files of the project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from imagelock.cli.console import Console
from imagelock.cli.findings import Report, Wrong, lines
from imagelock.cli.pin_check import wrong_in
from imagelock.cli.pinning import Pins
from imagelock.cli.project import Project
from imagelock.cli.words import count
from imagelock.documents.checking import FindingKind, check
from imagelock.documents.kinds import DocumentKind, detect_kind
from imagelock.files import read_bytes
from imagelock.images_file import IMAGES_FILE_NAME, ImagesFile
from imagelock.lockfile import Lockfile
from imagelock.pinned_files import external_files, select_pinned_files
from imagelock.rendering import spelled_images
from imagelock.tree import list_files

_NOT_COVERED = frozenset(
    {
        FindingKind.UNRESOLVED,
        FindingKind.NOT_LOCKED,
        FindingKind.LOCKED_TWICE,
        FindingKind.STALE_TAG,
        FindingKind.DIGEST_DIFFERS,
    }
)
_YAML_SUFFIXES = (".yml", ".yaml")


def search_tree(
    project: Project, images_file: ImagesFile, lockfile: Lockfile, *, console: Console, report: Report
) -> None:
    """Report references that the lock says nothing about, or something else.

    Files that can't be read as what they seem to be, such as Helm's templates, are noted. Those of ``[pin]`` were
    checked already, and folders with an images.toml of their own are checked there.
    """
    pins = Pins.of(images_file, spelled_images(images_file, lockfile))
    paths = tuple(_paths_to_search(project.folder, images_file))
    unreadable: list[Wrong] = []
    searched = 0
    for number, path in enumerate(paths, start=1):
        console.progress(f"Searching {number}/{len(paths)}: {path}")
        document = _read(path)
        if document is None:
            continue
        findings = check(document.content, document.kind, pins.locked, external=pins.external)
        report.add(wrong_in(path, finding) for finding in findings if finding.kind in _NOT_COVERED)
        problems = [wrong_in(path, finding) for finding in findings if finding.kind is FindingKind.UNREADABLE]
        unreadable += problems
        searched += not problems
    report.count(count(searched, "other file"), "searched")
    if unreadable:
        console.note(f"{count(len(unreadable), 'place')} could not be read; there may be images")
        for line in lines(unreadable):
            console.detail(f"  {line}")


@dataclass(frozen=True, slots=True)
class _Document:
    content: bytes
    kind: DocumentKind


def _paths_to_search(folder: Path, images_file: ImagesFile) -> Iterator[Path]:
    listed = list_files(folder)
    is_external = external_files(images_file.external.files)
    pinned = {file.path.resolve() for file in select_pinned_files(folder, images_file).files}
    elsewhere = {parent for path in listed if (parent := _other_project(path))}
    for path in listed:
        is_elsewhere = any(str(parent) in elsewhere for parent in PurePosixPath(path).parents)
        if not is_elsewhere and not is_external(path) and (folder / path).resolve() not in pinned:
            yield folder / path


def _other_project(path: str) -> str | None:
    folder, _, name = path.rpartition("/")
    return folder if folder and name == IMAGES_FILE_NAME else None


def _read(path: Path) -> _Document | None:
    """Read a file if it is, by its name or by what it begins with, one that may have references."""
    where = path.absolute()
    if path.suffix.lower() not in _YAML_SUFFIXES and detect_kind(where, b"") is None:
        return None
    content = read_bytes(path)
    kind = detect_kind(where, content)
    return None if kind is None else _Document(content, kind)

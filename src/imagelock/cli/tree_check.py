"""``check --all``: images that no lock covers, in all files of the project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imagelock.cli.console import Console
from imagelock.cli.document_checks import wrong_in
from imagelock.cli.reports.findings import Report, Wrong, lines
from imagelock.cli.text import count
from imagelock.documents.checking import FindingKind, check
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import Lockfile
from imagelock.project.project import Project
from imagelock.project.tree import list_own_files, read_document
from imagelock.rendering.pinned_files import Pins, external_files, select_pinned_files
from imagelock.rendering.template import spelled_images

_NOT_COVERED = frozenset(
    {
        FindingKind.UNRESOLVED,
        FindingKind.NOT_LOCKED,
        FindingKind.LOCKED_TWICE,
        FindingKind.STALE_TAG,
        FindingKind.DIGEST_DIFFERS,
        FindingKind.RANGE_MOVED,
    }
)


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
        document = read_document(path)
        if document is None:
            continue
        findings = check(document.content, document.kind, pins.locked, external=pins.external)
        report.add(wrong_in(path, finding) for finding in findings if finding.kind in _NOT_COVERED)
        problems = [wrong_in(path, finding) for finding in findings if finding.kind is FindingKind.UNREADABLE]
        unreadable += problems
        searched += not problems
    console.end_progress()
    report.count(count(searched, "other file"), "searched")
    if unreadable:
        console.note(f"{count(len(unreadable), 'place')} could not be read; there may be images")
        for line in lines(unreadable):
            console.detail(f"  {line}")


def _paths_to_search(folder: Path, images_file: ImagesFile) -> Iterator[Path]:
    is_external = external_files(images_file.external.files)
    pinned = {file.path.resolve() for file in select_pinned_files(folder, images_file).files}
    for path in list_own_files(folder):
        if not is_external(path) and (folder / path).resolve() not in pinned:
            yield folder / path

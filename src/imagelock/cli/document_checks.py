"""What `check` finds in files: in those of ``[pin]``, and with ``--all`` in every other file of the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from imagelock.cli.console import Console
from imagelock.cli.reports.findings import Report, Wrong, lines
from imagelock.cli.text import count
from imagelock.documents.pin_plan import Finding, FindingKind, check
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import Lockfile
from imagelock.project.project import Project
from imagelock.project.tree import list_own_files, read_document
from imagelock.rendering.pinned_files import PinnedFile, Pins, external_files, select_pinned_files
from imagelock.rendering.template import images_to_render

_RENDER = "imagelock render"


class PinCheck:
    """One comparison of the files that ``[pin]`` means with the lock."""

    def __init__(self, project: Project, images_file: ImagesFile, lockfile: Lockfile) -> None:
        self._images_path = project.images_path
        self._selection = select_pinned_files(project.folder, images_file)
        self._pins = Pins.of(images_file, images_to_render(images_file, lockfile))
        self.files = self._selection.files
        outputs = {(project.folder / target.output).resolve() for target in images_file.targets}
        self.rendered = tuple(file for file in self.files if file.path.resolve() in outputs)
        """Those that are rendered as well."""

    def find(self) -> Iterator[Wrong]:
        """Find what is not as locked."""
        for problem in self._selection.problems:
            yield self._wrong_pattern(problem)
        found = {file: self._pins.check(file) for file in self.files if file.path.exists()}
        for file, findings in found.items():
            yield from (wrong_in(file.path, each) for each in findings or () if _matters(file, each))
        for pattern in _fruitless_patterns(found):
            yield self._wrong_pattern(f'pin: "{pattern}" leads to no image reference')

    def _wrong_pattern(self, reason: str) -> Wrong:
        return Wrong(name=str(self._images_path), reason=reason)


def wrong_in(path: Path, finding: Finding) -> Wrong:
    """Say what a finding means for its file."""
    command = _RENDER if finding.kind.is_mended_by_render else None
    way_out = None if command else finding.hint
    return Wrong(name=str(path), reason=finding.reason, command=command, way_out=way_out, path=path, finding=finding)


def _matters(file: PinnedFile, finding: Finding) -> bool:
    """Let a pattern, but not a file's own name, lead to files without images, such as a Kubernetes Service."""
    return file.is_named or finding.kind is not FindingKind.NO_REFERENCE


def _fruitless_patterns(found: Mapping[PinnedFile, tuple[Finding, ...] | None]) -> Iterable[str]:
    fruitful = {pattern for file, findings in found.items() if _has_references(findings) for pattern in file.found_by}
    patterns = dict.fromkeys(pattern for file in found if not file.is_named for pattern in file.found_by)
    return [pattern for pattern in patterns if pattern not in fruitful]


def _has_references(findings: tuple[Finding, ...] | None) -> bool:
    return findings is not None and all(finding.kind is not FindingKind.NO_REFERENCE for finding in findings)


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
    pins = Pins.of(images_file, images_to_render(images_file, lockfile))
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
    checked = {file.path.resolve() for file in select_pinned_files(folder, images_file).files}
    checked |= {(folder / target.output).resolve() for target in images_file.exports}
    for path in list_own_files(folder):
        if not is_external(path) and (folder / path).resolve() not in checked:
            yield folder / path

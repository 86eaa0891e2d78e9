"""The ``[pin]`` files for ``check``: each reference must be locked, and equal to the lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from imagelock.cli.reports.findings import Wrong
from imagelock.documents.checking import Finding, FindingKind
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import Lockfile
from imagelock.project.project import Project
from imagelock.rendering.pinned_files import PinnedFile, Pins, select_pinned_files
from imagelock.rendering.template import spelled_images

_RENDER = "imagelock render"
_MENDED_BY_RENDER = frozenset(
    {
        FindingKind.NO_DIGEST,
        FindingKind.DIGEST_DIFFERS,
        FindingKind.RANGE_MOVED,
        FindingKind.TAG_BESIDE_DIGEST,
    }
)


class PinCheck:
    """One comparison of the files that ``[pin]`` means with the lock."""

    def __init__(self, project: Project, images_file: ImagesFile, lockfile: Lockfile) -> None:
        self._images_path = project.images_path
        self._selection = select_pinned_files(project.folder, images_file)
        self._pins = Pins.of(images_file, spelled_images(images_file, lockfile))
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
    command = _RENDER if finding.kind in _MENDED_BY_RENDER else None
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

"""What `check` finds in files: in those of ``[pin]``, and with ``--all`` in every other file of the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shlex import quote

from imagelock.cli.console import Console
from imagelock.cli.progress import watch
from imagelock.cli.reports.finding_report import hints, lines
from imagelock.cli.reports.findings import (
    LOCK,
    NESTED_PROJECT,
    PIN_PATTERN,
    RENDER,
    RETAG,
    SCAN,
    UNREAD_FILE,
    UNREAD_PLACE,
    Report,
    Wrong,
)
from imagelock.cli.reports.search_notes import Unread, print_unread
from imagelock.cli.text import absent_notes, count
from imagelock.documents.formats.format import Format
from imagelock.documents.pin_plan import Finding, FindingKind, PinPlan
from imagelock.documents.references import Image, Marked
from imagelock.documents.unread import ABSENT, UnreadKind, UnreadPlace, find_unread_places
from imagelock.errors import ImagelockError
from imagelock.images_file.declared import DeclaredImages
from imagelock.images_file.own_names import OwnNames
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import find_mismatches
from imagelock.locking.lockfile import Lockfile
from imagelock.project.documents import Document
from imagelock.project.project import Project, find_project
from imagelock.project.work_tree import identify
from imagelock.rendering.pin_in_place import Pins
from imagelock.rendering.pinned_files import EntryProblem, PinnedFile, external_files, select_pinned_files
from imagelock.rendering.template import images_to_render


class PinCheck:
    """One comparison of the files that ``[pin]`` means with the lock."""

    def __init__(self, project: Project, images_file: ImagesFile, lockfile: Lockfile) -> None:
        self._images_path = project.images_path
        self._folder = project.folder
        self._patterns = images_file.pins.files
        self._selection = select_pinned_files(project, images_file)
        self._pins = Pins.of(project.folder, images_file, images_to_render(images_file, lockfile))
        self.files = self._selection.files
        outputs = {identify(project.folder / target.output) for target in images_file.targets}
        self.rendered = tuple(file for file in self.files if identify(file.path) in outputs)
        """Those that are rendered as well."""

    def run(self, report: Report) -> None:
        """Report what is not as locked."""
        report.count(count(len(self.files), "file"), "pinned")
        report.notes.extend(
            f"`{path}` is not checked: `[external] files` excludes it" for path in self._selection.external
        )
        report.notes.extend(absent_notes(self._selection.absent))
        if self._selection.absent:
            paths = (str(self._folder / path) for path in self._selection.absent)
            report.unread.append(Unread(files=tuple((path, ABSENT.title) for path in paths)))
        report.add(self._find(report))

    def _find(self, report: Report) -> Iterator[Wrong]:
        for problem in self._selection.problems:
            yield self._wrong_entry(problem, command=SCAN if problem.is_lost_name else None)
        found = {file: self._pins.plan(file) for file in self.files if file.path.exists()}
        covered = sum(len(plan.covered) for plan in found.values() if plan)
        if covered:
            report.count(count(covered, "reference"), "covered by a policy")
        for file, plan in found.items():
            if plan:
                report.external.extend(plan.external_texts)
                report.carried.update(self._names_in(plan))
                yield from (wrong_in(file.path, each) for each in plan.findings if _matters(file, each))
        for pattern in _fruitless_patterns(found):
            key = "files" if pattern in self._patterns else "digest-only"
            yield self._wrong_entry(EntryProblem(key, pattern, "leads to no image reference"))

    def _names_in(self, plan: PinPlan) -> Iterator[str]:
        for step in plan.steps:
            match step.reference.target:
                case Image(_, reference):
                    yield from self._pins.locked.names_of(reference)
                case Marked(_, name):
                    yield name
                case _:
                    continue

    def _wrong_entry(self, problem: EntryProblem, *, command: str | None = None) -> Wrong:
        return Wrong(
            name=str(self._images_path),
            path=self._images_path,
            key=("pin", problem.key),
            entry=problem.entry,
            rule=PIN_PATTERN,
            reason=str(problem),
            command=command,
        )


def wrong_in(path: Path, finding: Finding) -> Wrong:
    """Return a finding of a pinned file, with the command that corrects it."""
    command = RENDER if finding.kind.is_mended_by_render else RETAG if finding.hint == f"run `{RETAG}`" else None
    way_out = None if command else finding.hint
    return Wrong(name=str(path), reason=finding.reason, command=command, way_out=way_out, path=path, finding=finding)


def _wrong_outside(path: Path, finding: Finding) -> Wrong:
    """Return a finding of a file outside ``[pin]``, where ``scan --write`` corrects what is new."""
    if finding.kind not in (FindingKind.NOT_LOCKED, FindingKind.OTHER_TAG):
        return wrong_in(path, finding)
    more = (LOCK, RENDER)
    return Wrong(name=str(path), reason=finding.reason, command=SCAN, more=more, path=path, finding=finding)


def _find_nested(folder: Path, paths: Iterable[str]) -> Iterator[Wrong]:
    """Find each images.toml further down that can't be used, or whose lock is stale."""
    for path in paths:
        images_path = folder / path
        project = find_project(images_path)
        way_out = f"run `imagelock -C {quote(str(images_path.parent))} check`"
        try:
            stale = len(find_mismatches(*project.read()))
        except ImagelockError as error:
            yield Wrong(
                name=str(images_path), rule=NESTED_PROJECT, reason=error.message, way_out=way_out, path=images_path
            )
            continue
        if stale:
            reason = f"{project.lock_path.name} does not match it ({count(stale, 'difference')})"
            yield Wrong(name=str(images_path), rule=NESTED_PROJECT, reason=reason, way_out=way_out, path=images_path)


def _wrong_unread(found: Iterable[Unread]) -> Iterator[Wrong]:
    """Return what was not read as problems, which it is under ``--strict``."""
    for unread in found:
        for path, title in unread.files:
            reason = f"{title}: it may have images, and cannot be read"
            yield Wrong(name=path, path=Path(path), rule=UNREAD_FILE, reason=reason)
        for path, place in unread.places:
            what = "it may pull an image" if place.is_command else "it may be an image, at a path that is not known"
            position = place.position
            yield Wrong(
                name=path,
                path=Path(path),
                rule=UNREAD_PLACE,
                reason=f"`{place.text}`: {what}",
                line=position.line,
                column=position.column,
            )


def _matters(file: PinnedFile, finding: Finding) -> bool:
    """Return whether a finding is a problem: files that only a pattern lists may have no image."""
    return file.is_named or finding.kind is not FindingKind.NO_REFERENCE


def _fruitless_patterns(found: Mapping[PinnedFile, PinPlan | None]) -> Iterable[str]:
    fruitful = {pattern for file, plan in found.items() if _may_name_images(plan) for pattern in file.found_by}
    patterns = dict.fromkeys(pattern for file in found if not file.is_named for pattern in file.found_by)
    return [pattern for pattern in patterns if pattern not in fruitful]


def _may_name_images(plan: PinPlan | None) -> bool:
    """Whether a document has references, or could not be read, which is a finding of its own."""
    return plan is not None and bool(plan.names_image or plan.problems)


# What does not matter in a file that [pin] does not list. Every other kind is reported, so that none is passed over.
_FOR_PINNED_FILES_ALONE = frozenset({FindingKind.NO_REFERENCE, FindingKind.TAG_BESIDE_DIGEST})


class TreeSearch:
    """A search of all other files of a project for references that the lock says nothing about, or something else.

    Files of ``[pin]`` were checked before, and folders with an images.toml of their own are checked there.
    """

    def __init__(self, project: Project, images_file: ImagesFile, lockfile: Lockfile) -> None:
        self._project, self._folder = project, project.folder
        self._images_file = images_file
        self._pins = Pins.of(project.folder, images_file, images_to_render(images_file, lockfile))
        self._declared = DeclaredImages(images_file.images)
        self._plans: list[tuple[Path, PinPlan]] = []
        self._wrong: list[Wrong] = []
        self._listed: list[Wrong] = []
        self._unreadable: list[Wrong] = []
        self._external: list[tuple[str, str]] = []
        self._rendered = {identify(project.folder / target.output) for target in images_file.targets}
        self._searched = 0
        self._templates = {identify(project.folder / target.template) for target in images_file.targets}
        self._unread: list[tuple[str, str]] = []
        self._overlooked: list[tuple[str, UnreadPlace]] = []

    def run(self, console: Console, report: Report, *, is_strict: bool) -> None:
        """Search; what can only be listed fails the check if it is strict."""
        names = OwnNames.of(self._search_all(console))
        for path, plan in self._plans:
            self._report_plan(path, plan, names)
        report.count(count(self._searched, "other file"), "searched")
        report.add(self._wrong)
        nested = self._pins.documents.nested_projects()
        if nested:
            report.count(count(len(nested), "nested lock"), "compared")
        report.add(_find_nested(self._folder, nested))
        noted = {path for unread in report.unread for path, _ in unread.files}
        unread = Unread(
            files=tuple((path, title) for path, title in self._unread if path not in noted),
            places=tuple(self._overlooked),
        )
        report.unread.append(unread)
        unused = self._images_file.external.unused_names((*report.external, *self._external))
        report.notes.extend(f"`{name}` in external.names covers no reference" for name in unused)
        if is_strict:
            report.add((*self._listed, *self._unreadable, *_wrong_unread(report.unread)))
            return
        print_unread(console, unread)
        report.listed.extend((*self._listed, *self._unreadable))
        self._tell(console)

    def _search_all(self, console: Console) -> Iterator[tuple[str, Format, bytes]]:
        """Plan each file that was not checked before, and return every document of the project."""
        is_external = external_files(self._images_file.external.files)
        pinned = {identify(file.path) for file in select_pinned_files(self._project, self._images_file).files}
        exports = {identify(self._folder / target.output) for target in self._images_file.exports}
        listed = [path for path in self._pins.documents.searched_paths() if not is_external(path)]
        identities = {path: identify(self._folder / path) for path in listed}
        paths = [path for path in listed if identities[path] not in exports]
        watcher = watch(console, "Searching")
        watcher.expect([str(self._folder / path) for path in paths])
        for path in paths:
            document = self._examine(self._folder / path, is_pinned=identities[path] in pinned)
            if document is not None:
                yield path, document.kind, document.content
            watcher.done(str(self._folder / path))
        console.end_progress()

    def _examine(self, path: Path, *, is_pinned: bool) -> Document | None:
        document = self._pins.documents.examine(path, wants_unread=identify(path) not in self._templates)
        if isinstance(document, UnreadKind):
            self._unread.append((str(path), document.title))
            return None
        if document is not None:
            places = find_unread_places(document.content, document.kind)
            covered = [each for each in places if self._images_file.external.covers(each.text, each.text)]
            self._overlooked += ((str(path), each) for each in places if each not in covered)
            self._external += ((each.text, each.text) for each in covered)
        if document is not None and not is_pinned:
            self._plans.append((path, self._pins.plan_content(document.content, document.kind)))
        return document

    def _report_plan(self, path: Path, plan: PinPlan, names: OwnNames) -> None:
        self._searched += not plan.problems
        self._external.extend(plan.external_texts)
        for finding in plan.without(lambda each: names.covers(each) and not self._declared.names(each)).findings:
            match finding.kind:
                case FindingKind.NO_DIGEST:
                    self._wrong.append(self._not_carried(path, finding))
                case FindingKind.NOT_PINNABLE:
                    self._listed.append(wrong_in(path, finding))
                case FindingKind.UNREADABLE:
                    self._unreadable.append(wrong_in(path, finding))
                case kind if kind not in _FOR_PINNED_FILES_ALONE:
                    self._wrong.append(_wrong_outside(path, finding))
                case _:
                    pass

    def _not_carried(self, path: Path, finding: Finding) -> Wrong:
        """Return the finding that nothing writes the digest of a declared image."""
        if identify(path) in self._rendered:
            reason = "it has no digest, and its template no placeholder for it"
            way_out = "write `{{images.NAME}}` in the template"
            return Wrong(name=str(path), reason=reason, way_out=way_out, path=path, finding=finding)
        reason = "it has no digest, and its file is neither rendered nor in [pin]"
        return Wrong(name=str(path), reason=reason, more=(RENDER,), command=SCAN, path=path, finding=finding)

    def _tell(self, console: Console) -> None:
        if self._listed:
            console.note(f"{count(len(self._listed), 'reference')} cannot be pinned (`--strict` fails for this)")
            for line in lines(self._listed, width=console.details_width):
                console.item(line)
            for hint in hints(self._listed, fails=False):
                console.hint(hint)
        if self._unreadable:
            console.note(f"{count(len(self._unreadable), 'place')} could not be read; there may be images")
            for line in lines(self._unreadable):
                console.detail(f"  {line}")

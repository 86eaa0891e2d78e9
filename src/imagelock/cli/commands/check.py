"""``imagelock check``: everything that CI wants to know, without network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import click

from imagelock.cli.options import Settings, choose_format, with_settings
from imagelock.cli.reports.findings import (
    FREEZE_EXPIRED,
    LOCK,
    NOT_COMPARED,
    NOT_RENDERED,
    RENDER,
    RETAG,
    UNUSED_PATH,
    Report,
    Wrong,
    state,
)
from imagelock.cli.text import NO_IMAGE, count, listing
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.freshness import (
    Damaged,
    Mismatch,
    NotDeclared,
    SelectorChanged,
    find_mismatches,
)
from imagelock.locking.lockfile import Lockfile
from imagelock.model.selector import ExactDigest
from imagelock.project.ignored import find_ignored
from imagelock.project.project import Project, find_project
from imagelock.rendering.file_choice import FileChoice
from imagelock.rendering.outputs import Output, make_outputs

_THAW = "remove `freeze` and `freeze-until` from images.toml, or name another day"


@click.command("check")
@click.option("--all", "searches_tree", is_flag=True, help="Search all other files for images as well.")
@click.option("--strict", is_flag=True, help="Fail for all that cannot be pinned or read; implies --all.")
@choose_format(
    "json",
    "markdown",
    "sarif",
    "gitlab",
    text="Choose the output: text, JSON, Markdown for a job's summary, or a format of code scanning.",
)
@with_settings
def command(settings: Settings, *, searches_tree: bool, strict: bool, output_format: str) -> None:
    """Verify lock and files (offline, for CI).

    Compares images.lock with images.toml, and all rendered, pinned and exported files with images.lock. Prints place
    and reason of each problem. A tag that moved upstream is not a problem: `imagelock outdated` shows it.
    """
    project = find_project(settings.images_path, settings.lock_path)
    with project.reading():
        report, mismatches = _find(settings, project, searches_tree=searches_tree or strict, is_strict=strict)
    for note in report.notes:
        settings.console.note(note)
    if output_format == "text" and not report.wrong:
        settings.console.say(f"{', '.join(report.counts)}: {state(report)}")
    else:
        from imagelock.cli.reports.check import tell  # noqa: PLC0415  only problems and scripts need it

        tell(settings.console, project, report, mismatches, output_format=output_format)


def _find(
    settings: Settings, project: Project, *, searches_tree: bool, is_strict: bool
) -> tuple[Report, Sequence[Mismatch]]:
    images_file, lockfile = project.read_images_file(), project.read_lockfile()
    report = Report()
    report.count(count(len(images_file.images)), "locked")
    mismatches: Sequence[Mismatch] = find_mismatches(images_file, lockfile)
    if project.may_have_mixed_platforms(lockfile):
        from imagelock.project.mixed_entries import find_mixed  # noqa: PLC0415  only a merge needs it

        mixed = find_mixed(images_file, lockfile, project.lock_path)
        mismatches = (*mismatches, *mixed.lacking)
        report.notes.extend(mixed.notes)
    report.add(_describe(mismatches, project, images_file))
    if not report.wrong:
        _check_files(project, images_file, lockfile, report)
        if searches_tree:
            from imagelock.cli.document_checks import TreeSearch  # noqa: PLC0415  30 ms that only --all needs

            TreeSearch(project, images_file, lockfile).run(settings.console, report, is_strict=is_strict)
    report.add(_find_overdue(project, images_file, datetime.now(UTC).date()))
    report.notes.extend(filter(None, [find_ignored(project.lock_path)]))
    _note_uncarried(images_file, report)
    if not images_file.images and not report.wrong:
        report.notes.append(NO_IMAGE)
    if report.wrong:
        from imagelock.cli.reports.finding_report import locate  # noqa: PLC0415  only problems need it

        report.wrong[:] = locate(report.wrong)
    return report, mismatches


def _describe(mismatches: Sequence[Mismatch], project: Project, images_file: ImagesFile) -> Iterator[Wrong]:
    if not mismatches:
        return
    from imagelock.cli.reports.rules import rule_of  # noqa: PLC0415  only a stale lock needs it

    for mismatch in mismatches:
        path = project.lock_path if isinstance(mismatch, NotDeclared | Damaged) else project.images_path
        key = ("images", mismatch.alias)
        yield Wrong(name=key[1], path=path, key=key, rule=rule_of(mismatch), reason=str(mismatch), command=LOCK)
    if images_file.outputs or images_file.pins.names_files:
        # What the files should be is unknown until the lock matches again; they will change with it.
        reason = "files can't be compared with a stale lock"
        moves_tags = images_file.pins.names_files and any(map(_moves_tag, mismatches))
        command = RETAG if moves_tags else RENDER
        path = project.lock_path
        yield Wrong(name=str(path), rule=NOT_COMPARED, reason=reason, command=command, path=path)


def _moves_tag(mismatch: Mismatch) -> bool:
    """Whether images.toml does not admit the tag that pinned files have."""
    if not isinstance(mismatch, SelectorChanged) or mismatch.is_accepted:
        return False
    # A digest with the same tag beside it moves the digest alone; files that have no tag have nothing else to go by.
    wanted = mismatch.declared
    return not isinstance(wanted, ExactDigest) or wanted.tag is None or wanted.tag != mismatch.locked.tag


def _check_files(project: Project, images_file: ImagesFile, lockfile: Lockfile, report: Report) -> None:
    if images_file.targets:
        report.count(count(len(images_file.targets), "file"), "rendered")
    report.add(_find_rule_problems(project, images_file))
    if images_file.exports:
        report.count(count(len(images_file.exports), "file"), "exported")
    if not images_file.pins.names_files:
        choice = FileChoice(images_file.targets, exports=images_file.exports)
        _check_outputs(project, choice, images_file, lockfile, report)
        return
    from imagelock.cli.document_checks import PinCheck  # noqa: PLC0415  30 ms that only [pin] needs

    pins = PinCheck(project, images_file, lockfile)
    choice = FileChoice(images_file.targets, pins.rendered, images_file.exports, pins_of_templates=pins.files)
    _check_outputs(project, choice, images_file, lockfile, report)
    pins.run(report)


def _find_rule_problems(project: Project, images_file: ImagesFile) -> Iterator[Wrong]:
    if images_file.documents is None:
        return
    from imagelock.project.rule_problems import find_rule_problems  # noqa: PLC0415  30 ms that only they need

    for problem in find_rule_problems(project, images_file):
        path, line = problem.path, problem.line
        yield Wrong(name=str(path), path=path, line=line, rule=UNUSED_PATH, reason=problem.sentence)


def _check_outputs(
    project: Project, choice: FileChoice, images_file: ImagesFile, lockfile: Lockfile, report: Report
) -> None:
    outputs = make_outputs(project, choice, images_file, lockfile)
    report.notes.extend(note for output in outputs for note in output.template_notes)
    report.add(_compare(outputs, report))


def _note_uncarried(images_file: ImagesFile, report: Report) -> None:
    """Note the locked images whose digests are written nowhere: being locked alone pins nothing."""
    for target in images_file.exports:
        report.carried.update(target.export.names or (image.alias for image in images_file.images))
    names = [str(image.alias) for image in images_file.images if image.alias not in report.carried]
    if names and not report.wrong:
        verb = "is" if len(names) == 1 else "are"
        report.uncarried.extend(names)
        report.notes.append(f"{count(len(names))} {verb} in no file of [render], [pin] or [export]: {listing(names)}")


def _compare(outputs: tuple[Output, ...], report: Report) -> Iterator[Wrong]:
    for output in outputs:
        if output.rendering is not None:
            report.carried.update(output.rendering.names)
        if not output.is_current():
            reason = "not rendered from the current lock" if output.path.exists() else "not rendered yet"
            path = output.path
            if output.overwrites_text():
                what = f"{path} has text that its template {output.template} does not give"
                report.notes.append(f"{what}: `render` overwrites it (`render --diff` shows what)")
            yield Wrong(name=str(path), rule=NOT_RENDERED, reason=reason, command=RENDER, path=path)


def _find_overdue(project: Project, images_file: ImagesFile, today: date) -> Iterator[Wrong]:
    for image in images_file.images:
        if image.is_overdue(today):
            reason = f"frozen until {image.freeze_until}, and today is {today}: {image.freeze}"
            path, key = project.images_path, ("images", image.alias)
            yield Wrong(name=image.alias, path=path, key=key, rule=FREEZE_EXPIRED, reason=reason, way_out=_THAW)

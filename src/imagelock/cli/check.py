"""``imagelock check``: everything that CI wants to know, without network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import click

from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.outputs import render_outputs
from imagelock.cli.project import Project, find_project
from imagelock.cli.words import count
from imagelock.errors import CheckFailedError
from imagelock.freshness import find_mismatches
from imagelock.images_file import ImagesFile
from imagelock.lockfile import Lockfile


@dataclass(frozen=True, slots=True)
class _Finding:
    """One thing that is not as locked, and the command that mends it."""

    name: str
    reason: str
    remedy: str | None
    """None where a person has to decide."""


@click.command("check")
@format_option
@with_settings
def command(settings: Settings, *, output_format: str) -> None:
    """Ask whether images.lock answers images.toml, and every rendered file the lock.

    Exit code 0 means yes and 1 no, each thing with its reason. Never uses the network: a tag that moved upstream is
    no reason, that is what `imagelock update` is for. A `freeze-until` that is over is one, and the only reason that
    has to do with the calendar.
    """
    project = find_project(settings)
    images_file, lockfile = project.read_images_file(), project.read_lockfile()
    today = datetime.now(UTC).date()
    findings = [*_find(project, images_file, lockfile), *_find_overdue(images_file, today)]
    if output_format == "json":
        problems = [{"name": finding.name, "reason": finding.reason} for finding in findings]
        settings.console.json({"ok": not findings, "problems": problems})
    if findings:
        raise _failure(project, findings)
    if output_format == "text":
        files = count(len(images_file.targets), "file")
        settings.console.say(f"{count(len(images_file.images))} locked, {files} rendered: all up to date")


_LOCK = "imagelock lock"
_RENDER = "imagelock render"
_THAW = "remove `freeze` and `freeze-until` from images.toml, or name another day"


def _failure(project: Project, findings: Sequence[_Finding]) -> CheckFailedError:
    remedies = dict.fromkeys(finding.remedy for finding in findings if finding.remedy is not None)
    if _LOCK in remedies:
        message = f"{project.lock_path} does not match {project.images_path}"
    elif remedies:
        message = "files are not rendered from the current lock"
    else:
        message = f"{project.images_path} freezes images longer than it says"
    return CheckFailedError(
        message,
        details=[f"{finding.name}: {finding.reason}" for finding in findings],
        hint=f"run {', then '.join(f'`{remedy}`' for remedy in remedies)}" if remedies else _THAW,
    )


def _find_overdue(images_file: ImagesFile, today: date) -> Iterator[_Finding]:
    for image in images_file.images:
        if image.is_overdue(today):
            reason = f"frozen until {image.freeze_until}, and today is {today}: {image.freeze}"
            yield _Finding(image.alias, reason, None)


def _find(project: Project, images_file: ImagesFile, lockfile: Lockfile) -> Iterator[_Finding]:
    mismatches = find_mismatches(images_file, lockfile)
    for mismatch in mismatches:
        yield _Finding(mismatch.alias, str(mismatch), _LOCK)
    if mismatches:
        # What the outputs should be is unknown until the lock answers again; they will change with it.
        if images_file.targets:
            yield _Finding(str(project.lock_path), "rendered files can't be compared with a stale lock", _RENDER)
        return
    for output in render_outputs(project, images_file.targets, images_file, lockfile):
        if not output.is_current():
            reason = "not rendered from the current lock" if output.path.exists() else "not rendered yet"
            yield _Finding(str(output.path), reason, _RENDER)

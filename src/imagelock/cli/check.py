"""``imagelock check``: everything that CI wants to know, without network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    remedy: str


@click.command("check")
@format_option
@with_settings
def command(settings: Settings, *, output_format: str) -> None:
    """Ask whether images.lock answers images.toml, and every rendered file the lock.

    Exit code 0 means yes and 1 no, each thing with its reason. Never uses the network: a tag that moved upstream is
    no reason, that is what `imagelock update` is for.
    """
    project = find_project(settings)
    images_file, lockfile = project.read_images_file(), project.read_lockfile()
    findings = list(_find(project, images_file, lockfile))
    if output_format == "json":
        problems = [{"name": finding.name, "reason": finding.reason} for finding in findings]
        settings.console.json({"ok": not findings, "problems": problems})
    if findings:
        remedies = dict.fromkeys(finding.remedy for finding in findings)
        raise CheckFailedError(
            f"{project.lock_path} does not match {project.images_path}"
            if any(finding.remedy == _LOCK for finding in findings)
            else "files are not rendered from the current lock",
            details=[f"{finding.name}: {finding.reason}" for finding in findings],
            hint=f"run {', then '.join(f'`{remedy}`' for remedy in remedies)}",
        )
    if output_format == "text":
        files = count(len(images_file.targets), "file")
        settings.console.say(f"{count(len(images_file.images))} locked, {files} rendered: all up to date")


_LOCK = "imagelock lock"
_RENDER = "imagelock render"


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

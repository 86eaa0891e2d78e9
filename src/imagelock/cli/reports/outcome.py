"""How a run that changes images.lock is reported: what it did, or would do, and what to do next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imagelock.cli.console import Console
from imagelock.cli.reports.changes import change_document, change_lines
from imagelock.cli.text import count
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.changes import Added, Change, Removed, Updated
from imagelock.locking.lockfile import Lockfile
from imagelock.locking.plan import LockResult
from imagelock.model.frozen import frozen
from imagelock.model.selector import accepts
from imagelock.project.ignored import find_ignored
from imagelock.project.project import Project

if TYPE_CHECKING:
    from imagelock.locking.merge import Merged  # 3 ms that only a merge needs

_MOST_LOOKED_FOR = 5
"""New images that are looked for in files: so many a person adds by hand, and `init` has found the others there."""


@frozen(kw_only=True)
class Outcome:
    """What a run did, or would do, to images.lock."""

    result: LockResult
    changes: Sequence[Change]
    seconds: float
    is_dry_run: bool
    rewrites_form: bool
    """Whether images.lock is written although no image changed: it was not as this program writes it."""
    merged: Merged | None
    """What was made of conflict markers, or of entries that git has mixed, if there were any."""
    lock_path: Path
    is_new: bool
    """Whether there was no images.lock before."""
    images_file: ImagesFile
    project: Project
    has_written_files: bool = False
    """Whether the files of the project have the changes already."""

    def summary(self, changed: str, unchanged: str) -> str:
        """Return one of two texts: images.lock changed, or did not; or that only its form changed."""
        if self.changes:
            return changed
        if self.rewrites_form and not (self.merged and self.merged.is_mixed):
            verb = "Would rewrite" if self.is_dry_run else "Rewrote"
            return f"{verb} {self.lock_path} in its usual form; no image changed"
        return unchanged

    @property
    def changed(self) -> str:
        """How many images were locked anew, of all that are locked now."""
        total = len(self.result.lockfile.images)
        changed = sum(not isinstance(change, Removed) for change in self.changes)
        removed = f", {len(self.changes) - changed} removed" if changed < len(self.changes) else ""
        is_all = changed == total or not self.changes
        return f"{count(total) if is_all else f'{changed} of {count(total)}'}{removed}"


def report(console: Console, outcome: Outcome, summary: str, *, output_format: str) -> None:
    """Print what happened: lines on stderr, or a JSON document on stdout."""
    if outcome.merged is not None and outcome.merged.is_mixed:
        from imagelock.cli.lock_merge import tell_merge  # noqa: PLC0415  it is loaded already

        console.say(tell_merge(outcome.merged, outcome.lock_path, is_dry_run=outcome.is_dry_run))
    ignored = find_ignored(outcome.lock_path) if outcome.is_new and not outcome.is_dry_run else None
    if ignored is not None:
        console.warn(ignored)
    if output_format == "json":
        console.json(
            {
                "image_count": len(outcome.result.lockfile.images),
                "dry_run": outcome.is_dry_run,
                "rewrites_form": outcome.rewrites_form,
                "changes": [change_document(change) for change in outcome.changes],
                "notes": [{"name": alias, "note": note} for alias, note in outcome.result.notes],
                "warnings": [{"name": alias, "warning": warning} for alias, warning in outcome.result.warnings],
            }
        )
        return
    console.say(summary)
    for alias, reason in outcome.result.reasons:
        console.detail(f"{alias}: {reason}")
    for lines in change_lines(outcome.changes, is_dry_run=outcome.is_dry_run, width=console.stderr_width):
        for line in lines:
            console.say(line)
    for alias, note in outcome.result.notes:
        console.note(f"{alias}: {note}")
    for alias, warning in outcome.result.warnings:
        console.warn(f"{alias}: {warning}")
    if not outcome.is_dry_run and not outcome.has_written_files:
        images_file, lockfile = outcome.images_file, outcome.result.lockfile
        _tell_next_step(console, outcome.project, images_file, lockfile, outcome.changes)


def _tell_next_step(
    console: Console, project: Project, images_file: ImagesFile, lockfile: Lockfile, changes: Collection[Change]
) -> None:
    """Print what brings the changes into the files of the project, outside CI."""
    if not changes or not console.gives_advice:
        return
    new = [change.image.alias for change in changes if isinstance(change, Added)]
    if len(new) == len(changes) <= _MOST_LOOKED_FOR and not _is_used(project, images_file, lockfile, new):
        from imagelock.rendering.uses import is_used_elsewhere  # noqa: PLC0415  30 ms that most runs do not need

        if is_used_elsewhere(project, images_file, lockfile, new):
            console.next_step("imagelock scan --write", "imagelock render")
        else:
            console.next_step_is(_first_use(images_file, lockfile, new))
    elif images_file.outputs or images_file.pins.names_files:
        retags = images_file.pins.names_files and any(map(_leaves_tag, changes))
        console.next_step("imagelock render --retag" if retags else "imagelock render")


def _leaves_tag(change: Change) -> bool:
    """Whether images.toml no longer admits the tag that files have, so that plain `render` leaves it."""
    if not isinstance(change, Updated) or change.old.tag == change.new.tag is not None:
        return False
    return not accepts(change.new.selector, tag=change.old.tag, digest=change.old.digest)


def _is_used(project: Project, images_file: ImagesFile, lockfile: Lockfile, names: Collection[str]) -> bool:
    """Whether a template, a pinned file or an export has one of the images."""
    from imagelock.rendering.uses import find_uses  # noqa: PLC0415  30 ms that most runs do not need

    exported = (target.export.names for target in images_file.exports)
    if any(not listed or set(names) & set(listed) for listed in exported):
        return True
    return next(find_uses(project, images_file, lockfile, names), None) is not None


def _first_use(images_file: ImagesFile, lockfile: Lockfile, names: Collection[str]) -> str:
    """Return the sentence on how images get into files: by a placeholder, or by a reference that is pinned."""
    from imagelock.rendering.template import images_to_render  # noqa: PLC0415  as above

    rendered = images_to_render(images_file, lockfile)
    images = [rendered[name] for name in names]
    if any(image.is_layout_path for image in images) or (images_file.targets and not images_file.pins.names_files):
        written = " and ".join(f"`{{{{images.{name}}}}}`" for name in names)
        return f"write {written} in a template, then run `imagelock render`"
    written = " and ".join(
        f"`{image.name}:{image.tag}`" if image.tag else f"`{image.name}@{image.locked.digest}`" for image in images
    )
    return f"write {written} in a file, then run `imagelock scan --write` and `imagelock render`"

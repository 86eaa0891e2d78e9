"""``update NAME --to TAG`` where images.toml has another exact tag: every file that has it moves, or none does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelock.cli.lock_run import Planner, run_plan_in
from imagelock.cli.options import Settings
from imagelock.cli.reports.outcome import report
from imagelock.cli.text import duration
from imagelock.cli.transactions import begin
from imagelock.errors import ImagelockError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.images_file.declared import as_written
from imagelock.images_file.parser import ImagesFile, parse_images_file
from imagelock.locking.lockfile import Lockfile
from imagelock.locking.requested import complete_tag
from imagelock.model.reference import TAG_RULE, is_tag_in
from imagelock.model.selector import ExactDigest, ExactTag
from imagelock.project.files import read_text
from imagelock.project.project import Project, find_project
from imagelock.project.transaction import Transaction
from imagelock.rendering.file_choice import FileChoice, all_files
from imagelock.rendering.outputs import make_outputs

if TYPE_CHECKING:
    from imagelock.documents.locked_references import Retag  # its readers take 30 ms, which only [pin] needs
    from imagelock.documents.pinning import Pinned


def tag_to_declare(settings: Settings, name: str, wanted: str) -> str | None:
    """Return the tag for images.toml, if ``--to`` names another one than the exact one there; else ``None``.

    An image that a layout on disk calls ``golang:1.22`` may be moved to ``golang:1.23`` or to ``1.23``.
    """
    images_file = find_project(settings.images_path, settings.lock_path).read_images_file()
    image = next((image for image in images_file.images if image.alias == name), None)
    if image is None or image.freeze is not None or "@" in wanted or wanted.startswith("sha256:"):
        return None
    if not isinstance(image.selector, ExactTag | ExactDigest):
        return None
    tag = complete_tag(wanted, image)
    return None if isinstance(image.selector, ExactTag) and image.selector.tag == tag else tag


def move_tag(settings: Settings, name: str, tag: str, plan: Planner, *, is_dry_run: bool, output_format: str) -> None:
    """Write the tag into images.toml, lock it, and give it to every pinned and rendered file, all in one step."""
    project = find_project(settings.images_path, settings.lock_path)
    with begin(settings.console, project) as transaction:
        images_file, lockfile = project.read()
        image = next(image for image in images_file.images if image.alias == name)
        _refuse_second_name(image, tag, images_file)
        edited = _edit(read_text(project.images_path), image, tag)
        moved = parse_images_file(edited, file_name=str(project.images_path))
        write = _Writer(project, moved, _retag(image, lockfile))
        outcome = run_plan_in(
            settings,
            project,
            moved,
            plan,
            transaction=None if is_dry_run else transaction,
            beside={project.images_path: project.encode_images_file(edited)},
            write=write,
        )
    verb = "Would move" if is_dry_run else "Moved"
    end = "; nothing was written" if is_dry_run else f" in {duration(outcome.seconds)}"
    outcome = replace(outcome, has_written_files=True)
    report(settings.console, outcome, f"{verb} {name} to {image.name}:{tag}{end}", output_format=output_format)
    if output_format == "text":
        for path in write.written:
            settings.console.say(f"{click.style('Wrote', fg='green', bold=True)} {path}")
    if write.pinned:
        from imagelock.cli.reports.unpinned import tell_what_stayed  # noqa: PLC0415  30 ms that only [pin] needs

        tell_what_stayed(settings.console, write.pinned)


class _Writer:
    """Makes the files that an image is in from the new lock, and writes everything at once."""

    def __init__(self, project: Project, images_file: ImagesFile, retag: Retag) -> None:
        self._project = project
        self._images_file = images_file
        self._retag = retag
        self.written: tuple[Path, ...] = ()
        self.pinned: dict[Path, Pinned] = {}
        """The files of ``[pin]``, with what was left as it is in them."""

    def __call__(self, transaction: Transaction, contents: Mapping[Path, bytes], lockfile: Lockfile) -> None:
        has_files = self._images_file.outputs or self._images_file.pins.names_files
        choice = all_files(self._project, self._images_file) if has_files else FileChoice()
        outputs = make_outputs(self._project, choice, self._images_file, lockfile, retag=self._retag)
        self.pinned = {output.path: output.pinned for output in outputs if output.pinned}
        self.written = transaction.write(
            {**contents, **{output.path: output.content for output in outputs}},
            like={output.path: output.template for output in outputs if output.template},
            seen={output.path: output.original for output in outputs if output.original is not None},
        )


def _refuse_second_name(image: ImageDeclaration, tag: str, images_file: ImagesFile) -> None:
    """Raise ``ImagelockError`` if images.toml has the image that this one would become under another name."""
    new = (image.repository, ExactTag(tag))
    other = next((each for each in images_file.images if (each.repository, each.selector) == new), None)
    if other not in (None, image):  # it is the image itself if another run has just moved it
        raise ImagelockError(
            f"cannot move `{image.alias}` to {image.name}:{tag}: images.toml has that image as `{other.alias}`",
            details=["no file was changed"],
            hint=f"run `imagelock remove {image.alias}`, then give its references the tag of `{other.alias}`",
        )


def _edit(text: str, image: ImageDeclaration, tag: str) -> str:
    from imagelock.images_file.edit import set_references  # noqa: PLC0415  loads what edits images.toml

    if not is_tag_in(image.repository, tag):
        raise ImagelockError(f"`{tag}` is not a tag: {TAG_RULE}")
    return set_references(text, {image.alias: f"{image.name}:{tag}"})


def _retag(image: ImageDeclaration, lockfile: Lockfile) -> Retag:
    """Return which references follow: those with the declared tag, or with the digest that was locked for it."""
    from imagelock.documents.locked_references import Retag  # noqa: PLC0415  only this move needs it

    locked = lockfile.by_alias().get(image.alias)
    _, tag = as_written(image)
    return Retag(name=image.alias, old_tag=tag, old_digest=None if locked is None else locked.digest)

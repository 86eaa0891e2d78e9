"""``imagelock verify``: ask registries whether they still serve what is locked."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import click

from imagelock.cli.options import Settings, complete_images, format_option_with_markdown, with_settings
from imagelock.cli.progress import watch
from imagelock.cli.reports.annotations import Annotation, annotate
from imagelock.cli.reports.verify import (
    failure_sentence,
    print_verifications,
    verification_document,
    verification_table,
)
from imagelock.cli.sources import note_offline, open_sources
from imagelock.cli.text import count
from imagelock.errors import BatchError, CheckFailedError, ImagelockError
from imagelock.images_file.parser import ImagesFile, refuse_unknown_images
from imagelock.images_file.toml import find_lines, nearest_line
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.verify import Finding, State, Verification, verify_images
from imagelock.model.tags.version_range import VersionRange
from imagelock.project.project import Project, find_project


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_images)
@click.option("--blobs", "with_blobs", is_flag=True, help="Ask for configurations and layers as well.")
@format_option_with_markdown("an issue")
@with_settings
def command(settings: Settings, *, names: tuple[str, ...], with_blobs: bool, output_format: str) -> None:
    """Ask registries whether they serve what is locked.

    Asks for every locked index and every locked platform, and compares them. A tag that moved is not a failure.
    """
    project = find_project(settings.images_path, settings.lock_path)
    images_file, lockfile = project.read_fresh(admits_damaged=True)
    refuse_unknown_images(names, images_file)
    images = [image for image in lockfile.images if not names or image.alias in names]
    verifications = _verify(settings, project, images_file, images, with_blobs=with_blobs)
    if output_format == "json":
        is_ok = not any(each.failures or _unknown([each]) for each in verifications)
        documents = [verification_document(each) for each in verifications]
        settings.console.json({"ok": is_ok, "images": documents})
    elif output_format == "markdown":
        settings.console.data("\n".join(verification_table(verifications)))
    else:
        print_verifications(settings.console, verifications)
    note_offline(settings)
    frozen = {str(image.alias) for image in images_file.images if image.freeze is not None}
    _raise_unless_served(settings, project, verifications, frozen)


def _verify(
    settings: Settings,
    project: Project,
    images_file: ImagesFile,
    images: Sequence[LockedImage],
    *,
    with_blobs: bool,
) -> tuple[Verification, ...]:
    with open_sources(settings, project.folder, images_file.registries) as sources:
        sources.prepare(image.repository for image in images)
        watcher = watch(settings.console, "Verifying")
        return verify_images(
            images, sources, with_blobs=with_blobs, with_registry_tags=not settings.offline, watcher=watcher
        )


def _raise_unless_served(
    settings: Settings, project: Project, verifications: Sequence[Verification], frozen: AbstractSet[str]
) -> None:
    """Raise what makes images unusable, with the lines of images.lock, or what could not be found out."""
    asked = count(len(verifications))
    failed = [verification for verification in verifications if verification.failures]
    unknown = _unknown(verifications)
    if failed:
        findings = [(each.locked, finding) for each in failed for finding in each.failures]
        lines = find_lines(project.read_lock_text() or "")
        places = [(nearest_line(lines, _key(locked, finding)), locked, finding) for locked, finding in findings]
        annotate(
            settings.console,
            [
                Annotation(
                    path=project.lock_path,
                    text=f"{locked.alias}: {failure_sentence(locked, finding)}",
                    rule=str(finding.state),
                    line=line,
                )
                for line, locked, finding in places
            ],
        )
        details = [
            f"{project.lock_path}:{line}: {locked.alias}: {failure_sentence(locked, finding)}"
            for line, locked, finding in places
        ]
        details += [f"{name}: {error.message}" for name, error in unknown]
        message = _message(failed, asked)
        raise CheckFailedError(message, details=details, hint=_hint(failed, frozen))
    if unknown:
        message = f"cannot verify {len({name for name, _ in unknown})} of {asked}"
        raise BatchError(message, unknown, action="cannot verify")


def _message(failed: Sequence[Verification], asked: str) -> str:
    """Say what follows for the images: those that only lack a platform can be pulled."""
    if all(finding.state is State.NOT_LOCKED for each in failed for finding in each.failures):
        return f"{len(failed)} of {asked} locked without every platform of the index"
    return f"cannot pull {len(failed)} of {asked} as locked"


def _unknown(verifications: Sequence[Verification]) -> list[tuple[str, ImagelockError]]:
    """Return what could not be found out, by image, each message once."""
    found: dict[tuple[str, str], ImagelockError] = {}
    for verification in verifications:
        for finding in verification.findings:
            if finding.state is State.UNKNOWN and finding.error is not None:
                found.setdefault((verification.locked.alias, finding.error.message), finding.error)
    return [(name, error) for (name, _), error in found.items()]


def _key(locked: LockedImage, finding: Finding) -> tuple[str, ...]:
    """Return where images.lock has the digest that a finding is about."""
    image = ("images", str(locked.alias))
    match finding.part:
        case "entry":
            return (*image, "checksum")
        case "index" | "tag":
            return (*image, "digest")
        case _:
            return (*image, "platforms", str(finding.platform))


def _hint(failed: Sequence[Verification], frozen: AbstractSet[str]) -> str:
    """Return the hint: `update` where the tag has moved, another tag where it has not, a mirror for lost content."""
    states = {finding.state for each in failed for finding in each.failures}
    if states == {State.DAMAGED}:
        return "run `imagelock lock`, which reads damaged entries anew"
    unread = [str(each.locked.alias) for each in failed if _needs_its_index(each)]
    held = [str(each.locked.alias) for each in failed if each.locked.alias in frozen and not _is_mended(each)]
    others = [each for each in failed if not (_needs_its_index(each) or each.locked.alias in held)]
    movable = [str(each.locked.alias) for each in others if _can_move(each)]
    stuck = [str(each.locked.alias) for each in others if not _can_move(each)]
    ways = [f"run `imagelock update {' '.join(movable)}`"] if movable else []
    if unread:
        ways.append(f"run `imagelock update --index {' '.join(unread)}`, which reads the locked platforms again")
    if held:
        ways.append(f"remove `freeze` of {', '.join(held)} from images.toml, which lets an update move it")
    if stuck:
        ways.append(f"declare another tag for {', '.join(stuck)} in images.toml, preferably a full version")
    if State.GONE in states:
        ways.append("name a mirror that still has the content in `[registries]`")
    return ", or ".join(ways)


def _needs_its_index(verification: Verification) -> bool:
    """Whether the locked index is served and has what the entry should have: its checksum is right, so no run asks."""
    is_proven = not (verification.locked.is_damaged or verification.locked.lacks_checksum)
    return is_proven and {it.state for it in verification.failures} <= {State.NOT_IN_INDEX, State.NOT_LOCKED}


def _is_mended(verification: Verification) -> bool:
    """Whether reading the locked index again gives what is missing, so that nothing has to move."""
    return {it.state for it in verification.failures} <= {State.DAMAGED, State.NOT_IN_INDEX, State.NOT_LOCKED}


def _can_move(verification: Verification) -> bool:
    """Whether an update would lock other content: the tag has moved, or the entry is not what its index says."""
    if _is_mended(verification):
        return True
    states = {finding.state for finding in verification.findings}
    return not states.isdisjoint({State.TAG_MOVED, State.NOT_IN_INDEX}) or isinstance(
        verification.locked.selector, VersionRange
    )

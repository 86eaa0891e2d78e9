"""``imagelock provenance``: tell whether images were built from what is locked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import click

from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.progress import watch
from imagelock.cli.reports.provenance import image_document, provenance_lines
from imagelock.cli.sources import open_sources
from imagelock.cli.text import count
from imagelock.errors import BatchError, CheckFailedError, ImagelockError, ImageNotFoundError, printable
from imagelock.locking.attestations import find_provenance
from imagelock.locking.parallel import Results, run_all
from imagelock.locking.provenance import ImageProvenance, Origin, Verdict
from imagelock.model.reference import ImageReference, LayoutRepository, PinnedReference, TagReference, split_image
from imagelock.project.project import find_project
from imagelock.registry.oci_layout import LayoutSource

_CLAIM = "this is the builder's own statement, which carries no signature that imagelock has verified"
_REBUILD = "run `imagelock render`, then build again: builds must start from the locked digests"
_ATTEST = "build with `docker buildx build --provenance=mode=max --push`, and name the tag or the index"


@click.command("provenance")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@format_option
@with_settings
def command(settings: Settings, *, images: tuple[str, ...], output_format: str) -> None:
    """Show whether images were built from the lock.

    Reads the attestations of BuildKit. IMAGE is a reference, or oci:DIR[:NAME] for an OCI layout.
    """
    references = {name: reference for image in images for name, reference in _read_references(image)}
    results = _ask(settings, references)
    found = {name: results.found[name] for name in references if name in results.found}
    if output_format == "json":
        failures = [{"name": name, "error": error.message} for name, error in sorted(results.failures)]
        documents = [image_document(name, image) for name, image in found.items()]
        settings.console.json({"signed": False, "images": documents, "failures": failures})
    else:
        for name, image in found.items():
            settings.console.data("\n".join(provenance_lines(name, image, width=settings.console.stdout_width)))
    if any(platform.bases for image in found.values() for platform in image.platforms):
        settings.console.note(_CLAIM)
    _raise_unless_yes(found, results)


def _read_references(text: str) -> Iterator[tuple[str, ImageReference]]:
    """Read an argument; a layout without a name means each of its images."""
    if not text.startswith("oci:") or text.startswith("oci://"):
        yield text, split_image(text).meaning
        return
    folder, colon, _ = text.removeprefix("oci:").partition(":")
    if colon or "@" in text:
        reference = split_image(text).meaning
        yield text, _in_folder(reference, Path(folder.partition("@")[0]))
        return
    layout = LayoutRepository(str(Path(folder).absolute()))
    listed = LayoutSource(Path()).list_images(layout)
    if not listed:
        raise ImageNotFoundError(f"{text} has no images", hint="name an image, as in `oci:DIR:NAME`")
    for image in listed:
        yield printable(f"{text}:{image.tag}" if image.tag else f"{text}@{image.digest}"), image


def _in_folder(reference: ImageReference, folder: Path) -> ImageReference:
    """Return the reference with its layout's folder resolved from the working directory, not from images.toml."""
    layout = LayoutRepository(str(folder.absolute()))
    if isinstance(reference, PinnedReference):
        return PinnedReference(layout, reference.digest, reference.tag)
    return TagReference(layout, reference.tag)


def _ask(settings: Settings, references: dict[str, ImageReference]) -> Results[ImageProvenance]:
    project = find_project(settings.images_path, settings.lock_path)
    images_file, lockfile = project.read_fresh()
    with open_sources(settings, project.folder, images_file.registries) as sources:
        sources.prepare(reference.repository for reference in references.values())
        readings = {
            name: partial(find_provenance, reference, lockfile, sources) for name, reference in references.items()
        }
        repositories = {name: reference.repository for name, reference in references.items()}
        return run_all(readings, watcher=watch(settings.console, "Reading", repositories))


def _raise_unless_yes(found: Mapping[str, ImageProvenance], results: Results[ImageProvenance]) -> None:
    """Any no is exit code 1, else anything that could not be said is 2, or 3 if only registries did not answer."""
    asked = count(len(found) + len(results.failures))
    unread = [f"{name}: {error.message}" for name, error in sorted(results.failures)]
    refused = {name: image for name, image in found.items() if image.verdict is Verdict.NO}
    unknown = [name for name, image in found.items() if image.verdict is Verdict.CANNOT_SAY]
    if refused:
        message = f"not built from the lock: {len(refused)} of {asked}"
        raise CheckFailedError(message, details=[*refused, *unread], hint=_hint(refused.values()))
    if results.failures and not unknown:
        raise BatchError(f"cannot read {len(results.failures)} of {asked}", results.failures, action="cannot read")
    if unknown:
        message = f"cannot say what {len(unknown)} of {asked} was built from"
        raise ImagelockError(message, details=[*unknown, *unread], hint=_ATTEST)


def _hint(refused: Iterable[ImageProvenance]) -> str:
    bases = (base for image in refused for platform in image.platforms for base in platform.bases)
    missing = next((base.reference for base in bases if base.origin is Origin.NOT_LOCKED), None)
    if missing is None:
        return _REBUILD
    image = TagReference(missing.repository, missing.tag) if missing.tag else missing
    return f"run `imagelock add {image}`, then build again from the locked digest"

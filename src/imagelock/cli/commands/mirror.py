"""``imagelock mirror``: copy the locked images into an OCI layout."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from imagelock.cli.options import Settings, complete_images, format_option, with_settings
from imagelock.cli.progress import CopyProgress
from imagelock.cli.sources import open_sources
from imagelock.cli.text import count, duration, size
from imagelock.errors import FileError, ImagelockError
from imagelock.images_file.parser import ImagesFile, refuse_unknown_images
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.mirror import CopyTool, MirroredImage, copy_commands, name_images
from imagelock.model.oci import DOCKER_MEDIA_TYPES
from imagelock.model.reference import LayoutRepository, RegistryName, check_location
from imagelock.project.interrupts import note_written
from imagelock.project.project import Project, find_project
from imagelock.project.work_tree import find_work_tree
from imagelock.registry.layout_mirror import MirrorResult, mirror_images
from imagelock.registry.layout_writer import LayoutWriter, Pruned, keep_locked, merge_entries, open_layout_writer
from imagelock.registry.oci_layout import LayoutSource, find_signed_digest

_PREFIX = "oci:"
_ONLY_PRINTS = "--print only prints commands: leave out --prune, --no-signatures and --format"
_LAYOUT_NAMES = ("blobs", "blobs/sha256", "blobs/sha512", "index.json", "oci-layout")


@click.command("mirror")
@click.argument("target", metavar="oci:DIR")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_images)
@click.option("--no-signatures", "skips_signatures", is_flag=True, help="Do not look for cosign's signatures.")
@click.option("--prune", is_flag=True, help="Remove from the layout what images.lock does not name.")
@click.option(
    "--print",
    "tool",
    type=click.Choice([tool.value for tool in CopyTool]),
    help="Print commands that copy to the registry HOST[:PORT][/PATH] instead of oci:DIR.",
)
@format_option
@with_settings
def command(  # noqa: PLR0913  click hands over each option as an argument
    settings: Settings,
    *,
    target: str,
    names: tuple[str, ...],
    prune: bool,
    skips_signatures: bool,
    tool: str | None,
    output_format: str,
) -> None:
    """Copy locked images into an OCI layout.

    Copies every platform, attestations and cosign's signatures, byte for byte, and fetches only what the layout lacks.
    `lock` and `verify` can read it (`mirrors` in images.toml), and so can skopeo and builds without network.
    """
    if tool is not None and (prune or skips_signatures or output_format == "json"):
        raise click.UsageError(_ONLY_PRINTS, click.get_current_context())
    project = find_project(settings.images_path, settings.lock_path)
    images_file, lockfile = project.read_fresh()
    refuse_unknown_images(names, images_file)
    chosen = name_images(lockfile.images, only=names or None)
    if tool is not None:
        _print_commands(settings, CopyTool(tool), target, chosen, images_file)
        return
    folder = _read_folder(target)
    _refuse_links_out(project, folder)
    started = time.monotonic()
    with open_layout_writer(folder) as writer:
        note_written([folder])
        registries = tuple(_without(folder, project, declared) for declared in images_file.registries)
        with open_sources(settings, project.folder, registries) as sources:
            sources.prepare(image.reference.repository for image in chosen)
            copy = partial(mirror_images, progress=CopyProgress(settings.console), with_signatures=not skips_signatures)
            result = copy(chosen, sources, writer)
        writer.write_entries(merge_entries(writer.read_entries(), result.names))
        pruned = _prune(writer, lockfile.images) if prune else None
    if output_format == "json":
        settings.console.json(mirror_document(result, folder, pruned))
        return
    _tell(settings, result, folder, pruned, seconds=time.monotonic() - started)


def _read_folder(target: str) -> Path:
    folder = target.removeprefix(_PREFIX)
    if folder == target:
        raise ImagelockError(f"`{target}` is not a layout", hint=f"write `oci:DIR`, as in `oci:./{target}`")
    if not folder or ":" in folder or "@" in folder:
        raise ImagelockError(f"`{target}` is not a directory", hint="write `oci:DIR`, without an image's name")
    return Path(folder)


def _refuse_links_out(project: Project, folder: Path) -> None:
    """Refuse a layout that is, or contains, a link out of the work tree: nothing is written or pruned there."""
    tree = find_work_tree(project.folder)
    paths = [folder, *(folder / name for name in _LAYOUT_NAMES)]
    objections = [f"{path} {objection}" for path in paths if (objection := tree.objection_to_named(path))]
    if objections:
        raise FileError(f"cannot write {folder}; nothing was copied", details=objections)


def _without(folder: Path, project: Project, declared: RegistryDeclaration) -> RegistryDeclaration:
    """Return how a registry is declared, but for this layout among its mirrors: it must not answer for itself."""
    return replace(
        declared,
        mirrors=tuple(
            mirror
            for mirror in declared.mirrors
            if not mirror.startswith(_PREFIX)
            or (project.folder / mirror.removeprefix(_PREFIX)).resolve() != folder.resolve()
        ),
    )


def _prune(writer: LayoutWriter, locked: Sequence[LockedImage]) -> Pruned:
    layout = LayoutRepository(str(writer.folder.absolute()))
    entries, digests = keep_locked(
        writer.read_entries(), (image.digest for image in locked), LayoutSource(Path()), layout
    )
    writer.write_entries(entries)
    return writer.prune(digests)


def _tell(settings: Settings, result: MirrorResult, folder: Path, pruned: Pruned | None, *, seconds: float) -> None:
    console = settings.console
    console.say(mirror_summary(result, folder, seconds=duration(seconds)))
    for name in result.names:
        console.detail(f"  {name}")
    if result.skipped:
        layers = count(len(result.skipped), "layer")
        console.warn(f"{layers} left out: the registry does not have them, since they may not be distributed freely")
    old = [name for name, root in result.names.items() if root.media_type in DOCKER_MEDIA_TYPES]
    if old:
        console.note(
            f"{count(len(old), 'image')} in Docker's older format ({', '.join(old)}): "
            "BuildKit and imagelock read that in a layout, skopeo and podman do not"
        )
    if pruned is not None:
        console.say(f"Removed {count(pruned.count, 'blob')} ({size(pruned.size_bytes)}) that images.lock does not need")


def _print_commands(
    settings: Settings, tool: CopyTool, target: str, images: Sequence[MirroredImage], images_file: ImagesFile
) -> None:
    from imagelock.registry.http.addresses import is_loopback  # noqa: PLC0415  only these commands need it

    if target.startswith(_PREFIX):
        raise ImagelockError(f"`{target}` is not a registry", hint="write `HOST[:PORT][/PATH]` after `--print`")
    check_location(target)
    declared = {registry.registry: registry.plain_http for registry in images_file.registries}

    def is_plain(registry: RegistryName) -> bool:
        plain_http = declared.get(registry)
        return is_loopback(registry.rpartition(":")[0] or registry) if plain_http is None else plain_http

    for line in copy_commands(tool, target, images, is_plain=is_plain):
        settings.console.data(line)
    if images:
        settings.console.note(f"{tool} copies no signatures by itself: `imagelock mirror oci:DIR` takes them along")


def mirror_summary(result: MirrorResult, folder: Path, *, seconds: str) -> str:
    """Return the counts of what the layout now has of the lock."""
    images = sum(find_signed_digest(name) is None for name in result.names)
    signatures = len(result.names) - images
    signed = f" and {count(signatures, 'tag')} with signatures" if signatures else ""
    return (
        f"Mirrored {count(images)}{signed} to {folder} in {seconds} "
        f"({size(result.size_bytes)}, {size(result.fetched_bytes)} fetched)"
    )


def mirror_document(result: MirrorResult, folder: Path, pruned: Pruned | None) -> dict[str, Any]:
    """Describe a mirror for scripts, with whole digests."""
    return {
        "folder": str(folder),
        "images": [
            {"name": name, "digest": str(root.digest), "signature": find_signed_digest(name) is not None}
            for name, root in result.names.items()
        ],
        "size_bytes": result.size_bytes,
        "fetched_bytes": result.fetched_bytes,
        "skipped": [str(blob.digest) for blob in result.skipped],
        "pruned": pruned and {"count": pruned.count, "size_bytes": pruned.size_bytes},
    }

"""``imagelock inspect``: an image index, or one image of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from imagelock.cli.layout import columns_with_digests
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.sources import open_sources_outside_project
from imagelock.cli.text import count, size
from imagelock.locking.inspection import InspectedEntry, InspectedImage, Inspection, inspect_image
from imagelock.locking.resolve import resolve_image, select_platforms
from imagelock.locking.source import ManifestSource
from imagelock.model.image_config import ImageConfig
from imagelock.model.oci import FetchedManifest
from imagelock.model.platforms import Platform
from imagelock.model.reference import ImageReference, PinnedReference, split_image


@click.command("inspect")
@click.argument("reference", metavar="IMAGE")
@click.option("--platform", "platform_text", metavar="PLATFORM", help="Show the image of this platform.")
@click.option("--raw", is_flag=True, help="Print the index or manifest byte for byte.")
@format_option
@with_settings
def command(settings: Settings, *, reference: str, platform_text: str | None, raw: bool, output_format: str) -> None:
    """Show an image index or an image.

    Shows platforms with digests and sizes, annotations and labels.
    """
    if raw and output_format == "json":
        raise click.UsageError("--raw prints what the registry serves: leave out --format", click.get_current_context())
    written = split_image(reference)
    platform = None if platform_text is None else Platform.parse(platform_text)
    with open_sources_outside_project(settings) as source:
        source.prepare([written.repository])
        fetched = _fetch(written.meaning, platform, source)
        if raw:
            settings.console.raw_data(fetched.body)
            return
        inspection = inspect_image(written.repository, fetched, source)
    if output_format == "json":
        settings.console.json(_document(reference, inspection))
        return
    for line in _lines(reference, inspection, settings.console.stdout_width):
        settings.console.data(line)


def _fetch(reference: ImageReference, platform: Platform | None, source: ManifestSource) -> FetchedManifest:
    if platform is None:
        return source.fetch_manifest(reference)
    [entry] = select_platforms([platform], resolve_image(reference, source), reference)
    return source.fetch_manifest(PinnedReference(reference.repository, entry.digest))


def _lines(reference: str, inspection: Inspection, width: int | None) -> Iterator[str]:
    yield reference
    facts = [("digest", str(inspection.fetched.digest)), ("kind", _kind(inspection))]
    facts += _config_facts(inspection.config) if inspection.config else []
    yield from _indented(facts, width)
    yield from _section("annotations", inspection.annotations, width)
    yield from _section("labels", inspection.config.all_labels if inspection.config else (), width)
    if inspection.is_index:
        yield from _section("platforms", [_platform_row(image) for image in inspection.images], width)
        yield from _section("indexes in the index", [_entry_row(entry) for entry in inspection.nested], width)
        yield from _section("other entries", [_entry_row(entry) for entry in inspection.others], width)
    else:
        layers = inspection.images[0].manifest.layers
        yield from _section("layers", [(str(layer.digest), size(layer.size_bytes)) for layer in layers], width)


def _platform_row(image: InspectedImage) -> tuple[str, str, str]:
    return str(image.platform or "unknown"), str(image.fetched.digest), size(image.size_bytes)


def _entry_row(entry: InspectedEntry) -> tuple[str, str, str]:
    return str(entry.platform or ""), str(entry.digest), str(entry.kind)


def _kind(inspection: Inspection) -> str:
    if inspection.is_index:
        nested = f", {len(inspection.nested)} of its entries are indexes" if inspection.nested else ""
        return f"image index of {count(len(inspection.images), 'platform')}{nested}"
    if inspection.artifact is not None:
        return f"no image, but {inspection.artifact}, {size(inspection.images[0].size_bytes)}"
    return f"image manifest, {size(inspection.images[0].size_bytes)}"


def _config_facts(config: ImageConfig) -> list[tuple[str, str]]:
    facts = [
        ("created", config.created.isoformat() if config.created else ""),
        ("entrypoint", " ".join(config.entry_point)),
        ("command", " ".join(config.command)),
    ]
    return [(name, value) for name, value in facts if value]


def _section(title: str, rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    if rows:
        yield f"  {title}"
        yield from (f"  {line}" for line in _indented(rows, width and width - 2))


def _indented(rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    return (f"  {line}" for line in columns_with_digests(rows, width=width and width - 2))


def _document(reference: str, inspection: Inspection) -> dict[str, Any]:
    config = inspection.config
    return {
        "reference": reference,
        "digest": str(inspection.fetched.digest),
        "index": inspection.is_index,
        "annotations": dict(inspection.annotations),
        "artifact": inspection.artifact and {"kind": inspection.artifact.code, "message": inspection.artifact.name},
        "images": [_image_document(image) for image in inspection.images],
        "nested": [_entry_document(entry) for entry in inspection.nested],
        "others": [_entry_document(entry) for entry in inspection.others],
        "config": config
        and {
            "created": config.created and config.created.isoformat(),
            "labels": dict(config.all_labels),
            "environment": dict(config.environment),
            "entrypoint": list(config.entry_point),
            "command": list(config.command),
        },
    }


def _entry_document(entry: InspectedEntry) -> dict[str, Any]:
    platform = None if entry.platform is None else str(entry.platform)
    return {"platform": platform, "digest": str(entry.digest), "kind": entry.kind.code, "message": entry.kind.name}


def _image_document(image: InspectedImage) -> dict[str, Any]:
    return {
        "platform": None if image.platform is None else str(image.platform),
        "digest": str(image.fetched.digest),
        "config_digest": str(image.manifest.config.digest),
        "size_bytes": image.size_bytes,
        "layers": [{"digest": str(layer.digest), "size_bytes": layer.size_bytes} for layer in image.manifest.layers],
    }

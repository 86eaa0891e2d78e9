"""Makes an export by the name of its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from imagelock.images_file.exports import Export, ExportFormat
from imagelock.images_file.external import NOTHING_EXTERNAL, ExternalDeclaration
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.rendering.exports.contexts import (
    bake_file,
    build_arguments,
    mirrored_contexts,
    named_contexts,
    stage_like_names,
)
from imagelock.rendering.exports.images import RegistryImage, registry_images
from imagelock.rendering.exports.listings import env_file, json_list, kustomize_component
from imagelock.rendering.exports.policies import buildah_policy, buildkit_policy, rego_policy
from imagelock.rendering.template import RenderedImage

_NOTE_ON_ENGINES = (
    "where a tag has moved, Docker Engine 26 takes the image's configuration from it; use the strict policy"
)


@frozen(kw_only=True)
class Exported:
    """The text of an export, and what its owner should know about it."""

    text: str
    notes: tuple[str, ...] = ()


@frozen(kw_only=True)
class ExportInput:
    """What exports are made from."""

    images: Mapping[str, RenderedImage]
    """All locked images by their names."""
    read: Callable[[str], bytes]
    """Returns a file that an export names, as it will be when all outputs are written."""
    external: ExternalDeclaration = NOTHING_EXTERNAL


def make_export(export: Export, source: ExportInput) -> Exported:
    """Make the text; ``ImagelockError`` says which image a format cannot express, or which file cannot be used."""
    names = export.names or tuple[str, ...](source.images)
    spelled = tuple(source.images[name] for name in dict.fromkeys(names))
    match export.format:
        case ExportFormat.ENV:
            return Exported(text=env_file(spelled))
        case ExportFormat.JSON:
            return Exported(text=json_list(spelled))
        case ExportFormat.REGO:
            images = registry_images(spelled, consumer=export.format, by_name=False)
            return Exported(text=rego_policy(images, allow=export.allow))
        case _:
            return _export_by_name(export, registry_images(spelled, consumer=export.format), source)


def _export_by_name(export: Export, images: tuple[RegistryImage, ...], source: ExportInput) -> Exported:
    match export.format:
        case ExportFormat.BUILDAH_POLICY:
            return Exported(text=buildah_policy(images, pin_only=export.pin_only))
        case ExportFormat.KUSTOMIZE:
            return Exported(text=kustomize_component(images))
        case ExportFormat.BUILD_CONTEXTS:
            mirror = export.mirror
            contexts = named_contexts(images) if mirror is None else mirrored_contexts(images, mirror)
            return Exported(text=build_arguments(contexts), notes=_notes_on_stages(images))
        case ExportFormat.BAKE:
            return Exported(text=bake_file(named_contexts(images)), notes=_notes_on_stages(images))
        case ExportFormat.COMPOSE:
            return _export_compose(export, images, source)
        case _:
            text = buildkit_policy(images, allow=export.allow, pin_only=export.pin_only)
            return Exported(text=text, notes=(_NOTE_ON_ENGINES,) if export.pin_only else ())


def _export_compose(export: Export, images: tuple[RegistryImage, ...], source: ExportInput) -> Exported:
    # The readers of documents take 30 ms, which no other format needs.
    from imagelock.rendering.exports.compose_override import ComposeFile, compose_override  # noqa: PLC0415
    from imagelock.rendering.pin_in_place import locked_references  # noqa: PLC0415

    files = [ComposeFile(name, source.read(name)) for name in export.sources]
    wanted: set[Digest] = {image.digest for image in images}
    locked = locked_references(source.images.values())
    override = compose_override(files, locked, wanted, named_contexts(images), external=source.external.covers)
    stages: Iterable[str] = _notes_on_stages(images) if override.builds else ()
    return Exported(text=override.text, notes=(*override.notes, *stages))


def _notes_on_stages(images: tuple[RegistryImage, ...]) -> tuple[str, ...]:
    return tuple(f"a build stage named `{name}` would be replaced, too" for name in stage_like_names(images))

"""``[export]`` in images.toml: outputs that have no template, in the formats of builders and other tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from posixpath import normpath
from typing import Any

from imagelock.errors import did_you_mean
from imagelock.images_file.declaration import Alias
from imagelock.images_file.toml import Problems, TableReader
from imagelock.model.frozen import frozen

SCHEMES = ("git", "http", "https")


class ExportFormat(StrEnum):
    """The formats of `export`."""

    BUILDKIT_POLICY = "buildkit-policy"
    BUILDAH_POLICY = "buildah-policy"
    REGO = "rego"
    BAKE = "bake"
    BUILD_CONTEXTS = "build-contexts"
    COMPOSE = "compose"
    KUSTOMIZE = "kustomize"
    ENV = "env"
    JSON = "json"


_TAKERS: Mapping[str, frozenset[ExportFormat]] = {
    "from": frozenset({ExportFormat.COMPOSE}),
    "allow": frozenset({ExportFormat.BUILDKIT_POLICY, ExportFormat.REGO}),
    "pin-only": frozenset({ExportFormat.BUILDKIT_POLICY, ExportFormat.BUILDAH_POLICY}),
    "mirror": frozenset({ExportFormat.BUILD_CONTEXTS}),
}


@frozen(kw_only=True)
class Export:
    """One export: a format and its options."""

    format: ExportFormat
    names: tuple[str, ...] = ()
    """The images to export; all where it is empty."""
    sources: tuple[str, ...] = ()
    """The compose files that an override is for, in compose's order."""
    allow: tuple[str, ...] = ()
    """Schemes that may enter a build beside the locked images."""
    pin_only: bool = False
    mirror: str | None = None
    """An OCI layout that holds the images."""

    @property
    def covers_dockerfiles(self) -> bool:
        """Whether it makes a builder convert or refuse references of Dockerfiles that have no place for a digest."""
        return self.format in (ExportFormat.BUILDKIT_POLICY, ExportFormat.BUILDAH_POLICY)

    def find_problems(self) -> Iterator[tuple[str, str]]:
        """Find each option that does not go with the format, as its name and a sentence that follows it."""
        given = {"from": self.sources, "allow": self.allow, "pin-only": self.pin_only, "mirror": self.mirror}
        for option, value in given.items():
            takers = _TAKERS[option]
            if value and self.format not in takers:
                yield option, f"is for {_listed(takers)}, not for `{self.format}`"
        if self.format is ExportFormat.COMPOSE and not self.sources:
            yield "from", "must name the compose files that the override is for"
        for scheme in self.allow:
            if scheme not in SCHEMES:
                yield "allow", f"`{scheme}` is not one of {', '.join(SCHEMES)}{did_you_mean(scheme, SCHEMES)}"
        if self.allow and self.pin_only:
            yield "allow", "has no meaning beside `pin-only`, which denies nothing"


@frozen
class ExportTarget:
    """A file that ``render`` writes from an export; relative to the folder of images.toml."""

    output: str
    export: Export


def read_exports(table: Mapping[str, Any], aliases: Iterable[Alias], problems: Problems) -> tuple[ExportTarget, ...]:
    """Read ``[export]``, sorted by output; problems are noted at their keys."""
    reader = TableReader(table, ("export",), problems)
    known = tuple(aliases)
    found: dict[str, ExportTarget] = {}
    for output, value in reader.items():
        export = _read_export(reader, output, value, known)
        if not output:
            reader.add(output, "must name a file to write")
        elif normpath(output) in found:
            reader.add(output, f"is the same file as `{found[normpath(output)].output}`")
        elif export is not None:
            found[normpath(output)] = ExportTarget(output, export)
    return tuple(sorted(found.values(), key=lambda target: target.output))


def read_format(text: str) -> ExportFormat | str:
    """Read the name of a format, or return what is wrong with it, in a sentence."""
    try:
        return ExportFormat(text)
    except ValueError:
        names = [str(each) for each in ExportFormat]
        return f"`{text}` is not a format{did_you_mean(text, names)}" if text else "must name a format"


def _read_export(reader: TableReader, output: str, value: object, aliases: tuple[Alias, ...]) -> Export | None:
    if isinstance(value, str):
        value = {"format": value}
    if not isinstance(value, dict):
        reader.add(
            output, 'must be a format, as in `"build/policy.json" = "buildkit-policy"`, or a table with `format`'
        )
        return None
    options = TableReader(value, (*reader.path, output), reader.problems)
    export = _read_options(options, aliases)
    options.refuse_other_keys()
    return export


def _read_options(options: TableReader, aliases: tuple[Alias, ...]) -> Export | None:
    found = read_format(options.text("format") or "")
    export = Export(
        format=found if isinstance(found, ExportFormat) else ExportFormat.JSON,
        names=options.texts("names") or (),
        sources=options.texts("from") or (),
        allow=options.texts("allow") or (),
        pin_only=options.boolean("pin-only") or False,
        mirror=options.text("mirror"),
    )
    for name in export.names:
        if name not in aliases:
            options.add("names", f"there is no image `{name}`{did_you_mean(name, aliases)}")
    if not isinstance(found, ExportFormat):
        options.add("format", found)
        return None
    for option, sentence in export.find_problems():
        options.add(option, sentence)
    return export


def _listed(formats: Iterable[ExportFormat]) -> str:
    return " and ".join(f"`{each}`" for each in sorted(formats))

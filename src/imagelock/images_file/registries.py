"""The declaration of one registry in images.toml: a table under ``[registries]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imagelock.errors import InvalidReferenceError
from imagelock.images_file.toml import Problems, TableReader
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName, check_location, registry_name

_LAYOUT = "oci:"


@frozen(kw_only=True)
class RegistryDeclaration:
    """How one registry is to be reached."""

    registry: RegistryName
    plain_http: bool | None = None
    """Whether to use http; ``None`` allows http only to a registry on this machine."""
    ca_file: Path | None = None
    """PEM certificates to trust for it besides the system's; relative to the folder of images.toml."""
    mirrors: tuple[str, ...] = ()
    """``HOST[:PORT][/PATH]`` or ``oci:DIR``, asked for content by digest before the registry itself."""
    mirrors_resolve_tags: bool = False
    """Whether the mirrors are trusted to say which content a tag has, too."""

    @property
    def layout_mirrors(self) -> tuple[str, ...]:
        """The folders of the mirrors that are OCI layouts, relative to the folder of images.toml."""
        return tuple(mirror.removeprefix(_LAYOUT) for mirror in self.mirrors if mirror.startswith(_LAYOUT))

    @property
    def registry_mirrors(self) -> tuple[str, ...]:
        """The mirrors that are registries."""
        return tuple(mirror for mirror in self.mirrors if not mirror.startswith(_LAYOUT))


def read_registries(table: Mapping[str, object], problems: Problems) -> tuple[RegistryDeclaration, ...]:
    """Read the tables that have no problems; two for one registry, such as Docker Hub's aliases, are a problem."""
    names: dict[RegistryName, str] = {}
    found = []
    for name, value in table.items():
        declared = _read_registry(name, value, problems)
        if declared is None:
            continue
        first = names.setdefault(declared.registry, name)
        if first != name:
            problems.add(("registries", name), f"is the same registry as `{first}`")
        else:
            found.append(declared)
    return tuple(found)


def _read_registry(name: str, value: object, problems: Problems) -> RegistryDeclaration | None:
    """Read one table; None where it has problems."""
    path = ("registries", name)
    if not isinstance(value, dict):
        problems.add(path, "must be a table, such as { plain-http = true }")
        return None
    table = TableReader(value, path, problems)
    plain_http, ca_file = table.boolean("plain-http"), table.text("ca-file")
    mirrors = table.texts("mirrors") or ()
    for mirror in mirrors:
        _check_mirror(mirror, table)
    resolves_tags = table.boolean("mirrors-resolve-tags") or False
    if plain_http and ca_file is not None:
        table.add("ca-file", "can't be of use beside `plain-http = true`")
    table.refuse_other_keys()
    try:
        registry = registry_name(name)
    except InvalidReferenceError as error:
        problems.add(path, error.message)
        return None
    return RegistryDeclaration(
        registry=registry,
        plain_http=plain_http,
        ca_file=None if ca_file is None else Path(ca_file),
        mirrors=mirrors,
        mirrors_resolve_tags=resolves_tags,
    )


def _check_mirror(mirror: str, table: TableReader) -> None:
    if mirror.startswith(_LAYOUT):
        folder = mirror.removeprefix(_LAYOUT)
        if not folder or ":" in folder or "@" in folder or not folder.isprintable():
            table.add("mirrors", f"`{mirror}` is not the directory of a layout", hint="write `oci:DIR`, without a name")
        return
    try:
        check_location(mirror)
    except InvalidReferenceError as error:
        table.add(
            "mirrors", error.message, hint="a mirror is written `HOST[:PORT][/PATH]`, without a scheme, or `oci:DIR`"
        )

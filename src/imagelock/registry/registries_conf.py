"""registries.conf, where podman, skopeo and CRI-O keep their mirrors.

containers-registries.conf(5): the longest prefix of a repository counts, on the borders of its components.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from imagelock.errors import FileError, InvalidReferenceError
from imagelock.reference import registry_name

_PATH = re.compile(r"(?:/[a-z0-9._-]+)*", re.ASCII)
_BORDERS = ("/", ":", "@", "")


class MirrorUse(StrEnum):
    """What a mirror may be asked for; the values are the file's words."""

    EVERYTHING = "all"
    DIGESTS = "digest-only"
    TAGS = "tag-only"


@dataclass(frozen=True, slots=True)
class MirrorRule:
    """One ``[[registry.mirror]]``."""

    location: str
    is_insecure: bool = False
    use: MirrorUse = MirrorUse.EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryRule:
    """One ``[[registry]]``."""

    source: str
    prefix: str
    """``host[/path]``, or ``*.domain``."""
    location: str = ""
    """Where the content really is; empty to leave the name as it is."""
    is_insecure: bool = False
    is_blocked: bool = False
    mirrors: tuple[MirrorRule, ...] = ()

    def matches(self, repository: str) -> bool:
        """Whether the repository lies under the prefix."""
        if self.prefix.startswith("*."):
            host = repository.partition("/")[0].partition(":")[0]
            return host.endswith(self.prefix[1:])
        return repository.startswith(self.prefix) and repository[len(self.prefix) :][:1] in _BORDERS

    def relocate(self, repository: str, location: str) -> str:
        """Replace the prefix by a location; of a wildcard the whole host."""
        rest = repository[repository.index("/") :] if self.prefix.startswith("*.") else repository[len(self.prefix) :]
        return f"{location}{rest}"


def find_rule(repository: str, rules: Iterable[RegistryRule]) -> RegistryRule | None:
    """Return the rule with the longest matching prefix."""
    return max((rule for rule in rules if rule.matches(repository)), key=lambda rule: len(rule.prefix), default=None)


def find_registries_conf(environment: Mapping[str, str], *, home: Path) -> tuple[Path, ...]:
    """List the files that exist, in the order in which later ones replace rules of earlier ones."""
    chosen = environment.get("CONTAINERS_REGISTRIES_CONF") or environment.get("REGISTRIES_CONFIG_PATH")
    if chosen:
        return (Path(chosen),)
    user, system = home / ".config" / "containers", Path("/etc/containers")
    main = next((path for path in (user / "registries.conf", system / "registries.conf") if path.is_file()), None)
    folders = (system / "registries.conf.d", user / "registries.conf.d")
    parts = [path for folder in folders for path in sorted(folder.glob("*.conf"))]
    return (*((main,) if main else ()), *parts)


def read_registries_conf(paths: Iterable[Path]) -> tuple[RegistryRule, ...]:
    """Read all files; of two rules for one prefix the later counts."""
    rules: dict[str, RegistryRule] = {}
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"{path} can't be read", details=[str(error)]) from error
        rules.update((rule.prefix, rule) for rule in parse_registries_conf(text, source=str(path)))
    return tuple(rules.values())


def parse_registries_conf(text: str, *, source: str) -> tuple[RegistryRule, ...]:
    """Read the rules of one file; its other settings are about short names, which a lock has none of."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileError(f"{source} is not TOML", details=[str(error)]) from error
    return tuple(_rule(table, source) for table in _tables(document, "registry", source))


def _rule(table: Mapping[str, Any], source: str) -> RegistryRule:
    location = _location(table, source)
    prefix = _text(table, "prefix", source) or location
    if not prefix:
        raise FileError(f"{source}: a [[registry]] has neither prefix nor location")
    digests_only = table.get("mirror-by-digest-only") is True
    return RegistryRule(
        source=source,
        prefix=prefix,
        location="" if location == prefix else location,
        is_insecure=table.get("insecure") is True,
        is_blocked=table.get("blocked") is True,
        mirrors=tuple(_mirror(entry, source, digests_only=digests_only) for entry in _tables(table, "mirror", source)),
    )


def _mirror(table: Mapping[str, Any], source: str, *, digests_only: bool) -> MirrorRule:
    word = "digest-only" if digests_only else table.get("pull-from-mirror") or "all"
    try:
        use = MirrorUse(word)
    except ValueError as error:
        raise FileError(f"{source}: `{word}` is no value of pull-from-mirror") from error
    location = _location(table, source)
    if not location:
        raise FileError(f"{source}: a [[registry.mirror]] has no location")
    return MirrorRule(location, table.get("insecure") is True, use)


def _location(table: Mapping[str, Any], source: str) -> str:
    location = _text(table, "location", source)
    host, slash, path = location.partition("/")
    try:
        if location:
            registry_name(host)
    except InvalidReferenceError as error:
        raise _no_location(location, source, error.message) from error
    if not _PATH.fullmatch(slash + path) or {".", ".."} & set(path.split("/")):
        raise _no_location(location, source, f"`{path}` is not a path")
    return location


def _no_location(location: str, source: str, reason: str) -> FileError:
    return FileError(f"{source}: {location!r} is no location: it must be HOST[:PORT][/PATH]", details=[reason])


def _text(table: Mapping[str, Any], key: str, source: str) -> str:
    """Read a name without the slashes that podman lets stand at its end."""
    text = table.get(key) or ""
    if not isinstance(text, str):
        raise FileError(f"{source}: {key} must be a string")
    return text.rstrip("/")


def _tables(table: Mapping[str, Any], key: str, source: str) -> list[Mapping[str, Any]]:
    tables = table.get(key) or []
    if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
        raise FileError(f"{source}: {key} must be written as [[{key}]]")
    return tables

"""Read registries.conf, in which podman, skopeo and CRI-O have their mirrors.

containers-registries.conf(5): the rule with the longest prefix applies; prefixes end at the borders of components.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from imagelock.errors import FileError, InvalidReferenceError
from imagelock.model.frozen import frozen
from imagelock.model.reference import check_location
from imagelock.registry.user_files import NO_HOME, Warn, ignore_warning, list_if_possible, read_if_possible, read_named

_BOUNDARIES = ("/", ":", "@", "")
AUTH_FILES = "containers-auth.json"
"""The name in ``credential-helpers`` that means the files of `podman login`."""
_HINT = "correct it, or name another file in CONTAINERS_REGISTRIES_CONF"


class MirrorUse(StrEnum):
    """What a mirror is used for: the values of ``pull-from-mirror``."""

    EVERYTHING = "all"
    DIGESTS = "digest-only"
    TAGS = "tag-only"


@frozen
class MirrorRule:
    """One ``[[registry.mirror]]``."""

    location: str
    is_insecure: bool = False
    use: MirrorUse = MirrorUse.EVERYTHING


@frozen(kw_only=True)
class RegistryRule:
    """One ``[[registry]]``."""

    source: str
    prefix: str
    """``host[/path]``, or ``*.domain``."""
    location: str = ""
    """The replacement of the prefix; empty if the name is kept."""
    is_insecure: bool = False
    is_blocked: bool = False
    mirrors: tuple[MirrorRule, ...] = ()

    def matches(self, repository: str) -> bool:
        """Return whether the prefix covers a repository."""
        if self.prefix.startswith("*."):
            host = repository.partition("/")[0].partition(":")[0]
            return host.endswith(self.prefix[1:])
        return repository.startswith(self.prefix) and repository[len(self.prefix) :][:1] in _BOUNDARIES

    def relocate(self, repository: str, location: str) -> str:
        """Return the repository with its prefix, or for a wildcard its host, replaced by a location."""
        rest = repository[repository.index("/") :] if self.prefix.startswith("*.") else repository[len(self.prefix) :]
        return f"{location}{rest}"


def find_rule(repository: str, rules: Iterable[RegistryRule]) -> RegistryRule | None:
    """Return the rule with the longest matching prefix."""
    return max((rule for rule in rules if rule.matches(repository)), key=lambda rule: len(rule.prefix), default=None)


def find_registries_conf(
    environment: Mapping[str, str], *, home: Path, warn: Warn = ignore_warning
) -> tuple[Path, ...]:
    """Return the files that exist, in the order in which rules of later ones replace those of earlier ones.

    ``warn`` gets a line for a folder that cannot be read.
    """
    chosen = environment.get("CONTAINERS_REGISTRIES_CONF") or environment.get("REGISTRIES_CONFIG_PATH")
    if chosen:
        return (Path(chosen),)
    user, system = home / ".config" / "containers", Path("/etc/containers")
    # If the user's own file exists and cannot be read, the system's applies.
    mains = [path for path in (user / "registries.conf", system / "registries.conf") if _may_exist(path)]
    mains = mains[: 1 + (len(mains) > 1 and not os.access(mains[0], os.R_OK))]
    folders = (system / "registries.conf.d", user / "registries.conf.d")
    parts = [path for folder in folders for path in list_if_possible(folder, warn=warn) if path.suffix == ".conf"]
    return (*mains, *parts)


def _may_exist(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_registries_conf(
    paths: Iterable[Path], *, home: Path = NO_HOME, warn: Warn = ignore_warning
) -> tuple[RegistryRule, ...]:
    """Return the rules of all files, the last one for each prefix. ``read_texts`` says what cannot be read."""
    rules: dict[str, RegistryRule] = {}
    with _naming_a_way_out():
        for path, text in read_texts(paths, home=home, warn=warn):
            rules.update((rule.prefix, rule) for rule in parse_registries_conf(text, source=str(path)))
    return tuple(rules.values())


def read_credential_helpers(
    paths: Iterable[Path], *, home: Path = NO_HOME, warn: Warn = ignore_warning
) -> tuple[str, ...]:
    """Return ``credential-helpers`` of the last file that has it; without any, ``AUTH_FILES`` alone.

    The default is that of containers-registries.conf(5).
    """
    helpers: tuple[str, ...] = ()
    with _naming_a_way_out():
        for path, text in read_texts(paths, home=home, warn=warn):
            helpers = parse_credential_helpers(text, source=str(path)) or helpers
    return helpers or (AUTH_FILES,)


@contextmanager
def _naming_a_way_out() -> Iterator[None]:
    """Add the hint that every problem of these files has."""
    try:
        yield
    except FileError as error:
        raise FileError(error.message, details=error.details, hint=_HINT) from error


def read_texts(paths: Iterable[Path], *, home: Path, warn: Warn) -> Iterator[tuple[Path, str]]:
    """Yield the files with their texts; an unreadable one below the home is skipped with a warning.

    ``FileError`` for any other, which may block registries: those of the system, or named by a variable.
    """
    for path in paths:
        if path.is_relative_to(home):
            content = read_if_possible(path, warn=warn)
            if content is None:
                continue
        else:
            content = read_named(path)
        try:
            yield path, content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FileError(f"{path} can't be read", details=[str(error)]) from error


def parse_registries_conf(text: str, *, source: str) -> tuple[RegistryRule, ...]:
    """Return the rules of one file; its other settings concern short names, which locks do not have."""
    document = _parse(text, source)
    rules = (_rule(table, source) for table in _tables(document, "registry", source))
    return (*_rules_of_version_1(document, source), *rules)


def parse_credential_helpers(text: str, *, source: str) -> tuple[str, ...]:
    """Read ``credential-helpers`` of one file: https://github.com/containers/image, containers-registries.conf(5)."""
    helpers = _parse(text, source).get("credential-helpers") or []
    if not isinstance(helpers, list) or not all(isinstance(helper, str) for helper in helpers):
        raise FileError(f"{source}: credential-helpers must be a list of names")
    return tuple(helpers)


def _parse(text: str, source: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileError(f"{source} is not TOML", details=[str(error)]) from error


def _rules_of_version_1(document: Mapping[str, Any], source: str) -> Iterator[RegistryRule]:
    """Yield the rules of version 1: ``[registries.block]`` and ``[registries.insecure]``, which podman still reads."""
    old = _table(document, "registries", source)
    blocked, insecure = (_hosts(_table(old, key, source), source) for key in ("block", "insecure"))
    for host in dict.fromkeys((*blocked, *insecure)):
        yield RegistryRule(source=source, prefix=host, is_insecure=host in insecure, is_blocked=host in blocked)


def _hosts(table: Mapping[str, Any], source: str) -> list[str]:
    hosts = table.get("registries") or []
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        raise FileError(f"{source}: registries must be a list of names")
    return hosts


def _rule(table: Mapping[str, Any], source: str) -> RegistryRule:
    location = _location(table, source)
    prefix = _text(table, "prefix", source) or location
    if not prefix:
        raise FileError(f"{source}: a [[registry]] has neither prefix nor location")
    digests_only = _flag(table, "mirror-by-digest-only", source)
    return RegistryRule(
        source=source,
        prefix=prefix,
        location="" if location == prefix else location,
        is_insecure=_flag(table, "insecure", source),
        is_blocked=_flag(table, "blocked", source),
        mirrors=tuple(_mirror(entry, source, digests_only=digests_only) for entry in _tables(table, "mirror", source)),
    )


def _mirror(table: Mapping[str, Any], source: str, *, digests_only: bool) -> MirrorRule:
    value = "digest-only" if digests_only else table.get("pull-from-mirror") or "all"
    try:
        use = MirrorUse(value)
    except ValueError as error:
        raise FileError(
            f"{source}: `{value}` is not a value of pull-from-mirror: it must be `all`, `digest-only` or `tag-only`"
        ) from error
    location = _location(table, source)
    if not location:
        raise FileError(f"{source}: a [[registry.mirror]] has no location")
    return MirrorRule(location, _flag(table, "insecure", source), use)


def _location(table: Mapping[str, Any], source: str) -> str:
    location = _text(table, "location", source)
    try:
        if location:
            check_location(location)
    except InvalidReferenceError as error:
        raise FileError(
            f"{source}: {location!r} is not a location: it must be HOST[:PORT][/PATH]", details=[error.message]
        ) from error
    return location


def _text(table: Mapping[str, Any], key: str, source: str) -> str:
    """Return a string without trailing slashes, which podman allows; empty if the key is missing."""
    text = table.get(key) or ""
    if not isinstance(text, str):
        raise FileError(f"{source}: {key} must be a string")
    return text.rstrip("/")


def _flag(table: Mapping[str, Any], key: str, source: str) -> bool:
    flag = table.get(key, False)
    if not isinstance(flag, bool):
        raise FileError(f"{source}: {key} must be true or false")
    return flag


def _table(table: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    inner = table.get(key) or {}
    if not isinstance(inner, dict):
        raise FileError(f"{source}: {key} must be a table")
    return inner


def _tables(table: Mapping[str, Any], key: str, source: str) -> list[Mapping[str, Any]]:
    tables = table.get(key) or []
    if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
        raise FileError(f"{source}: {key} must be written as [[{key}]]")
    return tables

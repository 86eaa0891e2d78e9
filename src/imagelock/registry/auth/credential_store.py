"""Find the credentials for a repository by the rules of Docker and podman: host and port must be equal.

Environment, files and helpers are read when the first registry requires a login. A match by a part of the name has
sent passwords to ``ghcr.io.evil.example`` (CVE-2026-59891).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import Lock

from imagelock.errors import AuthenticationError, FileError
from imagelock.model.frozen import frozen
from imagelock.registry.auth.credentials import Credentials, FoundCredentials
from imagelock.registry.auth.docker_config import (
    AuthFile,
    AuthFileKind,
    AuthFileLocation,
    find_auth_files,
    parse_auth_file,
    parse_legacy_auth_file,
)
from imagelock.registry.auth.helpers import CredentialHelpers
from imagelock.registry.registries_conf import AUTH_FILES, find_registries_conf, read_credential_helpers
from imagelock.registry.user_files import Warn, ignore_warning, read_if_possible, read_named, warn_once

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
"""The key under which ``docker login`` stores the credentials of Docker Hub."""
_DOCKER_HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io")

_VARIABLE = "DOCKER_AUTH_CONFIG"
_PARSERS = {AuthFileKind.CURRENT: parse_auth_file, AuthFileKind.LEGACY: parse_legacy_auth_file}


@frozen
class HelperEntry:
    """The helper that a file names for a registry, and the key to ask it for."""

    helper: str
    key: str


def find_candidates(auth_file: AuthFile, host: str, path: str) -> Iterator[Credentials | HelperEntry]:
    """Yield the credentials and helpers of a file for a repository of ``host`` (with its port, if any), best first.

    First the helper of that registry, then the default helper, then stored credentials: a helper that has none is
    followed by the next candidate.
    """
    keys = tuple(_host_keys(host))
    for registry, helper in auth_file.helpers:
        if helper and _registry_of(registry) in map(_registry_of, keys):
            yield HelperEntry(helper, registry)
    if auth_file.default_helper:
        yield HelperEntry(auth_file.default_helper, keys[0])
    stored = _find_entry(auth_file, keys, path)
    if stored is not None:
        yield stored


def _find_entry(auth_file: AuthFile, keys: tuple[str, ...], path: str) -> Credentials | None:
    """Return the entry of the longest namespace, which podman supports, or else that of the registry."""
    entries = dict(auth_file.entries)
    names = [f"{key}/{namespace}" for namespace in _namespaces(path) for key in keys]
    by_registry = {_registry_of(key): credentials for key, credentials in reversed(auth_file.entries)}
    exact = (entries[name] for name in (*names, *keys) if name in entries)
    converted = (by_registry[registry] for registry in map(_registry_of, keys) if registry in by_registry)
    return next(exact, None) or next(converted, None)


def _namespaces(path: str) -> Iterator[str]:
    """Yield the repository's path, then its parents, the longest first."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _host_keys(host: str) -> Iterator[str]:
    if host in _DOCKER_HUB_HOSTS:
        yield DOCKER_HUB_KEY
        yield from _DOCKER_HUB_HOSTS
    else:
        yield host


def _registry_of(key: str) -> str:
    """Return the host of ``https://reg.example/v1/`` as Docker writes it; podman's ``reg.example/team`` stays."""
    _, scheme, rest = key.rpartition("://")
    host, slash, path = rest.partition("/")
    return host.lower() if scheme or path.strip("/") in ("", "v1", "v2") else f"{host}{slash}{path}"


class CredentialStore:
    """The credentials that ``docker login`` and ``podman login`` stored. Thread-safe.

    Failing helpers and unreadable files are skipped with one warning each, since public images need neither. If a
    registry requires a login, its error lists ``problems``.
    """

    def __init__(self, environment: Mapping[str, str], *, home: Path, warn: Warn = ignore_warning) -> None:
        self._environment = environment
        self._home = home
        self._warn = warn_once(warn)
        self._helpers = CredentialHelpers(environment)
        self._lock = Lock()
        self._sources: tuple[AuthFile | str, ...] | None = None
        self._found: dict[tuple[str, str], FoundCredentials | None] = {}
        self._problems: dict[str, None] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """The files and helpers that were skipped until now, each with the reason."""
        return tuple(self._problems)

    def find(self, host: str, path: str) -> FoundCredentials | None:
        """Return the credentials for a repository, from the first source that has any."""
        with self._lock:
            if (host, path) not in self._found:
                self._found[host, path] = self._find(host, path)
            return self._found[host, path]

    def close(self) -> None:
        """End the helper that runs."""
        self._helpers.close()

    def _find(self, host: str, path: str) -> FoundCredentials | None:
        if self._sources is None:
            self._sources = tuple(self._read_sources())
        for candidate, source in self._candidates(self._sources, host, path):
            if not isinstance(candidate, HelperEntry):
                return FoundCredentials(candidate, source)
            credentials = self._ask_helper(candidate)
            if credentials is not None:
                return FoundCredentials(credentials, f"docker-credential-{candidate.helper}")
        return None

    @staticmethod
    def _candidates(
        sources: Iterable[AuthFile | str], host: str, path: str
    ) -> Iterator[tuple[Credentials | HelperEntry, str]]:
        """Yield the candidates of all sources, best first, each with the name of its source."""
        for source in sources:
            if isinstance(source, str):
                yield HelperEntry(source, host), source
            else:
                yield from ((candidate, source.source) for candidate in find_candidates(source, host, path))

    def _ask_helper(self, entry: HelperEntry) -> Credentials | None:
        try:
            return self._helpers.get(entry.helper, entry.key)
        except AuthenticationError as error:
            self._skip(f"{error.message}: its logins are not used")
            return None

    def _skip(self, problem: str) -> None:
        self._problems[problem] = None
        self._warn(problem)

    def _read_sources(self) -> Iterator[AuthFile | str]:
        """Yield the files, and the names of helpers that registries.conf puts before or after them."""
        locations = find_auth_files(self._environment, home=self._home)
        if any(location.is_required for location in locations):
            yield from self._read_files(locations)
            return
        files = find_registries_conf(self._environment, home=self._home, warn=self._skip)
        helpers = read_credential_helpers(files, home=self._home, warn=self._skip)
        # Docker's files are read even where registries.conf leaves out podman's: it does not govern them.
        for name in helpers if AUTH_FILES in helpers else (*helpers, AUTH_FILES):
            if name == AUTH_FILES:
                yield from self._read_files(locations)
            else:
                yield name

    def _read_files(self, locations: Iterable[AuthFileLocation]) -> Iterator[AuthFile]:
        locations = tuple(locations)
        text = self._environment.get(_VARIABLE)
        if text and not any(location.is_required for location in locations):
            yield parse_auth_file(text, source=_VARIABLE)
        for location in locations:
            content = self._read(location)
            if content is not None:
                yield _PARSERS[location.kind](content, source=str(location.path))

    def _read(self, location: AuthFileLocation) -> str | None:
        """Return the text of a file, with surrogates for bytes that are not UTF-8; ``FileError`` if it is required."""
        if not location.is_required:
            content = read_if_possible(location.path, warn=self._skip)
        elif not location.path.exists():
            raise FileError(f"{location.path} does not exist", hint="correct REGISTRY_AUTH_FILE")
        else:
            try:
                content = read_named(location.path)
            except FileError as error:
                raise FileError(error.message, details=error.details, hint="correct REGISTRY_AUTH_FILE") from error
        return None if content is None else content.decode("utf-8", "surrogateescape")

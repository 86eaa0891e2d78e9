"""Find the credentials of a repository by the rules of Docker and podman: equal host and port, and nothing less.

Choosing by a part of the name has sent passwords to ``ghcr.io.evil.example`` (CVE-2026-59891).
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.model.frozen import frozen
from imagelock.registry.auth.credentials import Credentials
from imagelock.registry.auth.docker_config import AuthFile

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
"""Under this key ``docker login`` keeps the credentials of Docker Hub."""
_DOCKER_HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io")


@frozen
class HelperQuestion:
    """What a file says about a registry when a helper holds the secret: which helper, and under which key."""

    helper: str
    key: str


def find_candidates(auth_file: AuthFile, host: str, path: str) -> Iterator[Credentials | HelperQuestion]:
    """Say what a file has for a repository of ``host`` (with its port, if any), the best first.

    A helper of that very registry comes first, then the file's default helper, then what the file holds itself: a
    helper that has nothing leaves the word to the next.
    """
    keys = tuple(_host_keys(host))
    for registry, helper in auth_file.helpers:
        if helper and _registry_of(registry) in map(_registry_of, keys):
            yield HelperQuestion(helper, registry)
    if auth_file.default_helper:
        yield HelperQuestion(auth_file.default_helper, keys[0])
    stored = _find_entry(auth_file, keys, path)
    if stored is not None:
        yield stored


def _find_entry(auth_file: AuthFile, keys: tuple[str, ...], path: str) -> Credentials | None:
    """Podman keeps credentials per namespace: the longest one counts, then the registry as a whole."""
    entries = dict(auth_file.entries)
    names = [f"{key}/{namespace}" for namespace in _namespaces(path) for key in keys]
    by_registry = {_registry_of(key): credentials for key, credentials in reversed(auth_file.entries)}
    exact = (entries[name] for name in (*names, *keys) if name in entries)
    converted = (by_registry[registry] for registry in map(_registry_of, keys) if registry in by_registry)
    return next(exact, None) or next(converted, None)


def _namespaces(path: str) -> Iterator[str]:
    """Return the repository's path, then ever shorter beginnings of it."""
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
    """``https://reg.example/v1/`` and ``reg.example`` are one registry to Docker; ``reg.example/team`` is podman's."""
    _, scheme, rest = key.rpartition("://")
    host, slash, path = rest.partition("/")
    return host.lower() if scheme or path.strip("/") in ("", "v1", "v2") else f"{host}{slash}{path}"

"""From a repository to the address under which its content is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from imagelock.digest import Digest
from imagelock.reference import DOCKER_HUB, ImageReference, PinnedReference, RegistryName, Repository
from imagelock.registry.addresses import is_loopback
from imagelock.registry.settings import RegistryOptions
from imagelock.registry.urls import Origin, Url

_API_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}
"""People write docker.io; the API is served elsewhere."""


class TlsProbe(Protocol):
    """Finds out whether a server speaks TLS."""

    def __call__(self, origin: Origin, *, registry: RegistryName) -> bool:
        """Shake hands, or see that the server doesn't know how to."""
        ...


class Content(StrEnum):
    """The three things that a registry is asked for, as its paths name them."""

    MANIFEST = "manifests"
    BLOB = "blobs"
    TAGS = "tags"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A host that serves a registry's content: the registry itself or a mirror of it."""

    registry: RegistryName
    origin: Origin
    credentials_host: str
    """Under this name credentials are looked for: never the origin's for its mirror."""
    path_prefix: str = ""
    """What a mirror puts before every repository's path, with a slash at its end."""

    def manifest_url(self, reference: ImageReference) -> Url:
        """Where a manifest is: by digest if there is one, whatever tag stands beside it."""
        name = reference.digest if isinstance(reference, PinnedReference) else reference.tag
        return self._url(_path_of(reference), f"{Content.MANIFEST}/{name}")

    def blob_url(self, path: str, digest: Digest) -> Url:
        """Where a blob is."""
        return self._url(path, f"{Content.BLOB}/{digest}")

    def tags_url(self, path: str) -> Url:
        """Where the list of tags begins."""
        return self._url(path, f"{Content.TAGS}/list")

    def repository_path(self, path: str) -> str:
        """Return the path of a repository there."""
        return f"{self.path_prefix}{path}"

    def _url(self, path: str, rest: str) -> Url:
        return Url(self.origin, f"/v2/{self.repository_path(path)}/{rest}")


def origin_endpoint(registry: RegistryName, options: RegistryOptions, *, speaks_tls: TlsProbe) -> Endpoint:
    """Return the registry itself: https, or http where images.toml says so or this machine's registry speaks only that.

    ``speaks_tls`` is asked about loopback only, and before anything is sent: that is no downgrade.
    """
    origin = Origin.of("https", _API_HOSTS.get(registry, registry))
    plain_http = options.plain_http
    if plain_http is None:
        plain_http = options.ca_file is None and is_loopback(origin.host) and not speaks_tls(origin, registry=registry)
    return Endpoint(
        registry=registry,
        origin=Origin.of("http", registry) if plain_http else origin,
        credentials_host=registry,
    )


def _path_of(reference: ImageReference) -> str:
    if not isinstance(reference.repository, Repository):
        raise TypeError(f"{reference} lies in no registry")
    return reference.repository.path

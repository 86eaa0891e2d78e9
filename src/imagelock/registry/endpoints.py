"""From a repository to the address under which its content is asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DOCKER_HUB, ImageReference, PinnedReference, RegistryName
from imagelock.registry.http.addresses import is_loopback
from imagelock.registry.http.urls import Origin, Url
from imagelock.registry.settings import RegistryOptions

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


@frozen
class Endpoint:
    """A host that is asked: a registry or a mirror."""

    registry: RegistryName
    """As people write it: credentials and certificates are looked for under this name."""
    origin: Origin

    def manifest_url(self, path: str, reference: ImageReference) -> Url:
        """Where a manifest is: by digest if there is one, whatever tag stands beside it."""
        name = reference.digest if isinstance(reference, PinnedReference) else reference.tag
        return self._url(path, f"{Content.MANIFEST}/{name}")

    def blob_url(self, path: str, digest: Digest) -> Url:
        """Where a blob is."""
        return self._url(path, f"{Content.BLOB}/{digest}")

    def tags_url(self, path: str) -> Url:
        """Where the list of tags begins."""
        return self._url(path, f"{Content.TAGS}/list")

    def _url(self, path: str, rest: str) -> Url:
        return Url(self.origin, f"/v2/{path}/{rest}")


def find_endpoint(
    registry: RegistryName, options: RegistryOptions, *, speaks_tls: TlsProbe, may_be_plain: bool = False
) -> Endpoint:
    """Choose between https and http: http only where images.toml says so, or where TLS isn't spoken and needn't be.

    It needn't be on this machine, and where registries.conf calls a host insecure. ``speaks_tls`` is asked before
    anything is sent: that is no downgrade.
    """
    origin = Origin.of("https", _API_HOSTS.get(registry, registry))
    plain_http = options.plain_http
    if plain_http is None:
        is_allowed = options.ca_file is None and (may_be_plain or is_loopback(origin.host))
        plain_http = is_allowed and not speaks_tls(origin, registry=registry)
    return Endpoint(registry, Origin.of("http", registry) if plain_http else origin)

"""How a registry wants to be asked: what it said the last time, or what everybody knows of it."""

from __future__ import annotations

from collections.abc import Mapping

from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.registry.http.urls import Origin, Url


@frozen
class OpenAccess:
    """It answers everybody."""


@frozen
class BasicAccess:
    """It wants a user name and a password with each request."""


@frozen(kw_only=True)
class BearerAccess:
    """It wants a token of that realm."""

    registry: RegistryName
    realm: Url
    service: str = ""
    takes_batches: bool = False
    """Whether one token may be for many repositories."""
    is_remembered: bool = False
    """Nobody has said so in this run: a mistake must not cost more than a request."""

    @property
    def public_token(self) -> str:
        """What opens public repositories without asking for a token first; empty where nothing is known to."""
        return _PUBLIC_TOKENS.get(self.registry, "")


Access = OpenAccess | BasicAccess | BearerAccess

_BATCHING_SERVICES = frozenset({"registry.docker.io", "harbor-registry"})
_WELL_KNOWN = {
    "registry-1.docker.io": ("https://auth.docker.io/token", "registry.docker.io"),
    "ghcr.io": ("https://ghcr.io/token", "ghcr.io"),
    "quay.io": ("https://quay.io/v2/auth", "quay.io"),
    "registry.gitlab.com": ("https://gitlab.com/jwt/auth", "container_registry"),
    "public.ecr.aws": ("https://public.ecr.aws/token/", "public.ecr.aws"),
    "cgr.dev": ("https://cgr.dev/token", "cgr.dev"),
    "gcr.io": ("https://gcr.io/v2/token", "gcr.io"),
}
# GitHub's registry wants to see some token, and any will do for public packages; Homebrew relies on it.
_PUBLIC_TOKENS: Mapping[str, str] = {"ghcr.io": "QQ=="}


def find_well_known(registry: RegistryName, origin: Origin) -> BearerAccess | None:
    """Say what is known of the large public registries, so that the first request needn't be refused."""
    host = origin.host_and_port
    if host not in _WELL_KNOWN or not origin.is_encrypted:
        return None
    realm, service = _WELL_KNOWN[host]
    return BearerAccess(
        registry=registry,
        realm=Url.parse(realm),
        service=service,
        takes_batches=takes_batches(service),
        is_remembered=True,
    )


def takes_batches(service: str) -> bool:
    """Whether a token service is known to serve many repositories with one token."""
    return service in _BATCHING_SERVICES

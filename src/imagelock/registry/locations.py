"""Which host serves a repository: its mirrors, then the registry that its name says, over https or http.

Content by digest may come from any mirror, since its hash proves it. What a tag means is decided by the registry alone,
unless images.toml sets ``mirrors-resolve-tags``. A lock names the registry in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from imagelock.errors import RegistryError
from imagelock.model.frozen import frozen
from imagelock.model.reference import DOCKER_HUB, RegistryName, Repository
from imagelock.registry.http.addresses import Origin, is_loopback
from imagelock.registry.registries_conf import MirrorUse, RegistryRule, find_rule
from imagelock.registry.settings import RegistryOptions

_API_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}
"""People write docker.io; the API is served elsewhere."""


class TlsProbe(Protocol):
    """Finds out whether a server speaks TLS."""

    def __call__(self, origin: Origin, *, registry: RegistryName) -> bool:
        """Return whether the server shakes hands; nothing else is sent."""
        ...


@frozen
class Endpoint:
    """A host that is asked: a registry or a mirror."""

    registry: RegistryName
    """As people write it: credentials and certificates are looked for under this name."""
    origin: Origin


def find_endpoint(
    registry: RegistryName, options: RegistryOptions, *, speaks_tls: TlsProbe, may_be_plain: bool = False
) -> Endpoint:
    """Choose between https and http: http only where images.toml says so, or where a server without TLS is allowed.

    It is allowed on this machine, and where registries.conf calls a host insecure. ``speaks_tls`` is asked before
    anything is sent: that is no downgrade.
    """
    origin = Origin.of("https", _API_HOSTS.get(registry, registry))
    plain_http = options.plain_http
    if plain_http is None:
        is_allowed = options.ca_file is None and (may_be_plain or is_loopback(origin.host))
        plain_http = is_allowed and not speaks_tls(origin, registry=registry)
    return Endpoint(registry, Origin.of("http", registry) if plain_http else origin)


@frozen
class Location:
    """A host that serves a repository, and the repository's path there."""

    host: RegistryName
    path: str
    may_be_plain: bool = False
    """Whether registries.conf allows the host to do without TLS."""

    def without_path(self) -> Location:
        """Return the host alone, as a key for what all its repositories share."""
        return Location(self.host, "", self.may_be_plain)


class Locations:
    """The locations of repositories: mirrors of images.toml come first, then those of registries.conf."""

    def __init__(self, options_of: Callable[[RegistryName], RegistryOptions], rules: tuple[RegistryRule, ...]) -> None:
        self._options_of = options_of
        self._rules = rules

    def of_content(self, repository: Repository) -> tuple[Location, ...]:
        """Return the locations of content by digest, in the order of asking; the last one is the registry itself."""
        rule = self._find_rule(repository)
        declared = self._declared_mirrors(repository)
        return (*declared, *_mirrors_of_rule(repository, rule, unwanted=MirrorUse.TAGS), _origin(repository, rule))

    def of_tag(self, repository: Repository) -> tuple[Location, ...]:
        """Return the locations that may say what a tag means; unless images.toml allows mirrors, the registry alone."""
        rule = self._find_rule(repository)
        if not self._options_of(repository.registry).mirrors_resolve_tags:
            return (_origin(repository, rule),)
        declared = self._declared_mirrors(repository)
        return (*declared, *_mirrors_of_rule(repository, rule, unwanted=MirrorUse.DIGESTS), _origin(repository, rule))

    def origin_of(self, repository: Repository) -> Location:
        """Return the registry itself, which alone knows what it still serves."""
        return _origin(repository, self._find_rule(repository))

    def _declared_mirrors(self, repository: Repository) -> tuple[Location, ...]:
        mirrors = self._options_of(repository.registry).mirrors
        return tuple(_location(f"{mirror}/{repository.path}") for mirror in mirrors)

    def _find_rule(self, repository: Repository) -> RegistryRule | None:
        rule = find_rule(str(repository), self._rules)
        if rule is not None and rule.is_blocked:
            raise RegistryError(f"{repository} must not be asked", details=[f"{rule.source} blocks `{rule.prefix}`"])
        return rule


def _origin(repository: Repository, rule: RegistryRule | None) -> Location:
    if rule is None:
        return Location(repository.registry, repository.path)
    if not rule.location:
        return Location(repository.registry, repository.path, rule.is_insecure)
    return _location(rule.relocate(str(repository), rule.location), may_be_plain=rule.is_insecure)


def _mirrors_of_rule(repository: Repository, rule: RegistryRule | None, *, unwanted: MirrorUse) -> Iterator[Location]:
    if rule is not None:
        for mirror in rule.mirrors:
            if mirror.use is not unwanted:
                location = rule.relocate(str(repository), mirror.location)
                yield _location(location, may_be_plain=mirror.is_insecure)


def _location(text: str, *, may_be_plain: bool = False) -> Location:
    host, _, path = text.partition("/")
    return Location(RegistryName(host.lower()), path, may_be_plain)

"""Settings of registries, and the hosts that serve a repository: its mirrors and the registry itself.

Content by digest may come from any mirror, since it is verified by its hash. Tags are resolved by the registry alone,
unless images.toml sets ``mirrors-resolve-tags``. A lock always names the registry, never a mirror.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import field
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Protocol

from imagelock.errors import ImagelockError, RegistryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.locking.parallel import workers_for
from imagelock.model.frozen import frozen
from imagelock.model.reference import DOCKER_HUB, RegistryName, Repository
from imagelock.registry.http.addresses import Origin, is_loopback
from imagelock.registry.http.connections import Connections
from imagelock.registry.registries_conf import (
    MirrorUse,
    RegistryRule,
    find_registries_conf,
    find_rule,
    read_registries_conf,
)
from imagelock.registry.user_files import find_home, ignore_warning

_API_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}
"""The host of the API, where it differs from the registry name in references."""


@frozen(kw_only=True)
class RegistrySettings:
    """The network settings of a run, from options, environment and images.toml."""

    folder: Path = Path()
    """The folder of images.toml, to which a ``ca_file`` is relative."""
    registries: tuple[RegistryDeclaration, ...] = ()
    """What images.toml says about registries, one declaration a registry."""
    anonymous: bool = False
    """Whether to send no credentials, and look for none."""
    time_limit_seconds: float = 60.0
    """For one exchange with a server, from the request to the last byte of the response."""
    cache_directory: Path | None = None
    """Content by digest and remembered challenges; ``None`` keeps nothing on disk."""
    trace: Callable[[str], None] | None = None
    """Called from any thread with a line about each exchange; the lines hold no secrets."""
    warn: Callable[[str], None] | None = None
    """Called from any thread with each warning, such as a registry's ``Warning`` header, once a text."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    home: Path = field(default_factory=lambda: find_home(os.environ))

    def declaration_of(self, registry: RegistryName) -> RegistryDeclaration:
        """Return what images.toml says about a registry, or the defaults."""
        declared = (declaration for declaration in self.registries if declaration.registry == registry)
        return next(declared, RegistryDeclaration(registry=registry))

    def ca_file_of(self, registry: RegistryName) -> Path | None:
        """Return the file of certificates to trust for a registry besides the system's, if one is declared."""
        ca_file = self.declaration_of(registry).ca_file
        return None if ca_file is None else self.folder / ca_file


class TlsProbe(Protocol):
    """Tests whether a server speaks TLS."""

    def __call__(self, origin: Origin, *, registry: RegistryName) -> bool:
        """Return whether the server completes a TLS handshake; nothing else is sent."""
        ...


@frozen
class Endpoint:
    """The address of a registry or mirror."""

    registry: RegistryName
    """The name in references, under which credentials and certificates are configured."""
    origin: Origin


def find_endpoint(location: Location, declared: RegistryDeclaration, *, speaks_tls: TlsProbe) -> Endpoint:
    """Return the endpoint with https, or with http where images.toml or this machine's configuration allows it.

    Hosts on this machine, and those that registries.conf calls insecure, get http if ``speaks_tls`` finds no TLS. It
    is called before anything else is sent, so that a failed request is never repeated without encryption.
    """
    origin = Origin.of("https", _API_HOSTS.get(location.host, location.host))
    plain_http = declared.plain_http
    if plain_http is None:
        plain_http = _may_be_plain(location, declared) and not speaks_tls(origin, registry=location.host)
    return Endpoint(location.host, Origin.of("http", location.host) if plain_http else origin)


def _may_be_plain(location: Location, declared: RegistryDeclaration) -> bool:
    """Return whether a host may use http, and nothing decides it but a TLS probe."""
    is_decided = declared.plain_http is not None or declared.ca_file is not None
    return not is_decided and (location.may_be_plain or is_loopback(Origin.of("https", location.host).host))


@frozen
class Location:
    """A host that serves a repository, and the repository's path there."""

    host: RegistryName
    path: str
    may_be_plain: bool = False
    """Whether registries.conf calls the host insecure."""

    def without_path(self) -> Location:
        """Return the same host without a path: the key of what all its repositories share."""
        return Location(self.host, "", self.may_be_plain)


class Locations:
    """Returns the locations of repositories: mirrors of images.toml first, then those of registries.conf."""

    def __init__(
        self, declaration_of: Callable[[RegistryName], RegistryDeclaration], rules: tuple[RegistryRule, ...]
    ) -> None:
        self._declaration_of = declaration_of
        self._rules = rules

    def of_content(self, repository: Repository) -> tuple[Location, ...]:
        """Return the locations of content by digest, in the order of use; the last one is the registry itself."""
        rule = self._find_rule(repository)
        declared = self._declared_mirrors(repository)
        return (*declared, *_mirrors_of_rule(repository, rule, unwanted=MirrorUse.TAGS), _origin(repository, rule))

    def of_tag(self, repository: Repository) -> tuple[Location, ...]:
        """Return the locations that may resolve a tag: the registry alone, unless images.toml allows mirrors."""
        rule = self._find_rule(repository)
        if not self._declaration_of(repository.registry).mirrors_resolve_tags:
            return (_origin(repository, rule),)
        declared = self._declared_mirrors(repository)
        return (*declared, *_mirrors_of_rule(repository, rule, unwanted=MirrorUse.DIGESTS), _origin(repository, rule))

    def origin_of(self, repository: Repository) -> Location:
        """Return the location of the registry itself."""
        return _origin(repository, self._find_rule(repository))

    @contextmanager
    def noting_mirrors(self, repository: Repository) -> Iterator[None]:
        """Add to a ``RegistryError`` of the block that tags are listed by the registry alone, if there are mirrors."""
        try:
            yield
        except RegistryError as error:
            if len(self.of_content(repository)) > 1:
                raise with_mirror_note(error, repository) from error
            raise

    def _declared_mirrors(self, repository: Repository) -> tuple[Location, ...]:
        mirrors = self._declaration_of(repository.registry).registry_mirrors
        return tuple(_location(f"{mirror}/{repository.path}") for mirror in mirrors)

    def _find_rule(self, repository: Repository) -> RegistryRule | None:
        rule = find_rule(str(repository), self._rules) if self._rules else None
        if rule is not None and rule.is_blocked:
            raise RegistryError(f"{repository} is blocked", details=[f"{rule.source} blocks `{rule.prefix}`"])
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


def make_locations(settings: RegistrySettings) -> Locations:
    """Return the locations of settings and of the machine's registries.conf."""
    warn = settings.warn or ignore_warning
    files = find_registries_conf(settings.environment, home=settings.home, warn=warn)
    rules = read_registries_conf(files, home=settings.home, warn=warn)
    return Locations(settings.declaration_of, rules)


def with_mirror_note(error: RegistryError, repository: Repository) -> RegistryError:
    """Return the same error with two more details: mirrors are not used for lists of tags, and what replaces that."""
    source = f"the list of tags comes from {repository.registry} alone: a mirror may have only some of them"
    location = f'to use a mirror in its place, set `location = "MIRROR/…"` for {repository.registry} in registries.conf'
    return type(error)(error.message, details=[*error.details, source, location], hint=error.hint)


def make_connections(settings: RegistrySettings) -> Connections:
    """Return connections that use the proxies and certificates of settings."""
    return Connections(settings.environment, home=settings.home, ca_file_of=settings.ca_file_of)


def open_early(expected: Iterable[Repository], settings: RegistrySettings, connections: Connections) -> None:
    """Start to connect to the hosts of repositories that will be asked for, one connection a repository up to a limit.

    It needs no HTTP library, whose import takes as long as one or two round trips.
    """
    locations = make_locations(settings)
    wanted: Counter[Location] = Counter()
    for repository in dict.fromkeys(expected):
        # A blocked repository is an error only when its own image is fetched.
        with suppress(RegistryError):
            wanted[locations.of_tag(repository)[0].without_path()] += 1
    for location, count in wanted.items():
        declared = settings.declaration_of(location.host)
        open_at = partial(_open_early_at, location, declared, connections, count=min(count, workers_for(count)))
        if _may_be_plain(location, declared):
            # The TLS probe takes round trips, for which the caller need not wait.
            Thread(target=open_at, daemon=True).start()
        else:
            open_at()


def _open_early_at(location: Location, declared: RegistryDeclaration, connections: Connections, *, count: int) -> None:
    with suppress(ImagelockError):  # the first request to the host raises it again
        endpoint = find_endpoint(location, declared, speaks_tls=connections.speaks_tls)
        connections.open_early(endpoint.origin, registry=endpoint.registry, connections=count)

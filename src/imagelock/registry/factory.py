"""Put a registry client together from settings, and begin to connect before httpx is imported.

Importing httpx takes as long as one or two round trips: the handshakes with the first hosts wait for their answers
meanwhile. So this module imports what needs httpx only where it is used.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from imagelock.errors import RegistryError
from imagelock.locking.parallel import workers_for
from imagelock.model.reference import RegistryName, Repository
from imagelock.registry.content_cache import ContentCache
from imagelock.registry.http.connections import Connections
from imagelock.registry.locations import Endpoint, Location, Locations, find_endpoint
from imagelock.registry.registries_conf import find_registries_conf, read_registries_conf
from imagelock.registry.settings import RegistrySettings

if TYPE_CHECKING:
    import httpx

    from imagelock.registry.auth.credentials import CredentialSource
    from imagelock.registry.auth.schemes import SchemeMemory
    from imagelock.registry.client import RegistryClient
    from imagelock.registry.host import Dialer, Host
    from imagelock.registry.http.backoff import Clock


@contextmanager
def open_registry_client(settings: RegistrySettings, expected: Iterable[Repository] = ()) -> Iterator[RegistryClient]:
    """Open a client for the length of a block; leaving it ends every exchange and every wait of other threads.

    ``expected`` are the repositories that will be asked for: connections to their hosts are begun at once.
    """
    connections = make_connections(settings)
    try:
        _open_early(expected, settings, connections)
        with _client_over(connections, settings) as client:
            yield client
    finally:
        connections.close()


@contextmanager
def _client_over(connections: Connections, settings: RegistrySettings) -> Iterator[RegistryClient]:
    # Where rich is installed, httpx would import its own command line, which takes 20 ms more.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # Python refuses what is None there
    from imagelock.registry.auth.schemes import SchemeMemory  # noqa: PLC0415
    from imagelock.registry.http.backoff import SystemClock  # noqa: PLC0415
    from imagelock.registry.http.transport import Transport  # noqa: PLC0415

    clock = SystemClock()
    transport = Transport(connections, time_limit_seconds=settings.time_limit_seconds)
    memory = SchemeMemory(settings.cache_directory, clock=clock)
    try:
        yield make_registry_client(settings, transport=transport, dialer=connections, clock=clock, memory=memory)
    finally:
        clock.wake_sleepers()
        transport.close()
        connections.close()
        memory.save()


def make_connections(settings: RegistrySettings) -> Connections:
    """Return connections that use the proxies and certificates of settings."""

    def ca_file_of(registry: RegistryName) -> Path | None:
        return settings.options_of(registry).ca_file

    return Connections(settings.environment, home=settings.home, ca_file_of=ca_file_of)


def make_registry_client(
    settings: RegistrySettings, *, transport: httpx.BaseTransport, dialer: Dialer, clock: Clock, memory: SchemeMemory
) -> RegistryClient:
    """Return a client over any transport, dialer and clock."""
    from imagelock.registry.auth.authenticator import Authenticator  # noqa: PLC0415
    from imagelock.registry.auth.credentials import Keyring  # noqa: PLC0415
    from imagelock.registry.auth.token_server import TokenServers  # noqa: PLC0415
    from imagelock.registry.client import RegistryClient  # noqa: PLC0415
    from imagelock.registry.host import Host  # noqa: PLC0415
    from imagelock.registry.http.sender import Sender  # noqa: PLC0415

    sender = Sender(transport, clock=clock, trace=settings.trace, warn=settings.warn)
    keyring = Keyring(lambda: _open_credentials(settings))
    token_servers = TokenServers(sender, clock=clock, keyring=keyring)

    def open_host(location: Location) -> Host:
        endpoint = _endpoint_of(location, settings, dialer)
        authenticator = Authenticator(
            endpoint.registry,
            endpoint.origin,
            sender=sender,
            token_servers=token_servers,
            keyring=keyring,
            memory=memory,
            clock=clock,
        )
        return Host(endpoint, authenticator=authenticator, dialer=dialer, is_anonymous=settings.anonymous)

    cache = None if settings.cache_directory is None else ContentCache(settings.cache_directory)
    return RegistryClient(open_host, _make_locations(settings), cache=cache)


def _open_early(expected: Iterable[Repository], settings: RegistrySettings, connections: Connections) -> None:
    locations = _make_locations(settings)
    wanted: Counter[Location] = Counter()
    for repository in dict.fromkeys(expected):
        # One that must not be asked is an error when it is asked, and of that image alone.
        with suppress(RegistryError):
            wanted[locations.of_tag(repository)[0].without_path()] += 1
    for location, count in wanted.items():
        endpoint = _endpoint_of(location, settings, connections)
        number = min(count, workers_for(count))
        connections.open_early(endpoint.origin, registry=endpoint.registry, connections=number)


def _make_locations(settings: RegistrySettings) -> Locations:
    rules = read_registries_conf(find_registries_conf(settings.environment, home=settings.home))
    return Locations(settings.options_of, rules)


def _endpoint_of(location: Location, settings: RegistrySettings, dialer: Dialer) -> Endpoint:
    options = settings.options_of(location.host)
    return find_endpoint(location.host, options, speaks_tls=dialer.speaks_tls, may_be_plain=location.may_be_plain)


def _open_credentials(settings: RegistrySettings) -> CredentialSource:
    from imagelock.registry.auth.credential_store import CredentialStore  # noqa: PLC0415  open registries don't need it
    from imagelock.registry.auth.credentials import NoCredentials  # noqa: PLC0415

    return NoCredentials() if settings.anonymous else CredentialStore(settings.environment, home=settings.home)

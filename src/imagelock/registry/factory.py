"""Put a registry client together from settings: the one place where the parts meet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from imagelock.model.reference import RegistryName
from imagelock.registry.auth.authenticator import Authenticator
from imagelock.registry.auth.credentials import CredentialSource, Keyring, NoCredentials
from imagelock.registry.auth.schemes import SchemeMemory
from imagelock.registry.auth.token_server import TokenServers
from imagelock.registry.client import RegistryClient
from imagelock.registry.content_cache import ContentCache
from imagelock.registry.host import Dialer, Host
from imagelock.registry.http.backoff import Clock, SystemClock
from imagelock.registry.http.connections import Connections
from imagelock.registry.http.sender import Sender
from imagelock.registry.http.transport import Transport
from imagelock.registry.locations import Location, Locations, find_endpoint
from imagelock.registry.registries_conf import find_registries_conf, read_registries_conf
from imagelock.registry.settings import RegistrySettings


@contextmanager
def open_registry_client(settings: RegistrySettings) -> Iterator[RegistryClient]:
    """Open a client for the length of a block; leaving it ends every exchange and every wait of other threads."""
    clock = SystemClock()
    connections = make_connections(settings)
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
    sender = Sender(transport, clock=clock, trace=settings.trace, warn=settings.warn)
    keyring = Keyring(lambda: _open_credentials(settings))
    token_servers = TokenServers(sender, clock=clock, keyring=keyring)

    def open_host(location: Location) -> Host:
        options = settings.options_of(location.host)
        may_be_plain = location.may_be_plain
        endpoint = find_endpoint(location.host, options, speaks_tls=dialer.speaks_tls, may_be_plain=may_be_plain)
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

    rules = read_registries_conf(find_registries_conf(settings.environment, home=settings.home))
    cache = None if settings.cache_directory is None else ContentCache(settings.cache_directory)
    return RegistryClient(open_host, Locations(settings.options_of, rules), cache=cache)


def _open_credentials(settings: RegistrySettings) -> CredentialSource:
    if settings.anonymous:
        return NoCredentials()
    from imagelock.registry.auth.credential_store import CredentialStore  # noqa: PLC0415  open registries don't need it

    return CredentialStore(settings.environment, home=settings.home)

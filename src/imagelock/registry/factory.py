"""Put a registry client together from settings: the one place where the parts meet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from imagelock.registry.auth.authenticator import Authority
from imagelock.registry.auth.credentials import CredentialSource, Keyring, NoCredentials
from imagelock.registry.auth.schemes import AccessMemory
from imagelock.registry.auth.token_server import TokenExchange
from imagelock.registry.client import RegistryClient
from imagelock.registry.content_cache import ContentCache
from imagelock.registry.http.backoff import Clock, SystemClock
from imagelock.registry.http.network import Network
from imagelock.registry.http.sender import Delivery, Transport
from imagelock.registry.locations import Place, Places, find_endpoint
from imagelock.registry.registries_conf import find_registries_conf, read_registries_conf
from imagelock.registry.session import Session
from imagelock.registry.settings import RegistrySettings


@contextmanager
def open_registry_client(settings: RegistrySettings) -> Iterator[RegistryClient]:
    """Open a client for the length of a block; leaving it ends every exchange and every wait of other threads."""
    clock = SystemClock()
    network = Network(settings)
    memory = AccessMemory(settings.cache_directory, clock=clock)
    try:
        yield make_registry_client(settings, transport=network, clock=clock, memory=memory)
    finally:
        clock.wake_sleepers()
        network.close()
        memory.save()


def make_registry_client(
    settings: RegistrySettings, *, transport: Transport, clock: Clock, memory: AccessMemory
) -> RegistryClient:
    """Make a client over any transport and clock."""
    delivery = Delivery(transport, clock=clock, trace=settings.trace, warn=settings.warn)
    keyring = Keyring(lambda: _open_credentials(settings))
    exchange = TokenExchange(delivery, clock=clock, keyring=keyring)

    rules = read_registries_conf(find_registries_conf(settings.environment, home=settings.home))

    def open_session(place: Place) -> Session:
        options = settings.options_of(place.host)
        endpoint = find_endpoint(place.host, options, speaks_tls=transport.speaks_tls, may_be_plain=place.may_be_plain)
        return Session(
            endpoint,
            authority=Authority(endpoint, exchange=exchange, keyring=keyring, memory=memory),
            delivery=delivery,
            exchange=exchange,
            is_anonymous=settings.anonymous,
        )

    cache = None if settings.cache_directory is None else ContentCache(settings.cache_directory)
    return RegistryClient(open_session, Places(settings.options_of, rules), cache=cache)


def _open_credentials(settings: RegistrySettings) -> CredentialSource:
    if settings.anonymous:
        return NoCredentials()
    from imagelock.registry.auth.credential_store import CredentialStore  # noqa: PLC0415  open registries don't need it

    return CredentialStore(settings.environment, home=settings.home)

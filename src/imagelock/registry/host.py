"""One host of one registry: sends authenticated requests, and turns refusals into errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import httpx

from imagelock.errors import InvalidContentError, RegistryError
from imagelock.locking.parallel import workers_for
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName, Repository
from imagelock.registry.auth.authenticator import Authenticator
from imagelock.registry.auth.credentials import CredentialSource, Keyring, NoCredentials
from imagelock.registry.auth.schemes import SchemeMemory
from imagelock.registry.auth.token_server import TokenServers
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.backoff import Clock
from imagelock.registry.http.messages import is_of_token_server
from imagelock.registry.http.sender import Sender
from imagelock.registry.http.urls import origin_of
from imagelock.registry.locations import Endpoint, Location, RegistrySettings, find_endpoint
from imagelock.registry.refusals import Identity, RefusedRequest, depends_on_credentials, refusal_in_success, refusal_of
from imagelock.registry.user_files import ignore_warning

_REPOSITORIES_OF_A_TOKEN = 40
"""About as many as fit into one token (``auth.tokens``)."""


class Dialer(Protocol):
    """Opens connections before the first request needs them."""

    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None:
        """Start to open connections to a host and return at once; a failure is raised by the first request."""
        ...

    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool:
        """Return whether the server completes a TLS handshake; nothing else is sent."""
        ...


@frozen
class Subject:
    """What a request is for."""

    path: str
    """The path of the repository on the host that is asked."""
    repository: Repository
    """The repository as images.toml names it."""
    what: str
    """The requested thing, as errors name it."""


class Host:
    """Sends requests to one host of one registry. Thread-safe."""

    def __init__(
        self, endpoint: Endpoint, *, authenticator: Authenticator, keyring: Keyring, dialer: Dialer, is_anonymous: bool
    ) -> None:
        self.endpoint = endpoint
        self._authenticator = authenticator
        self._keyring = keyring
        self._dialer = dialer
        self._is_anonymous = is_anonymous

    def prepare(self, paths: Iterable[str]) -> None:
        """Plan the tokens for repositories that will be asked for; connect to the host and to its token server."""
        paths = tuple(paths)
        self._authenticator.prepare(paths)
        registry = self.endpoint.registry
        connections = min(len(paths), workers_for(len(paths)))
        self._dialer.open_early(self.endpoint.origin, registry=registry, connections=connections)
        realm = self._authenticator.token_server
        if realm is not None:
            tokens = 1 + len(paths) // _REPOSITORIES_OF_A_TOKEN
            self._dialer.open_early(realm, registry=registry, connections=tokens)

    def ask(self, request: httpx.Request, subject: Subject) -> httpx.Response:
        """Return a 2xx response; ``RegistryError`` for any other."""
        return self.raise_for_status(self.send(request, subject), subject)

    def send(self, request: httpx.Request, subject: Subject) -> httpx.Response:
        """Return the response of any status, after every renewal of credentials that may help."""
        return self._authenticator.send(request, subject.path)

    def raise_for_status(self, response: httpx.Response, subject: Subject) -> httpx.Response:
        """Return the response if it is a 2xx; ``RegistryError`` if not."""
        if not response.is_success:
            raise refusal_of(response, self._refused_request(subject, response))
        return response

    def content_error(self, response: httpx.Response, subject: Subject, problem: InvalidContentError) -> RegistryError:
        """Return the error for a 2xx response with other content than requested."""
        return refusal_in_success(response, problem, self._refused_request(subject, response))

    def _refused_request(self, subject: Subject, response: httpx.Response) -> RefusedRequest:
        found = self._authenticator.find_credentials(subject.path) if depends_on_credentials(response) else None
        identity = Identity.CREDENTIALS if found else Identity.NO_CREDENTIALS
        if found and origin_of(response.url) == self.endpoint.origin and not _is_authorized(response):
            identity = Identity.UNASKED
        return RefusedRequest(
            what=subject.what,
            repository=subject.repository,
            identity=Identity.ANONYMOUS if self._is_anonymous else identity,
            credentials_source=found.source if found else "",
            credential_problems=self._keyring.problems,
        )


class Hosts:
    """Makes the hosts of a run over one transport: the stages are put together here. Thread-safe."""

    def __init__(
        self,
        settings: RegistrySettings,
        *,
        transport: httpx.BaseTransport,
        dialer: Dialer,
        clock: Clock,
        memory: SchemeMemory,
    ) -> None:
        self._settings = settings
        self._dialer = dialer
        self._clock = clock
        self._memory = memory
        self._sender = Sender(transport, clock=clock, trace=settings.trace, warn=settings.warn)
        self._keyring = Keyring(lambda: _open_credentials(settings))
        self._token_servers = TokenServers(self._sender, clock=clock, keyring=self._keyring)

    def open(self, location: Location) -> Host:
        """Return the host of a location."""
        declared = self._settings.declaration_of(location.host)
        endpoint = find_endpoint(location, declared, speaks_tls=self._dialer.speaks_tls)
        authenticator = Authenticator(
            endpoint.registry,
            endpoint.origin,
            sender=self._sender,
            token_servers=self._token_servers,
            keyring=self._keyring,
            memory=self._memory,
            clock=self._clock,
        )
        return Host(
            endpoint,
            authenticator=authenticator,
            keyring=self._keyring,
            dialer=self._dialer,
            is_anonymous=self._settings.anonymous,
        )

    def close(self) -> None:
        """End the credential helper that runs, so that no thread waits for it."""
        self._keyring.close()


def _is_authorized(response: httpx.Response) -> bool:
    """Return whether the request had credentials, or was one for a token, whose form may have them."""
    return "authorization" in response.request.headers or is_of_token_server(response)


def _open_credentials(settings: RegistrySettings) -> CredentialSource:
    if settings.anonymous:
        return NoCredentials()
    from imagelock.registry.auth.credential_store import CredentialStore  # noqa: PLC0415  open registries don't need it

    return CredentialStore(settings.environment, home=settings.home, warn=settings.warn or ignore_warning)

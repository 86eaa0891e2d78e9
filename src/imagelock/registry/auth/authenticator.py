"""Authenticate requests to one host with credentials or tokens, and renew them after a refusal.

https://distribution.github.io/distribution/spec/auth/token/

It is not an ``httpx.Auth``: in one, a failed token request cannot be caught, a 401 of a host that we were redirected to
looks like one of the host itself, and tokens cannot be prefetched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from threading import Lock

import httpx

from imagelock.errors import RegistryError
from imagelock.model.reference import RegistryName
from imagelock.registry.auth.challenges import (
    BasicChallenge,
    BearerChallenge,
    check_realm,
    choose_challenge,
    parse_challenges,
)
from imagelock.registry.auth.credentials import FoundCredentials, Keyring, RegistryToken, login_of
from imagelock.registry.auth.schemes import (
    Basic,
    Bearer,
    Discovery,
    Open,
    SchemeMemory,
    find_well_known,
    is_known_to_take_batches,
)
from imagelock.registry.auth.token_server import TokenServers, bearer_authorization
from imagelock.registry.auth.tokens import (
    NO_AUTHORIZATION,
    AccessRefusedError,
    Authorization,
    AuthorizationKind,
    Token,
    TokenCache,
    pull_scope,
)
from imagelock.registry.http.addresses import Origin, basic_authorization
from imagelock.registry.http.backoff import Clock
from imagelock.registry.http.messages import as_get, authorized
from imagelock.registry.http.sender import Sender
from imagelock.registry.http.urls import origin_of
from imagelock.registry.refusals import is_written_by_distribution

_MAX_RENEWALS = 2
"""First to a token for many repositories, then to one for this repository alone."""
_EXPIRY_STATUSES = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""Refusals of expired tokens: ECR Public sends 400, Google's registries 403, both without a challenge."""

ChosenChallenge = BearerChallenge | BasicChallenge | None


class Authenticator:
    """Sends requests to one host with the right ``Authorization``, and renews it. Thread-safe."""

    def __init__(  # noqa: PLR0913  the stages below, and what is remembered
        self,
        registry: RegistryName,
        origin: Origin,
        *,
        sender: Sender,
        token_servers: TokenServers,
        keyring: Keyring,
        memory: SchemeMemory,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._origin = origin
        self._sender = sender
        self._token_servers = token_servers
        self._keyring = keyring
        self._memory = memory
        self._clock = clock
        self._discovery = Discovery(memory.find(registry, origin) or find_well_known(registry, origin))
        self._is_public_token_refused = False
        self._lock = Lock()
        self._scopes: dict[str, str] = {}
        self._caches: dict[FoundCredentials | None, TokenCache] = {}
        self._plan_lock = Lock()
        self._expected: dict[str, None] = {}
        self._unplanned: dict[str, None] = {}

    @property
    def token_server(self) -> Origin | None:
        """The origin of the token server, if it is known and needed."""
        scheme = self._discovery.scheme
        return origin_of(scheme.realm) if isinstance(scheme, Bearer) and not scheme.public_token else None

    def prepare(self, paths: Iterable[str]) -> None:
        """Plan tokens for repositories that will be asked for, so that one token can cover many of them."""
        with self._plan_lock:
            new = [path for path in paths if path not in self._expected]
            self._expected.update(dict.fromkeys(new))
            self._unplanned.update(dict.fromkeys(new))
        scheme = self._discovery.scheme
        if isinstance(scheme, Bearer) and not scheme.knows_batches and len(self._expected) > 1:
            # Batches matter from two repositories on: the next request discovers whether they are accepted.
            self._discovery.invalidate(scheme)

    def send(self, request: httpx.Request, path: str) -> httpx.Response:
        """Return the response to an authenticated request, which may be a refusal of the credentials.

        ``path`` is that of the repository. ``RegistryError`` if a server sent no response.
        """
        try:
            return self._send(request, path)
        except AccessRefusedError as error:
            return error.response
        finally:
            # A request that failed must not leave threads waiting for the scheme.
            self._discovery.abandon()

    def find_credentials(self, path: str) -> FoundCredentials | None:
        """Return the credentials for a repository of the host, if there are any."""
        return self._keyring.find(self._registry, path)

    def _send(self, request: httpx.Request, path: str) -> httpx.Response:
        authorization = self._first_authorization(path)
        response = self._sender.send(authorized(request, authorization.header))
        for _ in range(_MAX_RENEWALS):
            if origin_of(response.url) != self._origin:
                return self._token_servers.authenticate_anonymously(request, response)
            renewed = self._renew(authorization, response, request, path)
            if renewed is None:
                return response
            authorization = renewed
            response = self._sender.send(authorized(request, authorization.header))
        return response

    def _first_authorization(self, path: str) -> Authorization:
        """Return the authorization of the first attempt: none if the scheme is unknown.

        Other threads then wait until ``send`` has ended.
        """
        scheme = self._discovery.wait_or_lead()
        if not isinstance(scheme, Bearer):
            return self._login(path) if isinstance(scheme, Basic) else NO_AUTHORIZATION
        try:
            return self._token(scheme, path)
        except (RegistryError, AccessRefusedError):
            if not scheme.is_remembered:
                raise
            # The remembered scheme may be outdated: the next response of the registry has its challenge.
            self._discovery.invalidate(scheme)
            return self._first_authorization(path)

    def _renew(
        self, authorization: Authorization, response: httpx.Response, request: httpx.Request, path: str
    ) -> Authorization | None:
        """Return the authorization of the next attempt; ``None`` if the response is final."""
        if response.is_success:
            self._note_open(response)
            return None
        challenge = choose_challenge(parse_challenges(response.headers.get_list("www-authenticate")))
        may_help = self._may_help(authorization, response, challenge)
        scheme = self._read_scheme(challenge, authorization, response, request) if may_help else None
        if scheme is None:
            self._note_open(response)
            return None
        self._discard(authorization)
        if self._discovery.resolve(scheme):
            self._memory.note(self._origin, scheme)
        if isinstance(scheme, Basic):
            login = self._login(path)
            return None if login is NO_AUTHORIZATION else login
        if isinstance(challenge, BearerChallenge) and challenge.scopes:
            self._scopes[path] = " ".join(challenge.scopes)
        return self._token(scheme, path)

    def _note_open(self, response: httpx.Response) -> None:
        """Record that a host of unknown scheme needs no credentials, unless the response is that of a busy server."""
        is_about_content = response.is_success or response.status_code == HTTPStatus.NOT_FOUND
        if self._discovery.resolve_if_unknown(Open()) and is_about_content:
            self._memory.note(self._origin, Open())

    def _may_help(self, authorization: Authorization, response: httpx.Response, challenge: ChosenChallenge) -> bool:
        """Return whether another authorization may succeed."""
        status, kind = response.status_code, authorization.kind
        if kind is AuthorizationKind.OWN_TOKEN:
            return False
        if kind is AuthorizationKind.LOGIN:
            return status == HTTPStatus.UNAUTHORIZED and self._is_basic_login_where_bearer_is_wanted(
                authorization, response, challenge
            )
        if authorization.token is not None and authorization.token.is_aged(self._clock.monotonic()):
            return status in _EXPIRY_STATUSES
        is_public_token = kind is AuthorizationKind.PUBLIC_TOKEN
        return status == HTTPStatus.UNAUTHORIZED or (is_public_token and status in _EXPIRY_STATUSES)

    def _is_basic_login_where_bearer_is_wanted(
        self, authorization: Authorization, response: httpx.Response, challenge: ChosenChallenge
    ) -> bool:
        """Return whether Basic credentials were refused only because a token is wanted; else record their refusal."""
        if authorization.found is None:
            return False
        if login_of(authorization.found.credentials) and isinstance(challenge, BearerChallenge):
            return True
        self._keyring.note_refusal(self._origin, authorization.found, response)
        return False

    def _discard(self, authorization: Authorization) -> None:
        if authorization.kind is AuthorizationKind.PUBLIC_TOKEN:
            self._is_public_token_refused = True
        if authorization.token is not None:
            self._cache_of(authorization.found).drop(authorization.scope, authorization.token)

    def _read_scheme(
        self, challenge: ChosenChallenge, authorization: Authorization, response: httpx.Response, request: httpx.Request
    ) -> Basic | Bearer | None:
        """Return the scheme of a challenge; without one, the known Bearer scheme of the host."""
        known = self._discovery.scheme
        if isinstance(challenge, BasicChallenge):
            return Basic()
        if isinstance(known, Bearer) and (challenge is None or authorization.token is not None):
            # NVIDIA's registry names another realm once a token has expired: the first one is kept.
            return known
        if challenge is None:
            return None
        return Bearer(
            registry=self._registry,
            realm=check_realm(challenge.realm, asked=response.url),
            service=challenge.service,
            takes_batches=self._takes_batches(challenge.service, response, request),
            knows_batches=request.method != "HEAD" or len(self._expected) > 1,
        )

    def _takes_batches(self, service: str, response: httpx.Response, request: httpx.Request) -> bool:
        """Return whether one token may cover many repositories, by the shape of the body of a refusal.

        The refusal of a ``HEAD`` has no body: with more than one repository the request is repeated by ``GET``.
        """
        if is_known_to_take_batches(service):
            return True
        if request.method == "HEAD" and len(self._expected) > 1:
            with suppress(RegistryError):
                response = self._sender.send(as_get(request))
        return is_written_by_distribution(response)

    def _login(self, path: str) -> Authorization:
        """Return the login for a repository, or no authorization if there is none."""
        found = self.find_credentials(path)
        login = None if found is None else login_of(found.credentials)
        if found is None or login is None:
            return NO_AUTHORIZATION
        refusal = self._keyring.find_refusal(self._origin, found)
        if refusal is not None:
            raise AccessRefusedError(refusal)
        return Authorization(AuthorizationKind.LOGIN, basic_authorization(login), found)

    def _token(self, scheme: Bearer, path: str) -> Authorization:
        found = self.find_credentials(path)
        if found is not None and isinstance(found.credentials, RegistryToken):
            return Authorization(AuthorizationKind.LOGIN, bearer_authorization(found.credentials.token), found)
        if scheme.public_token and found is None and not self._is_public_token_refused:
            return Authorization(AuthorizationKind.PUBLIC_TOKEN, bearer_authorization(scheme.public_token))
        if scheme.takes_batches:
            self._plan()
        scope, cache = self._scope_of(path), self._cache_of(found)

        def fetch(scopes: tuple[str, ...]) -> Token:
            return self._token_servers.fetch(scheme, scopes, found)

        if found is None:
            cache.prefetch(fetch, besides=scope)
        token, is_own = cache.get(scope, fetch)
        # With a login only after one success: Docker Hub locks accounts after a few failed logins.
        cache.prefetch(fetch, besides=scope)
        kind = AuthorizationKind.OWN_TOKEN if is_own else AuthorizationKind.SHARED_TOKEN
        return Authorization(kind, bearer_authorization(token.text), found, token, scope)

    def _plan(self) -> None:
        """Divide the scopes of all expected repositories into batches, separately for each login.

        Other threads wait meanwhile, although a credential helper may run: else they would fetch single tokens.
        """
        with self._plan_lock:
            by_credentials: defaultdict[FoundCredentials | None, list[str]] = defaultdict(list)
            for path in self._unplanned:
                by_credentials[self.find_credentials(path)].append(self._scope_of(path))
            self._unplanned.clear()
            for found, scopes in by_credentials.items():
                self._cache_of(found).plan(scopes)

    def _cache_of(self, found: FoundCredentials | None) -> TokenCache:
        """Return the token cache of one login: tokens are never shared between logins."""
        with self._lock:
            return self._caches.setdefault(found, TokenCache(self._clock))

    def _scope_of(self, path: str) -> str:
        return self._scopes.get(path) or pull_scope(path)

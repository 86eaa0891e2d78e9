"""Authenticate requests to one host: challenges, credentials and tokens, put together.

https://distribution.github.io/distribution/spec/auth/token/

Hosts that a registry redirected us to are authenticated anonymously: registry.k8s.io redirects to hosts that hand out
a token to anonymous clients. No credentials go there, not even such as are stored for that very host: the registry
chose it, not the user (CVE-2020-15157).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import field
from enum import Enum, auto
from threading import Lock

from imagelock.errors import RegistryError
from imagelock.model.frozen import frozen
from imagelock.registry.auth.challenges import (
    BasicChallenge,
    BearerChallenge,
    check_realm,
    choose_challenge,
    parse_challenges,
)
from imagelock.registry.auth.credentials import FoundCredentials, Keyring, RegistryToken, basic_authorization, login_of
from imagelock.registry.auth.schemes import (
    Access,
    AccessMemory,
    BasicAccess,
    BearerAccess,
    FirstContact,
    OpenAccess,
    find_well_known,
    takes_batches,
)
from imagelock.registry.auth.token_server import TokenExchange, bearer_authorization
from imagelock.registry.auth.tokens import AccessRefusedError, HeldToken, TokenStore, pull_scope
from imagelock.registry.http.messages import Request, Response
from imagelock.registry.http.sender import Delivery
from imagelock.registry.http.urls import Url
from imagelock.registry.locations import Endpoint
from imagelock.registry.refusals import is_written_by_distribution

_UNAUTHORIZED, _NOT_FOUND = 401, 404
_HINTS_OF_AGE = frozenset({400, _UNAUTHORIZED, 403})
"""ECR Public answers 400 to an expired token, Google's registries 403, both without a challenge."""

_CONTENT = re.compile(r"/v2/(.+)/(?:manifests|blobs|tags)/[^/]+", re.ASCII)


class PermitKind(Enum):
    """What was shown at the door."""

    NOTHING = auto()
    PUBLIC_TOKEN = auto()
    """The word that opens every public repository of a registry."""
    SHARED_TOKEN = auto()
    """A token of a batch, or one from before: it may lack this repository, or be too old."""
    OWN_TOKEN = auto()
    """A token fetched for this very request, after the registry said what it wants."""
    LOGIN = auto()
    """A user name and password, or a token that the user gave us."""


@frozen
class Permit:
    """One ``Authorization`` header and how we came by it."""

    kind: PermitKind
    authorization: str = field(default="", repr=False)
    found: FoundCredentials | None = None
    """The credentials behind it, if any."""
    held: HeldToken | None = None
    scope: str = ""
    """What the held token was fetched for."""


NO_PERMIT = Permit(PermitKind.NOTHING)

Challenged = BearerChallenge | BasicChallenge | None


class Authority:
    """Knows how one host wants to be asked, and holds what opens it. Thread-safe."""

    def __init__(self, endpoint: Endpoint, *, exchange: TokenExchange, keyring: Keyring, memory: AccessMemory) -> None:
        self._endpoint = endpoint
        self._exchange = exchange
        self._keyring = keyring
        self._memory = memory
        known = memory.find(endpoint.registry, endpoint.origin) or find_well_known(endpoint.registry, endpoint.origin)
        self._contact = FirstContact(known)
        self._tokens: dict[FoundCredentials | None, TokenStore] = {}
        self._tokens_lock = Lock()
        self._expected: dict[str, None] = {}
        self._scopes: dict[str, str] = {}
        self._is_public_token_refused = False

    @property
    def access(self) -> Access | None:
        """How the host wants to be asked, as far as it is known."""
        return self._contact.access

    def prepare(self, paths: Iterable[str]) -> None:
        """Hear which repositories will be asked about, so that one token can serve them."""
        self._expected.update(dict.fromkeys(paths))

    def permit_for(self, path: str) -> Permit:
        """Say what the first request for a repository should carry.

        Nothing to an unknown host: everybody else waits until the caller calls ``note_end_of_contact``.
        """
        access = self._contact.enter()
        if not isinstance(access, BearerAccess):
            return self._login_permit(path) if isinstance(access, BasicAccess) else NO_PERMIT
        try:
            return self._token_permit(access, path)
        except (RegistryError, AccessRefusedError):
            if not access.is_remembered:
                raise
            # What was remembered may be wrong: the registry itself will say what it wants.
            self._contact.doubt(access)
            return self.permit_for(path)

    def note_end_of_contact(self) -> None:
        """Let the next request be the first, if this one was and learned nothing."""
        self._contact.give_way()

    def permit_after(self, response: Response, permit: Permit, *, path: str) -> Permit | None:
        """Say what to come back with after a refusal; ``None`` if the answer is final."""
        challenge = choose_challenge(parse_challenges(response.headers.all("www-authenticate")))
        access = (
            self._read_access(challenge, response, permit) if self._may_be_helped(response, permit, challenge) else None
        )
        if access is None:
            if self._contact.settle_if_unknown(OpenAccess()) and _is_about_content(response):
                self._memory.note(self._endpoint.origin, OpenAccess())
            return None
        self._forget(permit)
        if self._contact.settle(access):
            self._memory.note(self._endpoint.origin, access)
        if isinstance(access, BasicAccess):
            login = self._login_permit(path)
            return None if login is NO_PERMIT else login
        if isinstance(challenge, BearerChallenge) and challenge.scopes:
            self._scopes[path] = " ".join(challenge.scopes)
        return self._token_permit(access, path)

    def find_credentials(self, path: str) -> FoundCredentials | None:
        """Return the credentials for a repository there."""
        return self._keyring.find(self._endpoint.registry, path)

    def _may_be_helped(self, response: Response, permit: Permit, challenge: Challenged) -> bool:
        if permit.kind is PermitKind.OWN_TOKEN:
            return False
        if permit.kind is PermitKind.LOGIN:
            return response.status == _UNAUTHORIZED and self._was_login_for_another_door(response, permit, challenge)
        if permit.held is not None and permit.held.is_aged(self._exchange.clock.monotonic()):
            return response.status in _HINTS_OF_AGE
        is_public_token = permit.kind is PermitKind.PUBLIC_TOKEN
        return response.status == _UNAUTHORIZED or (is_public_token and response.status in _HINTS_OF_AGE)

    def _was_login_for_another_door(self, response: Response, permit: Permit, challenge: Challenged) -> bool:
        """Tell a refused password from one that was sent where a token is wanted by now."""
        if permit.found is None:
            return False
        if login_of(permit.found.credentials) and isinstance(challenge, BearerChallenge):
            return True
        self._keyring.note_refusal(self._endpoint.origin, permit.found, response)
        return False

    def _forget(self, permit: Permit) -> None:
        if permit.kind is PermitKind.PUBLIC_TOKEN:
            self._is_public_token_refused = True
        if permit.held is not None:
            self._tokens_of(permit.found).drop(permit.scope, permit.held)

    def _read_access(
        self, challenge: Challenged, response: Response, permit: Permit
    ) -> BasicAccess | BearerAccess | None:
        """How the host wants to be asked; where it doesn't say, as it wanted before."""
        known = self._contact.access
        if isinstance(challenge, BasicChallenge):
            return BasicAccess()
        if isinstance(known, BearerAccess) and (challenge is None or permit.held is not None):
            # NVIDIA's registry names another realm once a token has expired: the first one stays.
            return known
        if challenge is None:
            return None
        return BearerAccess(
            registry=self._endpoint.registry,
            realm=check_realm(challenge.realm, asked=response.url),
            service=challenge.service,
            takes_batches=takes_batches(challenge.service) or is_written_by_distribution(response),
        )

    def _login_permit(self, path: str) -> Permit:
        """Return a login, sent without being asked once more; nothing where there is none of that kind."""
        found = self.find_credentials(path)
        login = None if found is None else login_of(found.credentials)
        if found is None or login is None:
            return NO_PERMIT
        refusal = self._keyring.find_refusal(self._endpoint.origin, found)
        if refusal is not None:
            raise AccessRefusedError(refusal)
        return Permit(PermitKind.LOGIN, basic_authorization(login), found)

    def _token_permit(self, access: BearerAccess, path: str) -> Permit:
        found = self.find_credentials(path)
        if found is not None and isinstance(found.credentials, RegistryToken):
            return Permit(PermitKind.LOGIN, bearer_authorization(found.credentials.token), found)
        if access.public_token and found is None and not self._is_public_token_refused:
            return Permit(PermitKind.PUBLIC_TOKEN, bearer_authorization(access.public_token))
        scope = self._scope_of(path)
        held, is_own = self._tokens_of(found).get(
            scope,
            others=self._scopes_beside(path, found) if access.takes_batches else (),
            fetch=lambda scopes: self._exchange.fetch(access, scopes, found),
        )
        kind = PermitKind.OWN_TOKEN if is_own else PermitKind.SHARED_TOKEN
        return Permit(kind, bearer_authorization(held.token.text), found, held, scope)

    def _tokens_of(self, found: FoundCredentials | None) -> TokenStore:
        """One store for each login: what one may see is no business of another."""
        with self._tokens_lock:
            return self._tokens.setdefault(found, TokenStore(self._exchange.clock))

    def _scopes_beside(self, path: str, found: FoundCredentials | None) -> Iterator[str]:
        """Return the scopes of other expected repositories that the same credentials open."""
        for other in tuple(self._expected):
            if other != path and self.find_credentials(other) == found:
                yield self._scope_of(other)

    def _scope_of(self, path: str) -> str:
        return self._scopes.get(path) or pull_scope(path)


def _is_about_content(response: Response) -> bool:
    """Whether an answer shows that no token is wanted, tomorrow as well: a busy server's shows nothing."""
    return response.is_success or response.status == _NOT_FOUND


def answer_as_nobody(request: Request, response: Response, *, delivery: Delivery, exchange: TokenExchange) -> Response:
    """Meet a stranger's challenge with a token for anybody, once; any other answer stays what it is."""
    challenge = choose_challenge(parse_challenges(response.headers.all("www-authenticate")))
    if response.status != _UNAUTHORIZED or not isinstance(challenge, BearerChallenge):
        return response
    realm = check_realm(challenge.realm, asked=response.url)
    access = BearerAccess(registry=request.registry, realm=realm, service=challenge.service)
    try:
        held = exchange.fetch(access, challenge.scopes or _scopes_of(response.url), None)
    except AccessRefusedError:
        return response
    return delivery.deliver(request.at(response.url).authorized(bearer_authorization(held.token.text)))


def _scopes_of(url: Url) -> tuple[str, ...]:
    """Make up what the challenge left out, as Google's hosts do: the repository is called otherwise there."""
    content = _CONTENT.fullmatch(url.path)
    return (pull_scope(content[1]),) if content else ()

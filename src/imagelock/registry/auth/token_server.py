"""Fetch tokens from token servers: with a login, with an identity token, or anonymously.

https://distribution.github.io/distribution/spec/auth/token/ and, for identity tokens,
https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from http import HTTPStatus

import httpx

from imagelock.errors import InvalidContentError, UnusableAnswerError
from imagelock.model.secrets import remember_secret
from imagelock.model.strict_json import parse_json_object
from imagelock.registry.auth.challenges import BearerChallenge, check_realm, choose_challenge, parse_challenges
from imagelock.registry.auth.credentials import FoundCredentials, IdentityToken, Keyring, login_of
from imagelock.registry.auth.schemes import Bearer
from imagelock.registry.auth.tokens import AccessRefusedError, Token, pull_scope
from imagelock.registry.http.addresses import Login, basic_authorization
from imagelock.registry.http.backoff import Clock
from imagelock.registry.http.messages import TOKEN_BYTES, Rules, as_refusal, at, authorized, make_request, rules_of
from imagelock.registry.http.sender import Sender
from imagelock.registry.http.urls import origin_of, with_query
from imagelock.registry.refusals import read_complaints

CLIENT_ID = "imagelock"
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
"""Any other character could end the header line and begin another one."""
_SHORTEST_SECRET = 8
"""Shorter tokens are not masked in output: a server could choose an ordinary word."""
_DEFAULT_LIFETIME_SECONDS = 60.0
_LONGEST_LIFETIME_SECONDS = 24 * 60 * 60.0
_USED_SHARE_OF_LIFETIME = 0.9
"""Tokens are not used in the last tenth of their lifetime, so that none expires in transit."""
_EXCHANGE_UNSUPPORTED = frozenset({400, HTTPStatus.UNAUTHORIZED, 404, 405})
_CONTENT = re.compile(r"/v2/(.+)/(?:manifests|blobs|tags)/[^/]+", re.ASCII)
_OTHER_ANSWER_HINT = "report it to the operator of this registry, unless a proxy or a sign-in page answered instead"
_DENIED = "DENIED"
"""GitHub's token server sends this code with a 401 about the package, not about the login."""


class TokenServers:
    """Fetches tokens, and never sends a token server credentials that it refused. Thread-safe."""

    def __init__(self, sender: Sender, *, clock: Clock, keyring: Keyring) -> None:
        self._sender = sender
        self._keyring = keyring
        self._clock = clock

    def fetch(self, scheme: Bearer, scopes: tuple[str, ...], found: FoundCredentials | None) -> Token:
        """Return a token for scopes; ``AccessRefusedError`` if the server refuses it, ``RegistryError`` if it fails."""
        origin = origin_of(scheme.realm)
        refusal = self._keyring.find_refusal(origin, found)
        if refusal is not None:
            raise AccessRefusedError(refusal)
        if found is not None and origin.host_and_port != scheme.registry:
            self._sender.trace(f"{origin} was named by {scheme.registry} and gets the credentials for it")
        try:
            return self._fetch(scheme, tuple(part for scope in scopes for part in scope.split()), found)
        except AccessRefusedError as error:
            if found is not None and _concerns_login(error.response):
                self._keyring.note_refusal(origin, found, error.response)
            raise

    def authenticate_anonymously(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """Return the response of a host that we were redirected to, after one try with an anonymous token.

        registry.k8s.io redirects to hosts that require an anonymous token. Credentials are never sent there, even if
        some are stored for that host: the registry chose it, not the user (CVE-2020-15157).
        """
        challenge = choose_challenge(parse_challenges(response.headers.get_list("www-authenticate")))
        if response.status_code != HTTPStatus.UNAUTHORIZED or not isinstance(challenge, BearerChallenge):
            return response
        realm = check_realm(challenge.realm, asked=response.url)
        scheme = Bearer(registry=rules_of(request).registry, realm=realm, service=challenge.service)
        try:
            token = self.fetch(scheme, challenge.scopes or _scopes_of(response.url), None)
        except AccessRefusedError:
            return response
        return self._sender.send(authorized(at(request, response.url), bearer_authorization(token.text)))

    def _fetch(self, scheme: Bearer, scopes: tuple[str, ...], found: FoundCredentials | None) -> Token:
        """Fetch a token; if the server does not exchange identity tokens, with the login stored beside it."""
        credentials = found.credentials if found else None
        login = login_of(credentials) if credentials else None
        if not isinstance(credentials, IdentityToken):
            return self._request_token(token_request(scheme, scopes, login))
        try:
            return self._request_token(exchange_request(scheme, scopes, credentials))
        except AccessRefusedError as error:
            if login is None or error.response.status_code not in _EXCHANGE_UNSUPPORTED:
                raise
        return self._request_token(token_request(scheme, scopes, login))

    def _request_token(self, request: httpx.Request) -> Token:
        return read_token(self._sender.send(request), now=self._clock.monotonic())


def token_request(scheme: Bearer, scopes: tuple[str, ...], login: Login | None) -> httpx.Request:
    """Return the ``GET`` request for a token, with a login or anonymous."""
    url = with_query(
        scheme.realm, [*_service(scheme), *(("scope", scope) for scope in scopes), ("client_id", CLIENT_ID)]
    )
    request = make_request(url, _rules(scheme))
    return authorized(request, basic_authorization(login)) if login else request


def exchange_request(scheme: Bearer, scopes: tuple[str, ...], identity: IdentityToken) -> httpx.Request:
    """Return the ``POST`` request that exchanges an identity token for a token."""
    remember_secret(identity.token)
    form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", identity.token),
        ("client_id", CLIENT_ID),
        *_service(scheme),
        ("scope", " ".join(scopes)),
    ]
    return make_request(scheme.realm, _rules(scheme), method="POST", form=form)


def read_token(response: httpx.Response, *, now: float) -> Token:
    """Return the token in a response, under either of its two names.

    ``now`` is in monotonic seconds: expiry does not depend on the server's clock. ``AccessRefusedError`` if the
    response is not a 2xx, or has an error in place of a token.
    """
    if not response.is_success:
        raise AccessRefusedError(response)
    what = f"the answer of the token server {origin_of(response.url)}"
    try:
        document = parse_json_object(response.content, what=what)
    except InvalidContentError as problem:
        details = [f"it said: {complaint}" for complaint in read_complaints(response)]
        raise UnusableAnswerError(problem.message, details=details, hint=_OTHER_ANSWER_HINT) from problem
    text = document.get("access_token") or document.get("token")
    if not text and read_complaints(response):
        # Azure's registries have sent `{"details": "incorrect username or password"}` with status 200.
        raise AccessRefusedError(as_refusal(response))
    if not isinstance(text, str) or not _VISIBLE.fullmatch(text):
        raise UnusableAnswerError(f"{what} has no usable token", hint=_OTHER_ANSWER_HINT)
    if len(text) >= _SHORTEST_SECRET:
        remember_secret(text)
    lifetime = document.get("expires_in")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float):
        lifetime = _DEFAULT_LIFETIME_SECONDS
    usable_seconds = min(max(_DEFAULT_LIFETIME_SECONDS, lifetime), _LONGEST_LIFETIME_SECONDS) * _USED_SHARE_OF_LIFETIME
    return Token(
        text=text, usable_seconds=usable_seconds, usable_until=now + usable_seconds, granted=_granted_scopes(text)
    )


def bearer_authorization(token: str) -> str:
    """Return the value of an ``Authorization`` header: https://www.rfc-editor.org/rfc/rfc6750#section-2.1."""
    if not _VISIBLE.fullmatch(token):
        raise UnusableAnswerError("a token has characters that are not allowed in a header", hint="log in again")
    if len(token) >= _SHORTEST_SECRET:
        remember_secret(token)
    return f"Bearer {token}"


def _scopes_of(url: httpx.URL) -> tuple[str, ...]:
    """Return the scopes that a challenge of Google's hosts leaves out, from the repository's path on that host."""
    content = _CONTENT.fullmatch(url.path)
    return (pull_scope(content[1]),) if content else ()


def _rules(scheme: Bearer) -> Rules:
    return Rules(registry=scheme.registry, max_body_bytes=TOKEN_BYTES, may_leave_origin=False)


def _service(scheme: Bearer) -> list[tuple[str, str]]:
    return [("service", scheme.service)] if scheme.service else []


def _granted_scopes(token: str) -> frozenset[str] | None:
    """Return the scopes in a JSON web token, unverified: they only save requests that would be refused."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return frozenset(
            f"{entry['type']}:{entry['name']}:pull" for entry in claims["access"] if "pull" in entry["actions"]
        )
    except (binascii.Error, ValueError, RecursionError, LookupError, TypeError):
        return None


def _concerns_login(response: httpx.Response) -> bool:
    if response.status_code != HTTPStatus.UNAUTHORIZED:
        return False
    return all(complaint.code != _DENIED for complaint in read_complaints(response))

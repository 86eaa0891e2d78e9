"""Fetch tokens from token servers: with a login, with an identity token, or anonymously.

https://distribution.github.io/distribution/spec/auth/token/ and, for identity tokens,
https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import replace
from urllib.parse import urlencode

from imagelock.errors import InvalidContentError
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.model.strict_json import parse_json_object
from imagelock.registry.auth.credentials import (
    FoundCredentials,
    IdentityToken,
    Keyring,
    Login,
    basic_authorization,
    login_of,
)
from imagelock.registry.auth.schemes import BearerAccess
from imagelock.registry.auth.tokens import AccessRefusedError, HeldToken, Token
from imagelock.registry.http.backoff import Clock
from imagelock.registry.http.messages import TOKEN_BYTES, Headers, Request, Response
from imagelock.registry.http.sender import Delivery
from imagelock.registry.http.urls import Url
from imagelock.registry.refusals import read_complaints

CLIENT_ID = "imagelock"
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
"""Anything else could end the header line and begin another one."""
_DEFAULT_LIFETIME_SECONDS = 60.0
_LONGEST_LIFETIME_SECONDS = 24 * 60 * 60.0
_USED_LIFE = 0.9
"""The part of a token's life in which it is used: it must not die on its way."""
_FORM = Headers((("content-type", "application/x-www-form-urlencoded"),))

_UNAUTHORIZED = 401
_EXCHANGES_NOTHING = frozenset({400, _UNAUTHORIZED, 404, 405})
_ABOUT_THE_IMAGE = "DENIED"
"""With this code GitHub's token server speaks of the package, not of the login."""


@frozen(kw_only=True)
class TokenQuestion:
    """What a token is wanted for, and from whom."""

    registry: RegistryName
    realm: Url
    service: str
    scopes: tuple[str, ...]
    credentials: Login | IdentityToken | None


def token_request(question: TokenQuestion) -> Request:
    """Ask for a token: ``GET`` with a login or with nothing, ``POST`` to exchange an identity token."""
    service = [("service", question.service)] if question.service else []
    match question.credentials:
        case IdentityToken(token=token):
            form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("client_id", CLIENT_ID),
                *service,
                ("scope", " ".join(question.scopes)),
            ]
            return Request(
                method="POST",
                url=question.realm,
                registry=question.registry,
                headers=_FORM,
                form=urlencode(form).encode(),
                max_body_bytes=TOKEN_BYTES,
                follows_redirects=False,
            )
        case credentials:
            scopes = [("scope", scope) for scope in question.scopes]
            return Request(
                url=question.realm.adding([*service, *scopes, ("client_id", CLIENT_ID)]),
                registry=question.registry,
                authorization=basic_authorization(credentials) if credentials else "",
                max_body_bytes=TOKEN_BYTES,
                follows_redirects=False,
            )


def read_token(response: Response) -> Token:
    """Read the answer; the token may stand under either of two names, and the server's clock is not ours."""
    if not response.is_success:
        raise AccessRefusedError(response)
    what = f"the answer of the token server {response.url.origin}"
    document = parse_json_object(response.body, what=what)
    text = document.get("access_token") or document.get("token")
    if not isinstance(text, str) or not _VISIBLE.fullmatch(text):
        raise InvalidContentError(f"{what} holds no usable token")
    lifetime = document.get("expires_in")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float):
        lifetime = _DEFAULT_LIFETIME_SECONDS
    return Token(
        text=text,
        usable_seconds=min(max(_DEFAULT_LIFETIME_SECONDS, lifetime), _LONGEST_LIFETIME_SECONDS) * _USED_LIFE,
        granted=_granted_scopes(text),
    )


def bearer_authorization(token: str) -> str:
    """Return the header of a token: https://www.rfc-editor.org/rfc/rfc6750#section-2.1."""
    if not _VISIBLE.fullmatch(token):
        raise InvalidContentError("a token has characters that no header may have", hint="log in again")
    return f"Bearer {token}"


def _granted_scopes(token: str) -> frozenset[str] | None:
    """Say what a JSON web token says it is for. Not verified: it only saves requests that would be refused."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return frozenset(
            f"{entry['type']}:{entry['name']}:pull" for entry in claims["access"] if "pull" in entry["actions"]
        )
    except (binascii.Error, ValueError, RecursionError, LookupError, TypeError):
        return None


class TokenExchange:
    """Asks token servers, and stops showing them what they refused. Thread-safe."""

    def __init__(self, delivery: Delivery, *, clock: Clock, keyring: Keyring) -> None:
        self._deliver = delivery.deliver
        self._say = delivery.say
        self._keyring = keyring
        self.clock = clock

    def fetch(self, access: BearerAccess, scopes: tuple[str, ...], found: FoundCredentials | None) -> HeldToken:
        """Get a token for scopes; ``AccessRefusedError`` if the server gives none."""
        refusal = self._keyring.find_refusal(access.realm.origin, found)
        if refusal is not None:
            raise AccessRefusedError(refusal)
        credentials = found.credentials if found else None
        question = TokenQuestion(
            registry=access.registry,
            realm=access.realm,
            service=access.service,
            scopes=tuple(part for scope in scopes for part in scope.split()),
            credentials=credentials if isinstance(credentials, Login | IdentityToken) else None,
        )
        if found is not None and access.realm.origin.host_and_port != access.registry:
            self._say(f"{access.realm.origin} was named by {access.registry} and gets the credentials for it")
        try:
            token = self._ask(question)
        except AccessRefusedError as error:
            if found is not None and _is_about_the_login(error.response):
                self._keyring.note_refusal(access.realm.origin, found, error.response)
            raise
        return HeldToken(token, usable_until=self.clock.monotonic() + token.usable_seconds)

    def _ask(self, question: TokenQuestion) -> Token:
        """Ask again with the login beside an identity token, where the server exchanges none."""
        try:
            return read_token(self._deliver(token_request(question)))
        except AccessRefusedError as error:
            is_exchange = isinstance(question.credentials, IdentityToken)
            login = login_of(question.credentials) if question.credentials and is_exchange else None
            if login is None or error.response.status not in _EXCHANGES_NOTHING:
                raise
        return read_token(self._deliver(token_request(replace(question, credentials=login))))


def _is_about_the_login(response: Response) -> bool:
    if response.status != _UNAUTHORIZED:
        return False
    return all(complaint.code != _ABOUT_THE_IMAGE for complaint in read_complaints(response))

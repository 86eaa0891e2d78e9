"""Exchange credentials for a token, over whatever delivers requests."""

from __future__ import annotations

from dataclasses import replace

from imagelock.registry.auth.access import BearerAccess
from imagelock.registry.auth.credentials import FoundCredentials, IdentityToken, Login, login_of
from imagelock.registry.auth.keyring import Keyring
from imagelock.registry.auth.permits import HeldToken
from imagelock.registry.auth.tokens import AccessRefusedError, Token, TokenQuestion, read_token, token_request
from imagelock.registry.http.clock import Clock
from imagelock.registry.http.delivery import Delivery
from imagelock.registry.http.error_bodies import read_complaints
from imagelock.registry.http.messages import Response

_UNAUTHORIZED = 401
_EXCHANGES_NOTHING = frozenset({400, _UNAUTHORIZED, 404, 405})
_ABOUT_THE_IMAGE = "DENIED"
"""With this code GitHub's token server speaks of the package, not of the login."""


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

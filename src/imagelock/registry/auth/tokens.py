"""Tokens: questions to a token server, and its answers.

https://distribution.github.io/distribution/spec/auth/token/ and, for identity tokens,
https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import field
from urllib.parse import urlencode

from imagelock.errors import InvalidContentError
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.model.strict_json import parse_json_object
from imagelock.registry.auth.credentials import IdentityToken, Login
from imagelock.registry.http import limits
from imagelock.registry.http.messages import Headers, Request, Response
from imagelock.registry.http.urls import Url

CLIENT_ID = "imagelock"
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
"""Anything else could end the header line and begin another one."""
_DEFAULT_LIFETIME_SECONDS = 60.0
_LONGEST_LIFETIME_SECONDS = 24 * 60 * 60.0
_USED_LIFE = 0.9
"""The part of a token's life in which it is used: it must not die on its way."""
_FORM = Headers((("content-type", "application/x-www-form-urlencoded"),))


@frozen(kw_only=True)
class TokenQuestion:
    """What a token is wanted for, and from whom."""

    registry: RegistryName
    realm: Url
    service: str
    scopes: tuple[str, ...]
    credentials: Login | IdentityToken | None


@frozen(kw_only=True)
class Token:
    """A token, and how long it may be used after it came."""

    text: str = field(repr=False)
    usable_seconds: float
    granted: frozenset[str] | None
    """The scopes that it says it is for; ``None`` where it can't be read, which is its right."""


class AccessRefusedError(Exception):
    """A registry or its token server takes no credentials of ours; the answer says why."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


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
                max_body_bytes=limits.TOKEN_BYTES,
                follows_redirects=False,
            )
        case credentials:
            scopes = [("scope", scope) for scope in question.scopes]
            return Request(
                url=question.realm.adding([*service, *scopes, ("client_id", CLIENT_ID)]),
                registry=question.registry,
                authorization=basic_authorization(credentials) if credentials else "",
                max_body_bytes=limits.TOKEN_BYTES,
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


def basic_authorization(login: Login) -> str:
    """Return the header of a user name and a password: https://www.rfc-editor.org/rfc/rfc7617."""
    return f"Basic {base64.b64encode(f'{login.username}:{login.password}'.encode()).decode()}"


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

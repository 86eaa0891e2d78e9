"""The tokens that distribution's registries believe, and the policy that hands them out.

https://distribution.github.io/distribution/spec/auth/jwt/
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from tests.support.certificates import KeyPair
from tests.support.credentials import Login

ISSUER = "imagelock tests"
SERVICE = "registry.tests"
LIFETIME_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """Who gets a token, and who signs it."""

    signer: KeyPair
    login: Login
    anonymous_pull: bool
    """Whether one without credentials may pull; pushing always takes the login."""
    takes_batches: bool = True
    """Else a token is for the last of the scopes that were asked for, as older GitLabs have it."""

    def allows(self, authorization: str) -> bool:
        """Whether to answer at all. A wrong login is refused even where none is needed."""
        return authorization == self.login.basic or (self.anonymous_pull and not authorization)

    def token(self, scopes: tuple[str, ...], *, authorization: str) -> str:
        """A signed token for what was asked, reduced to pulling without the login."""
        may_push = authorization == self.login.basic
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": self.login.username if may_push else "",
            "aud": SERVICE,
            "exp": now + LIFETIME_SECONDS,
            "nbf": now - 1,
            "iat": now,
            "jti": uuid4().hex,
            "access": [_access(scope, may_push=may_push) for scope in (scopes if self.takes_batches else scopes[-1:])],
        }
        return _signed(claims, self.signer)


def _access(scope: str, *, may_push: bool) -> dict[str, object]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    granted = [action for action in actions.split(",") if may_push or action == "pull"]
    return {"type": kind, "name": name, "actions": granted}


def _signed(claims: dict[str, object], signer: KeyPair) -> str:
    certificate = base64.b64encode(signer.certificate.public_bytes(serialization.Encoding.DER)).decode()
    header = {"typ": "JWT", "alg": "RS256", "x5c": [certificate]}
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
    signature = signer.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_base64url(signature)}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

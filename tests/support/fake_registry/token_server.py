"""A token server that says which scopes it was asked for, and grants what it likes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qs

from tests.support.fake_registry.answers import Answer, json_answer, refusal
from tests.support.fake_registry.messages import Request

_numbers = count(1)


@dataclass(slots=True, kw_only=True)
class FakeTokenServer:
    """Hands out tokens at any path of its host."""

    login: str = ""
    """``user:password`` without which there is no token; empty to serve everybody."""
    identity_token: str = ""
    writes_claims: bool = True
    """Tokens say what they are for, as JSON web tokens do."""
    grants: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda scopes: scopes
    """What of the wanted scopes a token is for."""
    lifetime_seconds: int | None = 300
    issued: dict[str, frozenset[str]] = field(default_factory=dict)
    questions: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        fields = parse_qs(request.form.decode() or request.url.query)
        scopes = tuple(scope for value in fields.get("scope", ()) for scope in value.split(" "))
        self.questions.append(scopes)
        if not self._knows(request, fields):
            return refusal(401, "UNAUTHORIZED", "incorrect username or password")
        granted = self.grants(scopes)
        token = self._token(granted)
        self.issued[token] = frozenset(granted)
        answer: dict[str, object] = {"token": token}
        if self.lifetime_seconds is not None:
            answer["expires_in"] = self.lifetime_seconds
        return json_answer(answer)

    def _knows(self, request: Request, fields: dict[str, list[str]]) -> bool:
        if self.identity_token and fields.get("refresh_token") == [self.identity_token]:
            return True
        expected = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        return not self.login or request.authorization == expected

    def _token(self, granted: tuple[str, ...]) -> str:
        number = next(_numbers)
        if not self.writes_claims:
            return f"opaque-{number}"
        access = [
            {"type": kind, "name": name, "actions": actions.split(",")}
            for kind, name, actions in (scope.split(":") for scope in granted if scope.count(":") == 2)
        ]
        claims = base64.urlsafe_b64encode(json.dumps({"access": access, "jti": number}).encode())
        return f"e30.{claims.decode().rstrip('=')}.signature"

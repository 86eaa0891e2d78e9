"""What is said between us and a ``docker-credential-NAME`` program.

https://github.com/docker/docker-credential-helpers#development
"""

from __future__ import annotations

import json
import re

from imagelock.errors import AuthenticationError
from imagelock.registry.auth.credentials import IDENTITY_TOKEN_USER, Credentials, IdentityToken, Login

_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NOTHING_FOUND = "credentials not found in native keychain"


def helper_program(helper: str) -> str:
    """Return the program's name; a helper's name with a slash or a dot could start any program."""
    if not _NAME.fullmatch(helper):
        raise AuthenticationError(
            f"{helper!r} can't be the name of a credential helper",
            hint="a name has letters, digits, `_` and `-` only: look at credHelpers and credsStore in config.json",
        )
    return f"docker-credential-{helper}"


def read_helper_answer(output: bytes, *, program: str, has_failed: bool) -> Credentials | None:
    """Read what the helper printed: ``None`` if it has nothing; its output is never shown, it may be a secret."""
    if has_failed:
        if output.decode("utf-8", "replace").strip() == _NOTHING_FOUND:
            return None
        raise AuthenticationError(f"the credential helper {program} failed", hint=_hint(program))
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError) as error:
        raise AuthenticationError(f"the credential helper {program} printed no JSON", hint=_hint(program)) from error
    fields = answer if isinstance(answer, dict) else {}
    username, secret = fields.get("Username"), fields.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str):
        raise AuthenticationError(
            f"the credential helper {program} printed no user name and secret", hint=_hint(program)
        )
    if not secret:
        return None
    return IdentityToken(secret) if username == IDENTITY_TOKEN_USER else Login(username, secret)


def _hint(program: str) -> str:
    return f"try it by hand: `echo REGISTRY | {program} get`"

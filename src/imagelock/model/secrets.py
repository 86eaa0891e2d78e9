"""Mask the passwords and tokens of a run in output: a server may repeat them in anything that it sends.

A process has one set of secrets, filled where credentials are read or received, and applied to all printed text.
"""

from __future__ import annotations

import re
from functools import cache

_MASK = "***"
_SHORTEST = 3
"""Shorter secrets are not masked: they occur by chance, and masking them would hide the message."""
_SHORTEST_IN_DATA = 6
"""The same in data for scripts, where a password may be the name of a tag or an image."""
_LONG = 16
"""Longer secrets are masked within words as well: they never occur by chance."""
_SHORTEST_BEGINNING = 8
"""The shortest beginning of a secret to mask at the end of a text that was cut."""
_USER_INFO = r"(?<![\w.-])([\w.~%+-]+):[^\s/:'\"`,()]+@(?!sha256\b|sha512\b|digest\b|DIGEST\b)(?=[\w\[])"
_URL_USER_INFO = r"(://)[^\s/?#'\"`]*@"
_known: set[str] = set()
"""Every encoded form of every secret."""


def remember_secret(text: str) -> None:
    """Mask this text from now on, also in base64, in URLs and in JSON."""
    if len(text) >= _SHORTEST and text not in _known:
        _known.update(_forms(text))
        _pattern.cache_clear()


def remember_login(username: str, password: str) -> None:
    """Mask a password from now on, alone and with its user name as HTTP sends it."""
    from base64 import b64encode  # noqa: PLC0415  most runs have no login

    pair = f"{username}:{password}"
    # A server may encode the whole header again. It comes first: a form of a known secret is not added.
    remember_secret(b64encode(pair.encode("utf-8", "surrogateescape")).decode())
    remember_secret(pair)
    remember_secret(password)


def forget_secrets() -> None:
    """Forget all secrets, for a new run in the same process."""
    _known.clear()
    _pattern.cache_clear()


def mask_secrets(text: str, *, is_data: bool = False) -> str:
    """Return the text with every secret, and the beginning of one at its end, replaced by ``***``.

    In data for scripts, secrets as short as usual names are kept.
    """
    pattern = _pattern(_SHORTEST_IN_DATA if is_data else _SHORTEST)
    if pattern is None:
        return text
    masked = pattern.sub(_MASK, text)
    cut = max(_overlap(masked, secret) for secret in _known)
    return f"{masked[:-cut]}{_MASK}" if cut else masked


def mask_user_info(text: str) -> str:
    """Return the text with the password in ``user:password@host`` masked; ``repository:tag@sha256:…`` is kept."""
    if "@" not in text:
        return text
    return re.sub(_USER_INFO, rf"\1:{_MASK}@", re.sub(_URL_USER_INFO, rf"\1{_MASK}@", text))


@cache
def _pattern(shortest: int) -> re.Pattern[str] | None:
    secrets = sorted((each for each in _known if len(each) >= shortest), key=lambda each: (-len(each), each))
    if not secrets:
        return None
    return re.compile("|".join(map(_expression, secrets)), re.IGNORECASE)


def _expression(secret: str) -> str:
    """Return an expression for a secret; a short word matches only as a whole word."""
    expression = re.escape(secret)
    return rf"(?<!\w){expression}(?!\w)" if secret.isalnum() and len(secret) < _LONG else expression


def _overlap(text: str, secret: str) -> int:
    """Return the number of characters at the end of the text that begin the secret."""
    for length in range(min(len(secret) - 1, len(text)), _SHORTEST_BEGINNING - 1, -1):
        if text.endswith(secret[:length]):
            return length
    return 0


def _forms(text: str) -> set[str]:
    """Return the secret as it is, in a URL, in JSON, and in base64 of any text that contains it."""
    from urllib.parse import quote, quote_plus  # noqa: PLC0415  most runs have no secret

    raw = text.encode("utf-8", "surrogateescape")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return {text, escaped, quote(raw, safe=""), quote_plus(raw), *_base64(raw)}


def _base64(raw: bytes) -> set[str]:
    """Return the characters of base64 that depend on these bytes alone, for each of three alignments."""
    from base64 import b64encode, urlsafe_b64encode  # noqa: PLC0415  most runs have no secret

    found = set()
    for encode in (b64encode, urlsafe_b64encode):
        found |= {encode(raw).decode(), encode(raw).decode().rstrip("=")}
        for offset, first in ((0, 0), (1, 2), (2, 3)):
            inner = encode(bytes(offset) + raw).decode()[first : (offset + len(raw)) * 8 // 6]
            if len(inner) >= _SHORTEST_BEGINNING:
                found.add(inner)
    return found

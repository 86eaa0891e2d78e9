"""What must never be printed: passwords and tokens of this run, which a server may repeat in whatever it sends.

A process has one set of them, filled where credentials are read or received, and asked wherever text goes to a person.
"""

from __future__ import annotations

import re
from functools import cache

_MASK = "***"
_SHORTEST = 3
"""Shorter words are found everywhere: masking them would hide the message."""
_SHORTEST_IN_DATA = 6
"""Of a password that may be a tag's or an image's name by chance: what scripts read must not change for it."""
_LONG = 16
"""No word is so long by chance."""
_SHORTEST_BEGINNING = 8
"""Of a secret whose end was cut off with the text that had it."""
_USER_INFO = r"(?<![\w.-])([\w.~%+-]+):[^\s/:'\"`,()]+@(?!sha256\b|sha512\b|digest\b|DIGEST\b)(?=[\w\[])"
_URL_USER_INFO = r"(://)[^\s/?#'\"`]*@"
_known: set[str] = set()
"""Every form of every secret."""


def remember_secret(text: str) -> None:
    """Mask this text from now on, also where it is in base64, in a URL or in JSON."""
    if len(text) >= _SHORTEST and text not in _known:
        _known.update(_forms(text))
        _pattern.cache_clear()


def remember_login(username: str, password: str) -> None:
    """Mask a password, alone and together with its user name, as HTTP sends it."""
    from base64 import b64encode  # noqa: PLC0415  most runs have no login

    pair = f"{username}:{password}"
    # A server may encode the whole header once more. First: what is a form of another secret already is not added.
    remember_secret(b64encode(pair.encode("utf-8", "surrogateescape")).decode())
    remember_secret(pair)
    remember_secret(password)


def forget_secrets() -> None:
    """Begin a new run in this process."""
    _known.clear()
    _pattern.cache_clear()


def mask_secrets(text: str, *, is_data: bool = False) -> str:
    """Replace every secret of this run in a text, and the beginning of one at its end, by ``***``.

    In data for scripts, words that are no longer than usual names stay.
    """
    pattern = _pattern(_SHORTEST_IN_DATA if is_data else _SHORTEST)
    if pattern is None:
        return text
    masked = pattern.sub(_MASK, text)
    cut = max(_overlap(masked, secret) for secret in _known)
    return f"{masked[:-cut]}{_MASK}" if cut else masked


def mask_user_info(text: str) -> str:
    """Replace what a person wrote as ``user:password@host``; ``repository:tag@sha256:…`` stays."""
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
    """Match a word only as a whole word: a password may be a part of many others."""
    expression = re.escape(secret)
    return rf"(?<!\w){expression}(?!\w)" if secret.isalnum() and len(secret) < _LONG else expression


def _overlap(text: str, secret: str) -> int:
    """Return how many characters at the end of the text are the beginning of the secret."""
    for length in range(min(len(secret) - 1, len(text)), _SHORTEST_BEGINNING - 1, -1):
        if text.endswith(secret[:length]):
            return length
    return 0


def _forms(text: str) -> set[str]:
    """Return what a secret looks like as it is, in a URL, in JSON, and in base64 of anything that contains it."""
    from urllib.parse import quote, quote_plus  # noqa: PLC0415  most runs have no secret

    raw = text.encode("utf-8", "surrogateescape")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return {text, escaped, quote(raw, safe=""), quote_plus(raw), *_base64(raw)}


def _base64(raw: bytes) -> set[str]:
    """Return the characters that base64 makes of these bytes alone, for each of the three places they may begin at."""
    from base64 import b64encode, urlsafe_b64encode  # noqa: PLC0415  most runs have no secret

    found = set()
    for encode in (b64encode, urlsafe_b64encode):
        found |= {encode(raw).decode(), encode(raw).decode().rstrip("=")}
        for offset, first in ((0, 0), (1, 2), (2, 3)):
            inner = encode(bytes(offset) + raw).decode()[first : (offset + len(raw)) * 8 // 6]
            if len(inner) >= _SHORTEST_BEGINNING:
                found.add(inner)
    return found

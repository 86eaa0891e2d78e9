"""Digests: the names that content can't change under.

https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, Self

from imagelock.errors import InvalidDigestError
from imagelock.model.frozen import frozen

_HEX_LENGTHS = {"sha256": 64, "sha512": 128}
_ANY_DIGEST = re.compile(r"([A-Za-z0-9+._-]+):([0-9A-Za-z=_-]*)", re.ASCII)
_HEX = re.compile(r"[0-9a-f]*", re.ASCII)
SHORT_HEX_LENGTH = 12
"""Digits of a digest on a screen, as Docker prints them. Files and JSON hold all of them."""


@frozen
class Digest:
    """``sha256:`` or ``sha512:`` and the lower-case hexadecimal hash of some bytes."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a digest; ``InvalidDigestError`` says which of algorithm, length and digits is wrong."""
        match = _ANY_DIGEST.fullmatch(text)
        if match is None:
            raise InvalidDigestError(f"`{text}` is not a digest: it must be `sha256:` and 64 hexadecimal digits")
        algorithm, digits = match.groups()
        wanted = _HEX_LENGTHS.get(algorithm)
        if wanted is None:
            raise InvalidDigestError(f"unsupported digest algorithm `{algorithm}`: it must be sha256 or sha512")
        if len(digits) != wanted:
            raise InvalidDigestError(
                f"a {algorithm} digest has {wanted} hexadecimal digits, `{text}` has {len(digits)}"
            )
        if _HEX.fullmatch(digits) is None:
            raise InvalidDigestError(f"the digits of a digest are 0-9 and lower-case a-f, not as in `{text}`")
        return cls(algorithm, digits)

    @classmethod
    def of(cls, content: bytes, *, algorithm: str = "sha256") -> Self:
        """Hash content. The digest that a lock records always comes from here, never from a header."""
        import hashlib  # noqa: PLC0415  OpenSSL takes 6 ms to load, and who only compares digests doesn't hash

        return cls(algorithm, hashlib.new(algorithm, content, usedforsecurity=False).hexdigest())

    @property
    def short(self) -> str:
        """The first 12 hexadecimal digits, for a screen."""
        return self.hex[:SHORT_HEX_LENGTH]

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def sha256_hex(content: bytes) -> str:
    """Return the 64 hexadecimal digits of SHA-256 over a short text, without the 6 ms in which OpenSSL loads."""
    return str(_find_sha256()(content).hexdigest())


@cache
def _find_sha256() -> Callable[[bytes], Any]:
    """Return CPython's own implementation, in `_sha2` (since 3.12) or `_sha256`; elsewhere that of hashlib."""
    for name in ("_sha2", "_sha256", "hashlib"):
        with suppress(ImportError):
            found: Callable[[bytes], Any] = import_module(name).sha256
            break
    return found

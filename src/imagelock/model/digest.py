"""Digests, which identify content by its hash.

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
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_ANY_DIGEST = r"([A-Za-z0-9+._-]+):([0-9A-Za-z=_-]*)"
SHORT_HEX_LENGTH = 12
"""The number of digits in output for people, as Docker prints them. Files and JSON have all digits."""


@frozen
class Digest:
    """``sha256:`` or ``sha512:`` and the lower-case hexadecimal hash of some bytes."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a digest; ``InvalidDigestError`` names the wrong part: algorithm, length or digits."""
        algorithm, _, digits = text.partition(":")
        if len(digits) != _HEX_LENGTHS.get(algorithm) or _HEX.fullmatch(digits) is None:
            raise InvalidDigestError(_describe_problem(text))
        return cls(algorithm, digits)

    @classmethod
    def of(cls, content: bytes, *, algorithm: str = "sha256") -> Self:
        """Return the digest of content. Every digest in a lock is computed here, never taken from a header."""
        import hashlib  # noqa: PLC0415  OpenSSL takes 6 ms to load, and comparing digests needs no hash

        return cls(algorithm, hashlib.new(algorithm, content, usedforsecurity=False).hexdigest())

    @property
    def short(self) -> str:
        """The first 12 hexadecimal digits, for output."""
        return self.hex[:SHORT_HEX_LENGTH]

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def _describe_problem(text: str) -> str:
    match = re.fullmatch(_ANY_DIGEST, text, re.ASCII)
    if match is None:
        return f"`{text}` is not a digest: it must be `sha256:` and 64 hexadecimal digits"
    algorithm, digits = match.groups()
    wanted = _HEX_LENGTHS.get(algorithm)
    if wanted is None:
        return f"unsupported digest algorithm `{algorithm}`: it must be sha256 or sha512"
    if len(digits) != wanted:
        return f"a {algorithm} digest has {wanted} hexadecimal digits, `{text}` has {len(digits)}"
    return f"the digits of a digest are 0-9 and lower-case a-f, not as in `{text}`"


def sha256_hex(content: bytes) -> str:
    """Return the 64 hexadecimal digits of the SHA-256 of a short text, without loading OpenSSL, which takes 6 ms."""
    return str(_find_sha256()(content).hexdigest())


@cache
def _find_sha256() -> Callable[[bytes], Any]:
    """Return CPython's own implementation in `_sha2` (since 3.12) or `_sha256`, or else that of hashlib."""
    for name in ("_sha2", "_sha256", "hashlib"):
        with suppress(ImportError):
            found: Callable[[bytes], Any] = import_module(name).sha256
            break
    return found

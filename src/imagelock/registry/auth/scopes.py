"""Scopes: what a token is for, and how many one token may cover.

https://distribution.github.io/distribution/spec/auth/scope/
"""

from __future__ import annotations

from collections.abc import Iterable

_MAX_TOKEN_BYTES = 5_000
"""Proxies in front of registries refuse header lines above 8 KiB, and a token lists what it is for."""
_TOKEN_BYTES_OF_ENTRY = 75
"""Of ``{"type":"repository","name":"","actions":["pull"]}`` in base64, and a little."""


def pull_scope(path: str) -> str:
    """Return the scope that reading a repository needs."""
    return f"repository:{path}:pull"


def batch_scopes(first: str, others: Iterable[str]) -> tuple[str, ...]:
    """Return the first scope and as many others as a token's size allows, each once."""
    batch, size = [first], _token_bytes(first)
    for scope in dict.fromkeys(others):
        size += _token_bytes(scope)
        if size > _MAX_TOKEN_BYTES:
            break
        if scope != first:
            batch.append(scope)
    return tuple(batch)


def _token_bytes(scope: str) -> int:
    return _TOKEN_BYTES_OF_ENTRY + len(scope) * 4 // 3

"""Read bodies with a limit on what comes out, not on what comes in: a kilobyte of gzip can hold a megabyte of zeros."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

from imagelock.registry.http import limits
from imagelock.registry.http.failures import FailureKind, TransportFailure
from imagelock.registry.http.messages import SUCCESS, Headers

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_PIECE_BYTES = 64 * 1024


def read_body(chunks: Iterable[bytes], *, status: int, headers: Headers, max_bytes: int) -> bytes:
    """Decode and join a body. A success above the limit is a ``TransportFailure``; a refusal is cut there."""
    is_success = status in SUCCESS
    limit = max_bytes if is_success else limits.ERROR_BYTES
    declared = headers.get("content-length")
    if is_success and _LENGTH.fullmatch(declared) and int(declared) > limit:
        raise _too_large(f"{declared} bytes are announced", limit)
    body = bytearray()
    for piece in _decoded(chunks, headers.get("content-encoding").lower()):
        body += piece
        if len(body) > limit:
            if is_success:
                raise _too_large("the end is not in sight", limit)
            return bytes(body[:limit])
    return bytes(body)


def _decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """We ask for no encoding; some registries compress all the same, and digests are those of what was compressed."""
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in _ENCODINGS:
        raise TransportFailure(FailureKind.BROKEN, "the body has an encoding that nobody asked for")
    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for chunk in chunks:
            yield decoder.decompress(chunk, _PIECE_BYTES)
            while decoder.unconsumed_tail:
                yield decoder.decompress(decoder.unconsumed_tail, _PIECE_BYTES)
        yield decoder.flush()
    except zlib.error as error:
        raise TransportFailure(FailureKind.BROKEN, "the compressed body can't be read") from error
    if not decoder.eof:
        raise TransportFailure(FailureKind.BROKEN, "the compressed body is not complete")


def _too_large(what: str, limit: int) -> TransportFailure:
    return TransportFailure(FailureKind.TOO_LARGE, f"{what}, the limit is {limit}")

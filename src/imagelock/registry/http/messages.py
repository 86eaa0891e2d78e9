"""Requests and responses as values, and how many bytes a server may make us read.

Each limit is one that working registries stay far below. Bodies are limited after decoding: a kilobyte of gzip can hold
a megabyte of zeros.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from typing import Self

from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.connections import FailureKind, TransportFailure
from imagelock.registry.http.urls import Url

MANIFEST_BYTES = 4 * 1024 * 1024
"""What registries must accept at least, and what containers/image and oras read at most."""
CONFIG_BYTES = 8 * 1024 * 1024
TAGS_PAGE_BYTES = 8 * 1024 * 1024
TAG_LIST_BYTES = 256 * 1024 * 1024
"""All pages together: ten thousand of them could still be more than any memory holds."""
TOKEN_BYTES = 128 * 1024
ERROR_BYTES = 64 * 1024
TAGS_PAGES = 10_000
TAGS_PER_PAGE = 1000
"""ECR and distribution answer an error to more."""
REDIRECTS = 5
SILENCE_SECONDS = 30.0
"""Until the next byte."""
SLOW_SILENCE_SECONDS = 60.0
"""The same for what some registries compute anew for each question: Artifactory's lists of tags."""

SUCCESS = range(200, 300)

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_PIECE_BYTES = 64 * 1024


@frozen
class Headers:
    """Header lines in their order, names in lower case; one name may stand on several lines."""

    lines: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, lines: Iterable[tuple[str, str]]) -> Self:
        """Lower the names, strip the values."""
        return cls(tuple((name.lower(), value.strip()) for name, value in lines))

    def all(self, name: str) -> tuple[str, ...]:
        """Every line of that name: challenges and links come on several."""
        return tuple(value for key, value in self.lines if key == name)

    def get(self, name: str) -> str:
        """Return the first line of that name, or nothing."""
        return next(iter(self.all(name)), "")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.lines)


@frozen(kw_only=True)
class Request:
    """One question to one server."""

    url: Url
    registry: RegistryName
    """On whose behalf: certificates that are declared for a registry count for its token server, too."""
    method: str = "GET"
    headers: Headers = Headers()
    authorization: str = field(default="", repr=False)
    """The one secret of a request, apart from the rest so that it can't slip into a trace or across an origin."""
    form: bytes = field(default=b"", repr=False)
    max_body_bytes: int
    """Of a success, decoded; a longer body is an error, not a long wait."""
    max_silence_seconds: float = SILENCE_SECONDS
    follows_redirects: bool = True
    """A token server has no business sending us elsewhere."""

    @property
    def origin(self) -> Origin:
        """Where it goes."""
        return self.url.origin

    def authorized(self, authorization: str) -> Request:
        """Return the same question with credentials."""
        return replace(self, authorization=authorization)

    def at(self, url: Url) -> Request:
        """Ask the same elsewhere; across an origin without credentials."""
        return replace(self, url=url, authorization=self.authorization if url.origin == self.origin else "")

    def __str__(self) -> str:
        return f"{self.method} {self.url.shown}"


@frozen(kw_only=True)
class Response:
    """What a server said: to a success the whole body, to anything else the beginning of it."""

    status: int
    headers: Headers = Headers()
    body: bytes = field(default=b"", repr=False)
    url: Url
    """Where it came from, which after a redirect isn't where one asked."""

    @property
    def is_success(self) -> bool:
        """Any 2xx."""
        return self.status in SUCCESS

    @property
    def content_type(self) -> str:
        """Lower case, without parameters."""
        return self.headers.get("content-type").partition(";")[0].strip().lower()


def read_body(chunks: Iterable[bytes], *, status: int, headers: Headers, max_bytes: int) -> bytes:
    """Decode and join a body. A success above the limit is a ``TransportFailure``; a refusal is cut there."""
    is_success = status in SUCCESS
    limit = max_bytes if is_success else ERROR_BYTES
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

"""Make and change ``httpx.Request``s, follow redirects, and read heads and bodies of responses up to a limit.

Requests are made by ``make_request`` alone, and changed by ``at``, ``authorized`` and ``as_get`` alone. Registries stay
far below each limit. Bodies are limited after decoding: a kilobyte of gzip can hold a megabyte of zeros.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from urllib.parse import urlencode

import httpx

from imagelock import __version__
from imagelock.errors import UnusableAnswerError
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.registry.http import FailureKind, TransportFailure
from imagelock.registry.http.addresses import InvalidUrlError
from imagelock.registry.http.urls import find_objection, join_url, origin_of, shown

MANIFEST_BYTES = 4 * 1024 * 1024
"""The size that registries must accept at least, and that containers/image and oras read at most."""
CONFIG_BYTES = 8 * 1024 * 1024
TAGS_PAGE_BYTES = 8 * 1024 * 1024
TAG_LIST_BYTES = 256 * 1024 * 1024
"""Of all pages together: ten thousand pages could still exceed the memory."""
TOKEN_BYTES = 128 * 1024
ERROR_BYTES = 64 * 1024
TAGS_PAGES = 10_000
TAGS_PER_PAGE = 1000
"""ECR and distribution refuse a larger page size."""
STREAM_BYTES_PER_SECOND = 64 * 1024
"""The slowest transfer that is waited for: a streamed body gets more time by its size."""
OPERATOR_HINT = "report it to the operator of this registry"
_MAX_REDIRECTS = 5
SILENCE_SECONDS = 30.0
"""The longest wait for the next byte."""
SLOW_SILENCE_SECONDS = 60.0
"""The same for responses that some registries compute for each request: Artifactory's lists of tags."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RULES = "rules"
_SENT_STATUS = "sent_status"
_EVERY_REQUEST = (
    ("User-Agent", f"imagelock/{__version__}"),
    # Digests are those of the plain bytes.
    ("Accept-Encoding", "identity"),
)
_FORM_TYPE = ("Content-Type", "application/x-www-form-urlencoded")
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_BLANKS_BEFORE_STATUS = re.compile(rb"^(HTTP/[0-9.]+)[ \t]{2,}")
_BLANK_BEFORE_COLON = re.compile(rb"^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]+:", re.MULTILINE)
# A name with a blank, a parenthesis or the like, its value, and the lines that continue it.
_MISNAMED_HEADER = re.compile(
    rb"^(?![!#$%&'*+.^_`|~0-9A-Za-z-]+:)[^\x00-\x20\x7f:][^\x00-\x1f\x7f:]*:[^\n]*\n(?:[ \t]+\S[^\n]*\n)*", re.MULTILINE
)
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_PIECE_BYTES = 64 * 1024


@frozen(kw_only=True)
class Rules:
    """How the lower stages handle a request: it travels with the request and is never sent."""

    registry: RegistryName
    """The registry on whose behalf it is sent: its declared certificates also apply to its token server."""
    max_body_bytes: int
    """The limit of a decoded 2xx body; a longer one is an error."""
    max_silence_seconds: float = SILENCE_SECONDS
    may_leave_origin: bool = True
    """``False`` for token servers: a redirect to another host would carry credentials away."""
    is_streamed: bool = False
    """Whether the caller reads the body of a 2xx response by ``stream_body``, and closes the response."""
    more_seconds: float = 0.0
    """Added to the time limit of an exchange, for a large body."""


def make_request(
    url: httpx.URL,
    rules: Rules,
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    form: Iterable[tuple[str, str]] | None = None,
) -> httpx.Request:
    """Return a request; the body are the URL-encoded fields of ``form``, if given."""
    lines = [*_EVERY_REQUEST, *headers, *([_FORM_TYPE] if form is not None else [])]
    content = None if form is None else urlencode(list(form)).encode()
    return httpx.Request(method, url, headers=lines, content=content, extensions={_RULES: rules})


def rules_of(request: httpx.Request) -> Rules:
    """Return the rules that ``make_request`` was given."""
    rules = request.extensions[_RULES]
    if not isinstance(rules, Rules):
        raise TypeError("a request of ours carries its rules")
    return rules


def authorized(request: httpx.Request, authorization: str) -> httpx.Request:
    """Return the same request with an ``Authorization`` header, or without one if it is empty."""
    return _copy(request, authorization=authorization)


def at(request: httpx.Request, url: httpx.URL) -> httpx.Request:
    """Return the same request for another URL; for another origin without ``Authorization``."""
    return _copy(request, url=url, authorization=None if origin_of(url) == origin_of(request.url) else "")


def as_get(request: httpx.Request) -> httpx.Request:
    """Return the same request with the method ``GET``."""
    return _copy(request, method="GET")


def next_hop(request: httpx.Request, response: httpx.Response, *, hops: int) -> httpx.Request | None:
    """Return the request for the target of a redirect, ``None`` if there is none; ``hops`` redirects came before."""
    if response.status_code not in _REDIRECTS:
        return None
    url = _destination(request, first_header(response, "location"))
    if not rules_of(request).may_leave_origin and origin_of(url) != origin_of(request.url):
        raise UnusableAnswerError(
            f"{shown(request.url)} redirects to another host, which a token server must not",
            details=[f"to {origin_of(url)}"],
            hint=OPERATOR_HINT,
        )
    if hops >= _MAX_REDIRECTS:
        raise UnusableAnswerError(
            f"{origin_of(request.url)} redirects more than {_MAX_REDIRECTS} times", hint=OPERATOR_HINT
        )
    return at(request, url)


def redirect_refused(request: httpx.Request, reason: str) -> UnusableAnswerError:
    """Return the error, without the target: signed URLs are secrets."""
    return UnusableAnswerError(
        f"{origin_of(request.url)} redirects to an address that must not be followed: {reason}",
        details=[f"asked for {shown(request.url)}"],
        hint=OPERATOR_HINT,
    )


def describe(request: httpx.Request) -> str:
    """Return method and URL as printed, without secrets."""
    return f"{request.method} {shown(request.url)}"


def as_refusal(response: httpx.Response) -> httpx.Response:
    """Return a 2xx response whose body is a refusal as a 401; ``sent_status`` returns the original status."""
    return httpx.Response(
        HTTPStatus.UNAUTHORIZED,
        headers=response.headers.raw,
        content=response.content,
        request=response.request,
        extensions={_SENT_STATUS: response.status_code},
    )


def sent_status(response: httpx.Response) -> int:
    """Return the status that the server sent."""
    return int(response.extensions.get(_SENT_STATUS, response.status_code))


def is_of_token_server(response: httpx.Response) -> bool:
    """Return whether the response is to a request for a token."""
    return not rules_of(response.request).may_leave_origin


def first_header(response: httpx.Response, name: str) -> str:
    """Return the value of the first header line of that name, or an empty string; httpx would join several lines."""
    return next(iter(response.headers.get_list(name)), "")


def clean_head(head: bytes) -> bytes:
    """Return the head of a response as Go and curl read it.

    Blanks before a colon are removed, as RFC 9112 allows for proxies, and headers with invalid names are ignored.
    """
    status, end, headers = head.partition(b"\n")
    headers = _MISNAMED_HEADER.sub(b"", _BLANK_BEFORE_COLON.sub(rb"\1:", headers))
    return _BLANKS_BEFORE_STATUS.sub(rb"\1 ", status) + end + headers


def content_type(response: httpx.Response) -> str:
    """Return the media type in lower case, without parameters."""
    return first_header(response, "content-type").partition(";")[0].strip().lower()


def read_body(chunks: Iterable[bytes], *, status: int, headers: httpx.Headers, max_bytes: int) -> bytes:
    """Return the decoded body; ``TransportFailure`` for a 2xx above the limit. Others are cut at ``ERROR_BYTES``."""
    is_success = httpx.codes.is_success(status)
    limit = max_bytes if is_success else ERROR_BYTES
    declared = headers.get("content-length", "")
    if is_success and _LENGTH.fullmatch(declared) and int(declared) > limit:
        raise _too_large(f"it has {int(declared):,} bytes", limit)
    body = bytearray()
    for piece in _decoded(chunks, headers.get("content-encoding", "").lower()):
        body += piece
        if len(body) > limit:
            if is_success:
                raise _too_large("it has more bytes", limit)
            return bytes(body[:limit])
    return bytes(body)


def stream_body(response: httpx.Response) -> Iterator[bytes]:
    """Yield the decoded body of a streamed response.

    ``TransportFailure`` if it is larger than its rules allow, or ends early.
    """
    limit, received = rules_of(response.request).max_body_bytes, 0
    for piece in _decoded(response.iter_raw(), response.headers.get("content-encoding", "").lower()):
        received += len(piece)
        if received > limit:
            raise _too_large("it has more bytes", limit)
        yield piece


def _destination(request: httpx.Request, location: str) -> httpx.URL:
    if not location:
        raise redirect_refused(request, "there is none")
    try:
        url = join_url(request.url, location)
    except InvalidUrlError as error:
        raise redirect_refused(request, str(error)) from error
    objection = find_objection(url, asked=request.url)
    if objection is not None:
        raise redirect_refused(request, objection)
    return url


def _copy(
    request: httpx.Request, *, method: str | None = None, url: httpx.URL | None = None, authorization: str | None = None
) -> httpx.Request:
    """Return a copy; httpx adds the ``Host`` header of the URL."""
    replaced = {b"host", *([] if authorization is None else [b"authorization"])}
    lines = [line for line in request.headers.raw if line[0].lower() not in replaced]
    if authorization:
        lines.append((b"Authorization", authorization.encode("ascii")))
    return httpx.Request(
        method or request.method,
        url or request.url,
        headers=lines,
        content=request.content or None,
        extensions={_RULES: rules_of(request)},
    )


def _decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield decoded pieces of bounded size. Requests accept no encoding; some registries compress nevertheless."""
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in _ENCODINGS:
        raise TransportFailure(FailureKind.UNREADABLE, "the body has an encoding that was not asked for")
    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for chunk in chunks:
            yield decoder.decompress(chunk, _PIECE_BYTES)
            while decoder.unconsumed_tail:
                yield decoder.decompress(decoder.unconsumed_tail, _PIECE_BYTES)
        yield decoder.flush()
    except zlib.error as error:
        raise TransportFailure(FailureKind.UNREADABLE, "the compressed body can't be read") from error
    if decoder.unused_data:
        raise TransportFailure(FailureKind.UNREADABLE, "the compressed body has bytes after its end")
    if not decoder.eof:
        raise TransportFailure(FailureKind.BROKEN, "the compressed body is not complete")


def _too_large(what: str, limit: int) -> TransportFailure:
    return TransportFailure(FailureKind.TOO_LARGE, f"{what}; the limit is {limit:,}")

r"""Parse URLs strictly into ``httpx.URL``: every URL that a server names is parsed here before it is used.

httpx parses leniently: the host of ``https://h\@evil/`` is ``evil`` to it. So a strict parser comes first, and both
must find the same origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import httpx

from imagelock.registry.http.addresses import DEFAULT_PORTS, InvalidUrlError, Origin, find_forbidden_kind, is_loopback

_ALLOWED = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Visible ASCII except the backslash, which some parsers take for a slash."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_MAX_LENGTH = 16 * 1024
_SHOWN_PARAMETERS = frozenset({"scope", "service", "n", "last", "ns"})


def parse_url(text: str) -> httpx.URL:
    """Return an absolute http or https URL; ``InvalidUrlError`` if parsers may disagree about it.

    URLs with a user name or a fragment are refused.
    """
    origin = _read_origin(text)
    try:
        url = httpx.URL(text)
        is_same = origin_of(url) == origin
    except (httpx.InvalidURL, ValueError) as error:  # UnicodeError, of host names, is a ValueError
        raise InvalidUrlError("it cannot be parsed") from error
    if not is_same:
        raise InvalidUrlError("it is ambiguous: parsers find different hosts")
    return url


def join_url(url: httpx.URL, text: str) -> httpx.URL:
    """Return a URL that may be relative to another; ``InvalidUrlError`` as for ``parse_url``."""
    # urljoin would complete `https:///path` with the other's host.
    if _SCHEME.match(text) or not _ALLOWED.fullmatch(text):
        return parse_url(text)
    try:
        joined = urljoin(str(url), text)
    except ValueError as error:
        raise InvalidUrlError("it cannot be parsed") from error
    return parse_url(joined)


def origin_of(url: httpx.URL) -> Origin:
    """Return the scheme, host and port of an absolute URL."""
    host = url.raw_host.decode("ascii")
    return Origin(url.scheme, f"[{host}]" if ":" in host else host, url.port or DEFAULT_PORTS[url.scheme])


def with_query(url: httpx.URL, parameters: Iterable[tuple[str, str]]) -> httpx.URL:
    """Return the URL with more query parameters; httpx's ``params`` would replace the existing ones."""
    more = urlencode(list(parameters), quote_via=quote, safe="/:")
    return url.copy_with(query="&".join(part for part in (url.query.decode("ascii"), more) if part).encode() or None)


def without_query(url: httpx.URL) -> httpx.URL:
    """Return the URL without its query."""
    return url.copy_with(query=None)


def parameters_of(url: httpx.URL) -> tuple[tuple[str, str], ...]:
    """Return the decoded parameters of the query, in order."""
    return tuple(parse_qsl(url.query.decode("ascii"), keep_blank_values=True))


def shown(url: httpx.URL) -> str:
    """Return a URL as printed, with the values of known query parameters only: signed URLs are secrets."""
    pairs = [f"{key}={value if key in _SHOWN_PARAMETERS else '…'}" for key, value in parameters_of(url)]
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return f"{origin_of(url)}{path}{'?' if pairs else ''}{'&'.join(pairs)}"


def find_objection(url: httpx.URL, *, asked: httpx.URL) -> str | None:
    """Return why a URL in a response to ``asked`` must not be followed; ``None`` if it may be.

    The policy for redirects and for token servers.
    """
    origin, asked_origin = origin_of(url), origin_of(asked)
    if asked_origin.is_encrypted and not origin.is_encrypted:
        return "it is not encrypted, unlike the registry"
    if origin == asked_origin:
        return None
    if origin.is_encrypted and is_loopback(origin.host) and is_loopback(asked_origin.host):
        # A registry on this machine may have its token server there as well, proved by its certificate.
        return None
    kind = find_forbidden_kind(origin.host)
    return None if kind is None else f"its host is {kind}"


def _read_origin(text: str) -> Origin:
    if len(text) > _MAX_LENGTH:
        raise InvalidUrlError("it is too long")
    # urlsplit silently drops line breaks and tabs, so they are refused first.
    if not _ALLOWED.fullmatch(text):
        raise InvalidUrlError("it has characters that are not allowed in a URL")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise InvalidUrlError("it cannot be parsed") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise InvalidUrlError("it must begin with https://")
    if "@" in parts.netloc:
        raise InvalidUrlError("it has a user name")
    if "#" in text:
        raise InvalidUrlError("it has a fragment")
    return Origin.of(parts.scheme, parts.netloc)

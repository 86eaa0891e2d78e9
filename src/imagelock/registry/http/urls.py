"""URLs, read strictly: what a server names is never sent anywhere before it went through here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from imagelock.model.frozen import frozen
from imagelock.registry.http.addresses import _DEFAULT_PORTS, InvalidUrlError, Origin, find_danger, is_loopback

_ALLOWED = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Visible ASCII but for the backslash, which some readers take for a slash."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_MAX_LENGTH = 16 * 1024
_SHOWN_PARAMETERS = frozenset({"scope", "service", "n", "last", "ns"})


@frozen
class Url:
    """An absolute http or https address without user name and fragment."""

    origin: Origin
    path: str
    query: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an absolute address; ``InvalidUrlError`` for everything that two readers could take differently."""
        if len(text) > _MAX_LENGTH:
            raise InvalidUrlError("it is too long")
        # urlsplit drops line breaks and tabs silently: they are looked for first.
        if not _ALLOWED.fullmatch(text):
            raise InvalidUrlError("it has characters that no address has")
        try:
            parts = urlsplit(text)
        except ValueError as error:
            raise InvalidUrlError("it can't be read") from error
        if parts.scheme not in _DEFAULT_PORTS:
            raise InvalidUrlError("it must begin with https://")
        if "@" in parts.netloc:
            raise InvalidUrlError("it has a user name in it")
        if "#" in text:
            raise InvalidUrlError("it has a fragment")
        return cls(Origin.of(parts.scheme, parts.netloc), parts.path or "/", parts.query)

    def join(self, text: str) -> Url:
        """Read an address that may be relative to this one."""
        # urljoin would complete `https:///path` with this address's host.
        if _SCHEME.match(text) or not _ALLOWED.fullmatch(text):
            return Url.parse(text)
        try:
            joined = urljoin(str(self), text)
        except ValueError as error:
            raise InvalidUrlError("it can't be read") from error
        return Url.parse(joined)

    def adding(self, parameters: Iterable[tuple[str, str]]) -> Url:
        """Return the same address with more query parameters; those that it has stay."""
        more = urlencode(list(parameters), quote_via=quote, safe="/:")
        return replace(self, query="&".join(part for part in (self.query, more) if part))

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The query, taken apart."""
        return tuple(parse_qsl(self.query, keep_blank_values=True))

    @property
    def target(self) -> str:
        """What stands in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def shown(self) -> str:
        """For people: signed addresses carry secrets in their queries, so only known parameters are shown."""
        shown = [f"{key}={value if key in _SHOWN_PARAMETERS else '…'}" for key, value in self.parameters]
        return f"{self.origin}{self.path}{'?' if shown else ''}{'&'.join(shown)}"

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def find_objection(url: Url, *, asked: Url) -> str | None:
    """Say why an address must not be followed from ``asked``; ``None`` if it may."""
    if asked.origin.is_encrypted and not url.origin.is_encrypted:
        return "it is not encrypted, and the registry is"
    if url.origin == asked.origin:
        return None
    if url.origin.is_encrypted and is_loopback(url.origin.host) and is_loopback(asked.origin.host):
        # A registry on this machine may have its token server beside it: the certificate proves that it is one.
        return None
    danger = find_danger(url.origin.host)
    return None if danger is None else f"its host is {danger}"

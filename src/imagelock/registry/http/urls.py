"""Addresses, read strictly: what a server names is never sent anywhere before it went through here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from imagelock.model.frozen import frozen

_ALLOWED = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Visible ASCII but for the backslash, which some readers take for a slash."""
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\]", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_DEFAULT_PORTS = {"https": 443, "http": 80}
_MAX_LENGTH = 16 * 1024
_SHOWN_PARAMETERS = frozenset({"scope", "service", "n", "last", "ns"})


class InvalidUrlError(ValueError):
    """An address that must not be followed; its text says why."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Scheme, host and port: the border that no credentials cross."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, scheme: str, host_and_port: str) -> Self:
        """Return the origin of ``localhost:5000`` or ``ghcr.io`` under a scheme."""
        return cls(*_split_host(scheme, host_and_port))

    @property
    def host_and_port(self) -> str:
        """As it stands in a ``Host`` header: the port only where it isn't the scheme's own."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS protects what is sent there."""
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_and_port}"


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


def _split_host(scheme: str, host_and_port: str) -> tuple[str, str, int]:
    match = re.fullmatch(r"(.*?)(?::([0-9]{1,5}))?", host_and_port, re.ASCII)
    host = match[1].lower() if match else ""
    port = int(match[2]) if match and match[2] else _DEFAULT_PORTS[scheme]
    if not _HOST.fullmatch(host):
        raise InvalidUrlError("it names no host" if not host else f"`{host}` is not a host name")
    if not 0 < port < 1 << 16:
        raise InvalidUrlError(f"{port} is not a port")
    return scheme, host, port

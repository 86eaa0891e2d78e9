"""Origins, hosts that a server may not redirect to, logins, and the proxy of a host.

A server may not redirect to this machine, to link-local addresses, or to a cloud's metadata service. Private networks
(10/8, 192.168/16, fd00::/8) are allowed: company registries and their token servers are there.

Proxies are those of ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` in either case, as curl and Go read
them (https://pkg.go.dev/golang.org/x/net/http/httpproxy); tunnels: https://www.rfc-editor.org/rfc/rfc9110#CONNECT.
"""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Mapping
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import unquote, urlsplit

from imagelock.errors import RegistryError
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.model.secrets import remember_login
from imagelock.registry.http import FailureKind, TransportFailure, failure_of

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\]", re.ASCII)
DEFAULT_PORTS = {"https": 443, "http": 80}

_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}", re.ASCII)
_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA_ADDRESSES = frozenset({ip_address("100.100.100.200"), ip_address("fd00:ec2::254")})
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog"})

_MAX_HEAD_BYTES = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


@frozen(order=True)
class Origin:
    """Scheme, host and port. Credentials for one origin are never sent to another."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, scheme: str, host_and_port: str) -> Self:
        """Return the origin of ``localhost:5000`` or ``ghcr.io`` under a scheme."""
        return cls(*_split_host(scheme, host_and_port))

    @property
    def host_and_port(self) -> str:
        """Host and port as in a ``Host`` header, without the scheme's default port."""
        return self.host if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether the scheme is https."""
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_and_port}"


class InvalidUrlError(ValueError):
    """A URL that must not be followed; ``str`` is the reason."""


def _split_host(scheme: str, host_and_port: str) -> tuple[str, str, int]:
    match = re.fullmatch(r"(.*?)(?::([0-9]{1,5}))?", host_and_port, re.ASCII)
    host = match[1].lower() if match else ""
    port = int(match[2]) if match and match[2] else DEFAULT_PORTS[scheme]
    if not _HOST.fullmatch(host):
        raise InvalidUrlError("it has no host name" if not host else f"`{host}` is not a host name")
    if not 0 < port < 1 << 16:
        raise InvalidUrlError(f"{port} is not a port")
    return scheme, host, port


def find_forbidden_kind(host: str) -> str | None:
    """Return the kind of a host that a server may not redirect to; ``None`` for any other host."""
    name = host.rstrip(".")
    if is_loopback(host):
        return "this machine"
    if name in _METADATA_NAMES:
        return "a cloud's metadata service"
    address = _address(name)
    return None if address is None else _forbidden_kind_of_address(address)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, in any spelling; no name is resolved."""
    name = host.rstrip(".")
    address = _address(name)
    return name == "localhost" or name.endswith(".localhost") or (address is not None and address.is_loopback)


def _forbidden_kind_of_address(address: IPv4Address | IPv6Address) -> str | None:
    if address in _METADATA_ADDRESSES:
        return "a cloud's metadata service"
    if address.is_link_local:
        return "a link-local address"
    if address.is_unspecified or address.is_multicast or (address.version == 4 and int(address) >> 24 in (0, 255)):  # noqa: PLR2004  IPv4
        return "no single host"
    return None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address of a numeric host as resolvers read it, ``127.1``, ``2130706433`` and ``0x7f.1`` included."""
    if host.startswith("["):
        try:
            return _without_wrapping(IPv6Address(host.strip("[]")))
        except ValueError:
            return IPv6Address(0)
    if not _NUMERIC_HOST.fullmatch(host):
        return None
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return IPv4Address(0)


def _without_wrapping(address: IPv6Address) -> IPv4Address | IPv6Address:
    wrapped = address.ipv4_mapped or address.sixtofour
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        wrapped = IPv4Address(int(address) & 0xFFFF_FFFF)
    return wrapped or address


@frozen
class Login:
    """A user name and a password, or a token in its place."""

    username: str
    password: str = field(repr=False)


def basic_authorization(login: Login) -> str:
    """Return the value of an ``Authorization`` header: https://www.rfc-editor.org/rfc/rfc7617."""
    remember_login(login.username, login.password)
    return f"Basic {base64.b64encode(f'{login.username}:{login.password}'.encode('utf-8', 'surrogateescape')).decode()}"


@frozen
class Proxy:
    """An HTTP proxy and its login."""

    origin: Origin
    login: Login | None = None


@frozen
class Route:
    """How a host is reached on behalf of a registry. Connections are never shared between routes."""

    origin: Origin
    registry: RegistryName
    proxy: Proxy | None = None

    @property
    def is_forwarded(self) -> bool:
        """Whether a proxy forwards plain requests; with TLS it only tunnels."""
        return self.proxy is not None and not self.origin.is_encrypted


def find_proxy(origin: Origin, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a host; ``None`` for a direct connection, which hosts on this machine always get."""
    names = (f"{origin.scheme}_proxy", "all_proxy")
    name = next((name for name in names if _variable(environment, name)), None)
    if name is None or is_loopback(origin.host) or _is_excluded(origin, _variable(environment, "no_proxy")):
        return None
    return _parse_proxy(_variable(environment, name), variable=name.upper())


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _parse_proxy(text: str, *, variable: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        user, at_sign, host = parts.netloc.rpartition("@")
        name, _, password = user.partition(":")
        login = (
            Login(unquote(name, errors="surrogateescape"), unquote(password, errors="surrogateescape"))
            if at_sign
            else None
        )
        origin = Origin.of("http", host)
    except ValueError as error:
        # No part of the address is shown: a password with a slash may be parsed as any part.
        raise _unusable_proxy(variable, "it must be http://[USER:PASSWORD@]HOST[:PORT]") from error
    if parts.scheme != "http":
        raise _unusable_proxy(variable, f"{parts.scheme}:// is not supported, only http://")
    return Proxy(origin, login)


def _unusable_proxy(variable: str, reason: str) -> RegistryError:
    return RegistryError("cannot use the proxy from the environment", details=[reason], hint=f"correct {variable}")


def _is_excluded(origin: Origin, exceptions: str) -> bool:
    entries = (entry.strip().lower() for entry in exceptions.split(","))
    return any(_matches(origin, entry) for entry in entries if entry)


def _matches(origin: Origin, entry: str) -> bool:
    """Return whether an entry of ``NO_PROXY`` covers an origin: ``*``, domain, address or network, or with a port."""
    host, colon, port = entry.rpartition(":")
    if colon and port.isascii() and port.isdigit() and (":" not in host or host.endswith("]")):
        return int(port) == origin.port and _matches_host(origin.host.strip("[]"), host)
    return _matches_host(origin.host.strip("[]"), entry)


def _matches_host(host: str, entry: str) -> bool:
    entry = entry.strip("[]")
    if entry in ("*", host):
        return True
    if "/" in entry:
        try:
            return ip_address(host) in ip_network(entry, strict=False)
        except ValueError:
            return False
    return host.endswith(f".{entry.removeprefix('*').lstrip('.')}")


def open_tunnel(connection: socket.socket, proxy: Proxy, origin: Origin) -> None:
    """Open a tunnel to an origin by ``CONNECT``; ``TransportFailure`` if the proxy refuses."""
    target = f"{origin.host}:{origin.port}"
    login = f"Proxy-Authorization: {basic_authorization(proxy.login)}\r\n" if proxy.login else ""
    try:
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode())
        head = _read_head(connection)
    except OSError as error:
        connection.close()
        raise failure_of(error) from error
    status = _STATUS.match(head)
    if status is None or status[1] != b"200":
        connection.close()
        said = f"status {status[1].decode()}" if status else "its response is not HTTP"
        raise TransportFailure(
            FailureKind.NOT_REACHED, f"the proxy {proxy.origin.host_and_port} refused the tunnel: {said}"
        )


def _read_head(connection: socket.socket) -> bytes:
    """Read a response head byte by byte: the bytes after it come from the host behind the proxy."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n") and len(head) < _MAX_HEAD_BYTES:
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return bytes(head)

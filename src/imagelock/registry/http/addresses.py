"""Hosts that no server may send us to: this machine, its neighbours, and the clouds' metadata services.

Private networks (10/8, 192.168/16, fd00::/8) are fine: company registries and their token servers live there.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Self

from imagelock.model.frozen import frozen

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\]", re.ASCII)
DEFAULT_PORTS = {"https": 443, "http": 80}

_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}", re.ASCII)
_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA_ADDRESSES = frozenset({ip_address("100.100.100.200"), ip_address("fd00:ec2::254")})
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog"})


@frozen(order=True)
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
        return self.host if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS protects what is sent there."""
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_and_port}"


class InvalidUrlError(ValueError):
    """An address that must not be followed; its text says why."""


def _split_host(scheme: str, host_and_port: str) -> tuple[str, str, int]:
    match = re.fullmatch(r"(.*?)(?::([0-9]{1,5}))?", host_and_port, re.ASCII)
    host = match[1].lower() if match else ""
    port = int(match[2]) if match and match[2] else DEFAULT_PORTS[scheme]
    if not _HOST.fullmatch(host):
        raise InvalidUrlError("it names no host" if not host else f"`{host}` is not a host name")
    if not 0 < port < 1 << 16:
        raise InvalidUrlError(f"{port} is not a port")
    return scheme, host, port


def find_danger(host: str) -> str | None:
    """Say what kind of place a host is if nobody else may send us there, ``None`` if it is an ordinary one."""
    name = host.rstrip(".")
    if is_loopback(host):
        return "this machine"
    if name in _METADATA_NAMES:
        return "a cloud's metadata service"
    address = _address(name)
    return None if address is None else _danger_of_address(address)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, however it is spelled; nothing is looked up."""
    name = host.rstrip(".")
    address = _address(name)
    return name == "localhost" or name.endswith(".localhost") or (address is not None and address.is_loopback)


def _danger_of_address(address: IPv4Address | IPv6Address) -> str | None:
    if address in _METADATA_ADDRESSES:
        return "a cloud's metadata service"
    if address.is_link_local:
        return "a link-local address"
    if address.is_unspecified or address.is_multicast or (address.version == 4 and int(address) >> 24 in (0, 255)):  # noqa: PLR2004  IPv4
        return "no single host"
    return None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a resolver would make of a host: also of ``127.1``, ``2130706433`` and ``0x7f.1``."""
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

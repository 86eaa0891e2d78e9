"""Hosts that no server may send us to: this machine, its neighbours, and the clouds' metadata services.

Private networks (10/8, 192.168/16, fd00::/8) are fine: company registries and their token servers live there.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}", re.ASCII)
_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA_ADDRESSES = frozenset({ip_address("100.100.100.200"), ip_address("fd00:ec2::254")})
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog"})


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

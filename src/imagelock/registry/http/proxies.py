"""Proxies that the environment names, and tunnels through them: https://www.rfc-editor.org/rfc/rfc9110#CONNECT.

``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` in either case, as curl and Go read them:
https://pkg.go.dev/golang.org/x/net/http/httpproxy.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

from imagelock.errors import RegistryError
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.registry.auth.credentials import Login, basic_authorization
from imagelock.registry.http import FailureKind, TransportFailure, failure_of
from imagelock.registry.http.addresses import Origin, is_loopback

_MAX_HEAD_BYTES = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


@frozen
class Proxy:
    """An HTTP proxy, and who it thinks we are."""

    origin: Origin
    login: Login | None = None


@frozen
class Route:
    """The way to a host on behalf of a registry: two of them share no connection."""

    origin: Origin
    registry: RegistryName
    proxy: Proxy | None = None

    @property
    def is_forwarded(self) -> bool:
        """Whether a proxy reads our requests, which it can only without TLS."""
        return self.proxy is not None and not self.origin.is_encrypted


def find_proxy(origin: Origin, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a host, ``None`` for the straight way. This machine is never asked through a proxy."""
    names = (f"{origin.scheme}_proxy", "all_proxy")
    name = next((name for name in names if _variable(environment, name)), None)
    if name is None or is_loopback(origin.host) or _is_excepted(origin, _variable(environment, "no_proxy")):
        return None
    return _parse_proxy(_variable(environment, name), variable=name.upper())


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _parse_proxy(text: str, *, variable: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        user, at_sign, host = parts.netloc.rpartition("@")
        name, _, password = user.partition(":")
        login = Login(unquote(name), unquote(password)) if at_sign else None
        origin = Origin.of("http", host)
    except ValueError as error:
        # Neither the address nor a part of it is shown: a password with a slash is taken for anything.
        raise _unusable(variable, "it must be http://[USER:PASSWORD@]HOST[:PORT]") from error
    if parts.scheme != "http":
        raise _unusable(variable, f"{parts.scheme}:// is not supported, only http://")
    return Proxy(origin, login)


def _unusable(variable: str, reason: str) -> RegistryError:
    return RegistryError(
        "the proxy that the environment names can't be used", details=[reason], hint=f"look at {variable}"
    )


def _is_excepted(origin: Origin, exceptions: str) -> bool:
    entries = (entry.strip().lower() for entry in exceptions.split(","))
    return any(_matches(origin, entry) for entry in entries if entry)


def _matches(origin: Origin, entry: str) -> bool:
    """``*``, a name with everything below it, an address or a network of addresses; any with a port, perhaps."""
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
    """Ask the proxy at the other end to connect us; ``TransportFailure`` if it won't."""
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
        said = f"it answered {status[1].decode()}" if status else "it speaks no HTTP"
        raise TransportFailure(
            FailureKind.NOT_REACHED, f"the proxy {proxy.origin.host_and_port} doesn't connect us: {said}"
        )


def _read_head(connection: socket.socket) -> bytes:
    """Byte by byte: what follows the head belongs to the host behind the proxy."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n") and len(head) < _MAX_HEAD_BYTES:
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return bytes(head)

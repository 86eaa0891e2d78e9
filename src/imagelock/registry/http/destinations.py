"""Where one server may send us on: the rule that realms and redirects share."""

from __future__ import annotations

from imagelock.registry.http.addresses import find_danger, is_loopback
from imagelock.registry.http.urls import Url


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

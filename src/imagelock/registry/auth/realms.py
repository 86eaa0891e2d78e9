"""Which token server a registry may send us to, with credentials in our hands.

A registry that could name any address would make us its messenger inside the user's network, or have the user's
password sent to a host of its choice (CVE-2026-48978, CVE-2026-33540, CVE-2019-10214).
"""

from __future__ import annotations

from imagelock.errors import InvalidContentError
from imagelock.registry.http.addresses import is_loopback
from imagelock.registry.http.destinations import find_objection
from imagelock.registry.http.urls import InvalidUrlError, Url
from imagelock.registry.http.wording import printable


def check_realm(realm: str, *, asked: Url) -> Url:
    """Read the realm that ``asked`` was answered with; ``InvalidContentError`` if it must not be followed."""
    try:
        url = asked.join(realm)
    except InvalidUrlError as error:
        raise _refusal(realm, asked, str(error)) from error
    reason = find_objection(url, asked=asked)
    if reason is None and not url.origin.is_encrypted and url.origin != asked.origin and is_loopback(asked.origin.host):
        # Nobody declared that a registry on this machine may do without TLS, and its token server is elsewhere.
        reason = "it is not encrypted"
    if reason is not None:
        raise _refusal(realm, asked, reason)
    return url


def _refusal(realm: str, asked: Url, reason: str) -> InvalidContentError:
    return InvalidContentError(
        f"{asked.origin.host_and_port} names a token server that must not be asked: {reason}",
        details=[f"realm: {printable(realm)}"],
        hint="tell the people who run this registry: no client should follow that address",
    )

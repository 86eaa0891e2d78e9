"""Redirects, one hop at a time: what a library follows by itself, it follows with credentials in its hands.

A host that we were sent to gets no credentials of the host that sent us (CVE-2020-15157, GHSA-vh4v-2xq2-g5cg).
"""

from __future__ import annotations

from imagelock.errors import InvalidContentError
from imagelock.registry.http import limits
from imagelock.registry.http.destinations import find_objection
from imagelock.registry.http.messages import Request, Response
from imagelock.registry.http.urls import InvalidUrlError, Url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def next_hop(request: Request, response: Response, *, hops: int) -> Request | None:
    """Return the request that a redirect asks for, ``None`` if the response is none; ``hops`` were followed already."""
    if response.status not in _REDIRECTS:
        return None
    location = response.headers.get("location")
    url = _destination(request, location)
    if not request.follows_redirects:
        raise InvalidContentError(
            f"{request.url.shown} sends us elsewhere, and a token server must not",
            details=[f"to {url.origin}"],
            hint="tell the people who run this registry",
        )
    if hops >= limits.REDIRECTS:
        raise InvalidContentError(f"{request.url.origin} redirects more than {limits.REDIRECTS} times")
    return request.at(url)


def _destination(request: Request, location: str) -> Url:
    try:
        url = request.url.join(location)
    except InvalidUrlError as error:
        raise _refusal(request, str(error)) from error
    objection = find_objection(url, asked=request.url)
    if objection is not None:
        raise _refusal(request, objection)
    return url


def _refusal(request: Request, reason: str) -> InvalidContentError:
    """Refuse without showing the address itself: signed addresses are secrets."""
    return InvalidContentError(
        f"{request.url.origin} redirects to an address that must not be followed: {reason}",
        details=[f"asked for {request.url.shown}"],
    )

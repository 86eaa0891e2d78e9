"""Hosts that a registry sent us to, and that want to know who we are: nobody.

registry.k8s.io redirects to hosts that hand a token to everybody. No credentials go there, not even such as are kept
for that very host: it was the registry that chose it, not the user (CVE-2020-15157).
"""

from __future__ import annotations

import re

from imagelock.registry.auth.access import BearerAccess
from imagelock.registry.auth.challenges import BearerChallenge, choose_challenge, parse_challenges
from imagelock.registry.auth.realms import check_realm
from imagelock.registry.auth.scopes import pull_scope
from imagelock.registry.auth.token_exchange import TokenExchange
from imagelock.registry.auth.tokens import AccessRefusedError, bearer_authorization
from imagelock.registry.http.delivery import Delivery
from imagelock.registry.http.messages import Request, Response
from imagelock.registry.http.urls import Url

_UNAUTHORIZED = 401
_CONTENT = re.compile(r"/v2/(.+)/(?:manifests|blobs|tags)/[^/]+", re.ASCII)


def answer_as_nobody(request: Request, response: Response, *, delivery: Delivery, exchange: TokenExchange) -> Response:
    """Meet a stranger's challenge with a token for anybody, once; any other answer stays what it is."""
    challenge = choose_challenge(parse_challenges(response.headers.all("www-authenticate")))
    if response.status != _UNAUTHORIZED or not isinstance(challenge, BearerChallenge):
        return response
    realm = check_realm(challenge.realm, asked=response.url)
    access = BearerAccess(registry=request.registry, realm=realm, service=challenge.service)
    try:
        held = exchange.fetch(access, challenge.scopes or _scopes_of(response.url), None)
    except AccessRefusedError:
        return response
    return delivery.deliver(request.at(response.url).authorized(bearer_authorization(held.token.text)))


def _scopes_of(url: Url) -> tuple[str, ...]:
    """Make up what the challenge left out, as Google's hosts do: the repository is called otherwise there."""
    content = _CONTENT.fullmatch(url.path)
    return (pull_scope(content[1]),) if content else ()

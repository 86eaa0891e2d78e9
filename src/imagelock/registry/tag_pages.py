"""The tags of a repository, page by page: all of them, or an error.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
https://www.rfc-editor.org/rfc/rfc8288 for the ``Link`` header that leads to the next page
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from imagelock.errors import InvalidContentError
from imagelock.reference import is_tag
from imagelock.registry import limits
from imagelock.registry.endpoints import Endpoint
from imagelock.registry.messages import Request, Response
from imagelock.registry.urls import InvalidUrlError, Url
from imagelock.strict_json import parse_json_object

_LINK = re.compile(r"<([^<>]*)>([^<>]*)", re.ASCII)
_NEXT = re.compile(r';\s*rel\s*=\s*"?[^";]*\bnext\b', re.ASCII | re.IGNORECASE)


def first_page_request(endpoint: Endpoint, path: str) -> Request:
    """Ask for the first page. The types of manifests don't go with it: Artifactory would refuse them."""
    return _page_request(endpoint, endpoint.tags_url(path).adding([("n", str(limits.TAGS_PER_PAGE))]))


def next_page_request(endpoint: Endpoint, request: Request, response: Response, *, what: str) -> Request | None:
    """Ask for the page that a response leads to; None after the last one.

    Only the query of the link is followed. Artifactory and Nexus write a path there that leads nowhere, and what leads
    to another host must not be followed at all.
    """
    target = next(_next_links(response), None)
    if target is None:
        return None
    try:
        link = request.url.join(target)
    except InvalidUrlError as error:
        raise _unfinished(what, f"the link to the next page can't be followed: {error}") from error
    if link.origin != request.url.origin:
        raise _unfinished(what, f"the link to the next page leads to another host, {link.origin}")
    following = replace(request.url, query=link.query)
    if following == request.url:
        raise _unfinished(what, "the link to the next page leads back to the same one")
    return _page_request(endpoint, following)


def read_tags(response: Response, *, what: str) -> tuple[str, ...]:
    """Read one page; what can't be a tag is left out, since some registries list nulls and digests among them."""
    tags = parse_json_object(response.body, what=f"the tag list of {what}").get("tags")
    if tags is None:
        return ()
    if not isinstance(tags, list):
        raise InvalidContentError(f"the tag list of {what} is no list")
    return tuple(tag for tag in tags if isinstance(tag, str) and is_tag(tag))


def _page_request(endpoint: Endpoint, url: Url) -> Request:
    return Request(url=url, registry=endpoint.registry, max_body_bytes=limits.TAGS_PAGE_BYTES)


def _next_links(response: Response) -> Iterator[str]:
    for header in response.headers.all("link"):
        for target, parameters in _LINK.findall(header[: limits.LINK_CHARACTERS]):
            if _NEXT.search(parameters):
                yield target


def _unfinished(what: str, reason: str) -> InvalidContentError:
    return InvalidContentError(f"the tag list of {what} can't be read to its end", details=[reason])

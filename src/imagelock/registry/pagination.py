"""Lists of tags, page by page, from registries that link their pages in every way but one.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags and, for ``Link``,
https://www.rfc-editor.org/rfc/rfc8288

Of a link only the query counts. Its host and path are wrong often enough (Artifactory forgets a prefix, Nexus adds
one), and a list has no business being continued elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import replace

from imagelock.errors import InvalidContentError
from imagelock.model.frozen import frozen
from imagelock.model.reference import is_tag
from imagelock.model.strict_json import parse_json_object
from imagelock.registry.endpoints import Endpoint
from imagelock.registry.http import limits
from imagelock.registry.http.messages import Headers, Request, Response
from imagelock.registry.http.urls import InvalidUrlError, Url

_MAX_LINK_LENGTH = 8192
_LINK = re.compile(r"<([^<>]{1,4096})>([^<]*)", re.ASCII)
_NEXT = re.compile(r';[ \t]*rel[ \t]*=[ \t]*"?next"?[ \t]*(?:[;,]|$)', re.ASCII | re.IGNORECASE)
_JSON = Headers((("accept", "application/json"),))
_PAGE_SIZE = ("n", str(limits.TAGS_PER_PAGE))


@frozen
class TagsPage:
    """Some tags, and where there may be more of them."""

    tags: tuple[str, ...]
    following: Url | None
    is_linked: bool = True
    """Whether the registry itself said that there are more."""
    is_empty: bool = False
    """Whether nothing is listed at all, not even what can't be a tag."""


def tags_request(endpoint: Endpoint, path: str, *, with_page_size: bool = True) -> Request:
    """Ask for the first page, as large as registries allow; some allow no such wish."""
    url = endpoint.tags_url(path)
    return Request(
        url=url.adding([_PAGE_SIZE]) if with_page_size else url,
        registry=endpoint.registry,
        headers=_JSON,
        max_body_bytes=limits.TAGS_PAGE_BYTES,
        max_silence_seconds=limits.SLOW_SILENCE_SECONDS,
    )


def read_tags_page(response: Response, *, asked: Url, what: str) -> TagsPage:
    """Read one page; what can't be a tag is left out, and ``null`` is an empty list."""
    document = parse_json_object(response.body, what=f"the list of tags of {what}")
    listed = document.get("tags") or []
    if not isinstance(listed, list):
        raise InvalidContentError(f"the list of tags of {what} is no list")
    tags = tuple(tag for tag in listed if isinstance(tag, str) and is_tag(tag))
    link = find_next_link(response.headers)
    if link is not None:
        return TagsPage(tags, _following(link, asked, what), is_empty=not listed)
    if tags and len(listed) == limits.TAGS_PER_PAGE:
        # A full page without a link: some registries leave the next step to us.
        return TagsPage(tags, replace(asked, query="").adding([_PAGE_SIZE, ("last", tags[-1])]), is_linked=False)
    return TagsPage(tags, None)


def find_next_link(headers: Headers) -> str | None:
    """Return the target of the first link to a next page."""
    for line in headers.all("link"):
        for target, parameters in _LINK.findall(line[:_MAX_LINK_LENGTH]):
            if _NEXT.search(parameters):
                return str(target)
    return None


def _following(link: str, asked: Url, what: str) -> Url:
    try:
        query = asked.join(link).parameters
    except InvalidUrlError as error:
        raise InvalidContentError(f"the list of tags of {what} goes on at an unreadable address") from error
    others = [(name, value) for name, value in query if name != "n"]
    own_size = [pair for pair in asked.parameters if pair[0] == "n"]
    return replace(asked, query="").adding([*own_size, *others])

"""Read a repository's complete list of tags, page by page, or raise an error.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags, with ``Link`` headers as in
https://www.rfc-editor.org/rfc/rfc8288. With a page missing, a range would silently select an older tag, so an invalid
page or link raises an error.

Only the query of a link is used. Its host and path are often wrong (Artifactory omits a prefix, Nexus adds one), and a
list never continues on another host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

import httpx

from imagelock.errors import InvalidContentError, printable
from imagelock.model.frozen import frozen
from imagelock.model.reference import is_tag
from imagelock.model.secrets import mask_secrets
from imagelock.model.strict_json import parse_json_object
from imagelock.registry.host import Host, Subject
from imagelock.registry.http.addresses import InvalidUrlError
from imagelock.registry.http.messages import (
    OPERATOR_HINT,
    SLOW_SILENCE_SECONDS,
    TAG_LIST_BYTES,
    TAGS_PAGE_BYTES,
    TAGS_PAGES,
    TAGS_PER_PAGE,
    Rules,
    at,
    make_request,
)
from imagelock.registry.http.urls import join_url, parameters_of, with_query, without_query
from imagelock.registry.locations import Endpoint
from imagelock.registry.protocol import refuse_web_page
from imagelock.registry.refusals import read_complaints

_JSON_HEADERS = (("Accept", "application/json"),)
_PAGE_SIZE = ("n", str(TAGS_PER_PAGE))
_PAGE_SIZE_REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED)
_MAX_LINK_LENGTH = 8192
_SHOWN_BYTES = 200
# Some registries leave out the brackets, some put quotes around the whole; a bare target ends at its parameters.
_TARGET = re.compile(
    r"""[\s,;"']*(?:<([^<>]{0,4096})>|((?:https?:/)?[/?][^\s<>;,"']*))["']?[ \t]*(?=;|,|$)""", re.ASCII | re.IGNORECASE
)
_PARAMETER = re.compile(
    r"""[ \t]*;[ \t]*(?:([^\s=;,"'<>]+)[ \t]*(?:=[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s;,"'<>]*))?)?""", re.ASCII
)


@frozen
class Link:
    """One link of a ``Link`` header, as written; ``relations`` is ``None`` if it has no ``rel``."""

    target: str
    relations: str | None

    @property
    def is_next(self) -> bool:
        """Whether it is a link to the next page; one without ``rel`` is if it has a query.

        containers/image does not read ``rel``, so some registries omit it.
        """
        if self.relations is None:
            return "?" in self.target
        return "next" in self.relations.lower()


@frozen
class TagsPage:
    """The entries of one page, and the URL of the next."""

    listed: tuple[str, ...]
    """Every string, including those that are not tags, such as the digests that Nexus lists."""
    next_url: httpx.URL | None
    is_linked: bool = True
    """Whether ``next_url`` comes from a ``Link`` header, and is not guessed from a full page."""
    is_empty: bool = False
    """Whether the list has no entries of any type."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The entries that are valid tags."""
        return tuple(text for text in self.listed if is_tag(text))


def list_all_tags(host: Host, subject: Subject) -> tuple[str, ...]:
    """Return every tag of a repository once, in the registry's order."""
    request = tags_request(host.endpoint, subject.path)
    response = host.send(request, subject)
    if response.status_code in _PAGE_SIZE_REFUSED:
        request = tags_request(host.endpoint, subject.path, with_page_size=False)
        response = host.send(request, subject)
    tags: dict[str, None] = {}
    listed: set[str] = set()
    visited: set[httpx.URL] = set()
    received_bytes = 0
    for _ in range(TAGS_PAGES):
        page = _read_page(host, subject, response, asked=request.url)
        received_bytes += len(response.content)
        if received_bytes > TAG_LIST_BYTES:
            raise InvalidContentError(f"the list of tags of {subject.what} has more than {TAG_LIST_BYTES} bytes")
        is_new = not listed.issuperset(page.listed)
        listed.update(page.listed)
        tags.update(dict.fromkeys(page.tags))
        if _is_last(page, asked=request.url, is_new=is_new) or page.next_url is None:
            return tuple(tags)
        if page.next_url in visited or (page.listed and not is_new):
            raise InvalidContentError(f"the list of tags of {subject.what} never ends: its pages repeat")
        visited.add(page.next_url)
        request = at(request, page.next_url)
        response = host.send(request, subject)
    raise InvalidContentError(f"the list of tags of {subject.what} has more than {TAGS_PAGES} pages")


def _read_page(host: Host, subject: Subject, response: httpx.Response, *, asked: httpx.URL) -> TagsPage:
    host.raise_for_status(response, subject)
    try:
        return read_tags_page(response, asked=asked, what=subject.what)
    except InvalidContentError as problem:
        raise host.content_error(response, subject, problem) from problem


def _is_last(page: TagsPage, *, asked: httpx.URL, is_new: bool) -> bool:
    """Whether a list ends here: an empty page that links elsewhere does not end it, one that links to itself does."""
    if page.next_url is None or (page.is_empty and page.next_url == asked):
        return True
    return not page.is_linked and not is_new


def tags_request(endpoint: Endpoint, path: str, *, with_page_size: bool = True) -> httpx.Request:
    """Return the request for the first page, as large as registries allow; some refuse a size."""
    url = httpx.URL(f"{endpoint.origin}/v2/{path}/tags/list")
    rules = Rules(registry=endpoint.registry, max_body_bytes=TAGS_PAGE_BYTES, max_silence_seconds=SLOW_SILENCE_SECONDS)
    return make_request(with_query(url, [_PAGE_SIZE]) if with_page_size else url, rules, headers=_JSON_HEADERS)


def read_tags_page(response: httpx.Response, *, asked: httpx.URL, what: str) -> TagsPage:
    """Read one page; ``InvalidContentError`` for anything else with a 2xx status."""
    if response.status_code == HTTPStatus.PARTIAL_CONTENT:
        raise InvalidContentError(f"only a part of the list of tags of {what} was sent")
    listed = _read_list(response, what)
    texts = tuple(entry for entry in listed if isinstance(entry, str))
    link = find_next_link(response.headers, what=what)
    if link is not None:
        return TagsPage(texts, _next_page_url(link, asked, what), is_empty=not listed)
    if texts and len(listed) == TAGS_PER_PAGE:
        # A full page without a link: some registries expect the client to ask on with `last`.
        return TagsPage(texts, with_query(without_query(asked), [_PAGE_SIZE, ("last", texts[-1])]), is_linked=False)
    return TagsPage(texts, None, is_empty=not listed)


def _read_list(response: httpx.Response, what: str) -> list[object]:
    """Return the entries as parsed; ``null``, and a page with only a ``name``, are an empty list."""
    name = f"the list of tags of {what}"
    try:
        document = parse_json_object(response.content, what=name)
    except InvalidContentError as problem:
        # Checked only now: some registries send a valid list as text/html.
        refuse_web_page(response, what=name)
        raise _no_list(problem.message, response) from problem
    listed = document.get("tags")
    if document.get("errors") or (listed is None and read_complaints(response)):
        raise InvalidContentError(f"an error was sent instead of {name}")
    if listed is None and ("tags" in document or isinstance(document.get("name"), str)):
        return []
    if not isinstance(listed, list) or not _may_be_tags(listed):
        raise _no_list(f"what was sent as {name} is no list of tags", response)
    return listed


def _may_be_tags(listed: list[object]) -> bool:
    """Whether entries may be tags; Artifactory and Nexus mix others with them."""
    if any(isinstance(entry, dict | list) for entry in listed):
        return False
    return not listed or any(entry is None or isinstance(entry, str) for entry in listed)


def _no_list(message: str, response: httpx.Response) -> InvalidContentError:
    """Return the error with the beginning of the body; text that is no JSON is added with the status."""
    sent = response.content[:_SHOWN_BYTES].decode("utf-8", "replace").strip()
    is_shown = bool(sent) and not read_complaints(response)
    details = [f"it was: {printable(mask_secrets(sent))}"] if is_shown else []
    return InvalidContentError(message, details=details, hint=OPERATOR_HINT)


def find_next_link(headers: httpx.Headers, *, what: str) -> str | None:
    """Return the target of the first link to a next page; ``InvalidContentError`` if a link can't be read."""
    for line in headers.get_list("link"):
        for link in _links_of_line(line, what):
            if link.is_next:
                return link.target
    return None


def _links_of_line(line: str, what: str) -> Iterator[Link]:
    """Yield the links of a header line; an unreadable one is an error, since it may be that of the next page."""
    position = 0
    while position < len(line) and line[position:].strip(" \t,"):
        match = _TARGET.match(line, position) if len(line) <= _MAX_LINK_LENGTH else None
        if match is None:
            raise InvalidContentError(
                f"the list of tags of {what} has an unreadable link to its next page",
                details=[f"Link: {printable(line)}"],
                hint=f"{OPERATOR_HINT}: the header must follow RFC 8288",
            )
        position = match.end()
        relations = None
        while (parameter := _PARAMETER.match(line, position)) is not None:
            position = parameter.end()
            if (parameter[1] or "").lower() == "rel":
                # Only the first counts in RFC 8288, but a page that is missed is worse than one that is asked in vain.
                relations = f"{relations or ''} {parameter[2] or ''}"
        yield Link(match[1] if match[1] is not None else match[2], relations)


def _next_page_url(link: str, asked: httpx.URL, what: str) -> httpx.URL:
    try:
        query = parameters_of(join_url(asked, link))
    except InvalidUrlError as error:
        raise InvalidContentError(
            f"the list of tags of {what} has an unreadable address of its next page: {error}", hint=OPERATOR_HINT
        ) from error
    others = [(name, value) for name, value in query if name != "n"]
    own_size = [pair for pair in parameters_of(asked) if pair[0] == "n"]
    return with_query(without_query(asked), [*own_size, *others])

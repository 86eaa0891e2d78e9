"""Follow a list of tags to its end: the whole list or an error, since half a list would choose an older version."""

from __future__ import annotations

from imagelock.errors import InvalidContentError
from imagelock.registry.http import limits
from imagelock.registry.http.urls import Url
from imagelock.registry.pagination import read_tags_page, tags_request
from imagelock.registry.session import Session, Subject

_PAGE_SIZE_REFUSED = (400, 405)


def list_tags(session: Session, subject: Subject) -> tuple[str, ...]:
    """Return every tag once, in the registry's order."""
    repository = subject.repository
    request = tags_request(session.endpoint, subject.path)
    response = session.answer(request, subject)
    if response.status in _PAGE_SIZE_REFUSED:
        request = tags_request(session.endpoint, subject.path, with_page_size=False)
        response = session.answer(request, subject)
    tags: dict[str, None] = {}
    visited: set[Url] = set()
    received_bytes = 0
    for _ in range(limits.TAGS_PAGES):
        session.demand_success(response, subject)
        page = read_tags_page(response, asked=request.url, what=str(repository))
        received_bytes += len(response.body)
        if received_bytes > limits.TAG_LIST_BYTES:
            raise InvalidContentError(f"the list of tags of {repository} has more than {limits.TAG_LIST_BYTES} bytes")
        known = len(tags)
        tags.update(dict.fromkeys(page.tags))
        if page.following is None or page.is_empty or (not page.is_linked and len(tags) == known):
            return tuple(tags)
        if page.following in visited or (page.tags and len(tags) == known):
            raise InvalidContentError(f"the list of tags of {repository} has no end: its pages go in a circle")
        visited.add(page.following)
        request = request.at(page.following)
        response = session.answer(request, subject)
    raise InvalidContentError(f"the list of tags of {repository} has more than {limits.TAGS_PAGES} pages")

"""The distribution protocol, without sending anything: requests from references, values from responses.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull, lists of tags with ``Link`` headers as in
https://www.rfc-editor.org/rfc/rfc8288

Of a link only the query counts. Its host and path are wrong often enough (Artifactory forgets a prefix, Nexus adds
one), and a list has no business being continued elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import replace

from imagelock.errors import InvalidContentError, InvalidDigestError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.oci import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    FetchedManifest,
    refuse_schema_1,
)
from imagelock.model.reference import ImageReference, PinnedReference, is_tag
from imagelock.model.strict_json import parse_json_object
from imagelock.registry.http.addresses import InvalidUrlError
from imagelock.registry.http.messages import (
    CONFIG_BYTES,
    MANIFEST_BYTES,
    SLOW_SILENCE_SECONDS,
    TAGS_PAGE_BYTES,
    TAGS_PER_PAGE,
    Headers,
    Request,
    Response,
)
from imagelock.registry.http.urls import Url
from imagelock.registry.locations import Endpoint

DIGEST_HEADER = "docker-content-digest"
TAG_ALGORITHM = "sha256"
"""What content is hashed with that nobody asked for by its digest."""
# On one line, and without `*/*`: Docker Hub answers with another image if index types are missing, some with schema 1.
_MANIFEST_TYPES = f"{OCI_INDEX}, {DOCKER_INDEX}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"
_MANIFEST_HEADERS = Headers((("accept", _MANIFEST_TYPES),))

_MAX_LINK_LENGTH = 8192
_LINK = re.compile(r"<([^<>]{1,4096})>([^<]*)", re.ASCII)
_NEXT = re.compile(r';[ \t]*rel[ \t]*=[ \t]*"?next"?[ \t]*(?:[;,]|$)', re.ASCII | re.IGNORECASE)
_JSON = Headers((("accept", "application/json"),))
_PAGE_SIZE = ("n", str(TAGS_PER_PAGE))


def manifest_request(endpoint: Endpoint, path: str, reference: ImageReference, *, method: str = "GET") -> Request:
    """Ask for a manifest or index; with ``HEAD`` only which one it is, which Docker Hub doesn't count as a pull."""
    return Request(
        method=method,
        url=endpoint.manifest_url(path, reference),
        registry=endpoint.registry,
        headers=_MANIFEST_HEADERS,
        max_body_bytes=MANIFEST_BYTES,
    )


def blob_request(endpoint: Endpoint, path: str, descriptor: Descriptor) -> Request:
    """Ask for a small blob, such as a configuration: never a layer."""
    if descriptor.size_bytes > CONFIG_BYTES:
        raise InvalidContentError(
            f"the configuration {descriptor.digest} of {endpoint.registry}/{path} claims {descriptor.size_bytes} bytes",
            details=[f"no configuration has more than {CONFIG_BYTES}"],
        )
    return Request(
        url=endpoint.blob_url(path, descriptor.digest),
        registry=endpoint.registry,
        max_body_bytes=descriptor.size_bytes,
    )


def read_manifest(reference: ImageReference, response: Response) -> FetchedManifest:
    """Take the body under the digest that we compute from it.

    The header is a witness, nothing more: it can't stand in for the digest that was asked for (CVE-2025-24882), and
    where it contradicts the body, somebody on the way changed something.
    """
    wanted = reference.digest if isinstance(reference, PinnedReference) else None
    _refuse_page(reference, response)
    refuse_schema_1(response.content_type, what=str(reference))
    digest = Digest.of(response.body, algorithm=wanted.algorithm if wanted else TAG_ALGORITHM)
    if wanted is not None and digest != wanted:
        raise InvalidContentError(
            f"{reference} was answered with other content",
            details=[f"asked for  {wanted}", f"the body is {digest}"],
            hint="never use this image: a proxy or the registry has changed it",
        )
    witness = read_digest_header(response)
    if wanted is None and witness is not None and witness != Digest.of(response.body, algorithm=witness.algorithm):
        raise InvalidContentError(
            f"{reference}: the registry's digest header contradicts the body",
            details=[f"the header says {witness}", f"the body is     {digest}"],
            hint="a proxy on the way may rewrite content: ask the registry without it",
        )
    return FetchedManifest(digest, response.body, response.content_type)


def read_blob(descriptor: Descriptor, response: Response, *, what: str) -> bytes:
    """Take a blob only if it has the length and the digest that its descriptor names."""
    digest = Digest.of(response.body, algorithm=descriptor.digest.algorithm)
    if len(response.body) != descriptor.size_bytes or digest != descriptor.digest:
        raise InvalidContentError(
            f"the configuration of {what} was answered with other content",
            details=[
                f"asked for  {descriptor.digest}, {descriptor.size_bytes} bytes",
                f"the body is {digest}, {len(response.body)} bytes",
            ],
        )
    return response.body


def read_digest_header(response: Response) -> Digest | None:
    """Return the digest that the registry claims; ``None`` where it claims none, several, or something unreadable."""
    claims = response.headers.all(DIGEST_HEADER)
    try:
        return Digest.parse(claims[0].strip('"')) if len(claims) == 1 else None
    except InvalidDigestError:
        return None


def _refuse_page(reference: ImageReference, response: Response) -> None:
    """Refuse a sign-in page of a proxy, which has status 200 and a digest like anything else."""
    if response.content_type in ("text/html", "application/xhtml+xml"):
        raise InvalidContentError(
            f"{reference} was answered with a web page",
            details=[f"from {response.url.shown}"],
            hint="a proxy or a sign-in page may stand between: open that address in a browser",
        )


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
        max_body_bytes=TAGS_PAGE_BYTES,
        max_silence_seconds=SLOW_SILENCE_SECONDS,
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
    if tags and len(listed) == TAGS_PER_PAGE:
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

"""The distribution protocol, sans I/O: requests from references, values from responses.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from enum import StrEnum

import httpx

from imagelock.errors import InvalidContentError, InvalidDigestError
from imagelock.model.digest import Digest
from imagelock.model.oci import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    FetchedManifest,
    refuse_schema_1,
)
from imagelock.model.reference import ImageReference, PinnedReference
from imagelock.registry.http.messages import (
    CONFIG_BYTES,
    MANIFEST_BYTES,
    STREAM_BYTES_PER_SECOND,
    Rules,
    content_type,
    make_request,
)
from imagelock.registry.http.urls import shown
from imagelock.registry.locations import Endpoint

DIGEST_HEADER = "docker-content-digest"
TAG_ALGORITHM = "sha256"
"""The algorithm of the digest computed for content that was requested by tag."""
# On one line, and without `*/*`: Docker Hub answers with another image if index types are missing, some with schema 1.
_MANIFEST_TYPES = f"{OCI_INDEX}, {DOCKER_INDEX}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"
_MANIFEST_HEADERS = (("Accept", _MANIFEST_TYPES),)


class _Content(StrEnum):
    """The kinds of content, as URL paths name them."""

    MANIFEST = "manifests"
    BLOB = "blobs"


def manifest_request(endpoint: Endpoint, path: str, reference: ImageReference, *, method: str = "GET") -> httpx.Request:
    """Return the request for a manifest or index, by digest if the reference has one.

    Docker Hub does not count a ``HEAD`` as a pull.
    """
    name = reference.digest if isinstance(reference, PinnedReference) else reference.tag
    rules = Rules(registry=endpoint.registry, max_body_bytes=MANIFEST_BYTES)
    return make_request(_url(endpoint, path, _Content.MANIFEST, name), rules, method=method, headers=_MANIFEST_HEADERS)


def blob_request(endpoint: Endpoint, path: str, descriptor: Descriptor) -> httpx.Request:
    """Return the request for a small blob; ``InvalidContentError`` if it claims more than ``CONFIG_BYTES``."""
    if descriptor.size_bytes > CONFIG_BYTES:
        raise InvalidContentError(
            f"the configuration {descriptor.digest} of {endpoint.registry}/{path} claims {descriptor.size_bytes} bytes",
            details=[f"no configuration has more than {CONFIG_BYTES}"],
        )
    rules = Rules(registry=endpoint.registry, max_body_bytes=descriptor.size_bytes)
    return make_request(_url(endpoint, path, _Content.BLOB, descriptor.digest), rules)


def blob_head_request(endpoint: Endpoint, path: str, digest: Digest) -> httpx.Request:
    """Return the ``HEAD`` request for a blob."""
    rules = Rules(registry=endpoint.registry, max_body_bytes=0)
    return make_request(_url(endpoint, path, _Content.BLOB, digest), rules, method="HEAD")


def blob_stream_request(endpoint: Endpoint, path: str, descriptor: Descriptor) -> httpx.Request:
    """Return the request for a blob of any size; its response is streamed, at ``STREAM_BYTES_PER_SECOND`` at least."""
    rules = Rules(
        registry=endpoint.registry,
        max_body_bytes=descriptor.size_bytes,
        is_streamed=True,
        more_seconds=descriptor.size_bytes / STREAM_BYTES_PER_SECOND,
    )
    return make_request(_url(endpoint, path, _Content.BLOB, descriptor.digest), rules)


def read_manifest(reference: ImageReference, response: httpx.Response) -> FetchedManifest:
    """Return the body with the digest computed from it; ``InvalidContentError`` if it is not what was requested.

    The digest header only serves as a check: it never replaces the requested digest (CVE-2025-24882), and if it
    contradicts the body, the body was changed on the way.
    """
    wanted = reference.digest if isinstance(reference, PinnedReference) else None
    refuse_web_page(response, what=str(reference))
    if b'"errors"' in response.content and b'"schemaVersion"' not in response.content:
        raise InvalidContentError(f"an error was sent instead of {reference}")
    refuse_schema_1(content_type(response), what=str(reference))
    digest = Digest.of(response.content, algorithm=wanted.algorithm if wanted else TAG_ALGORITHM)
    if wanted is not None and digest != wanted:
        raise InvalidContentError(
            f"the registry sent other content for {reference}",
            details=[f"asked for  {wanted}", f"the body is {digest}"],
            hint="do not use this image: a proxy or the registry has changed it",
        )
    claimed = read_digest_header(response)
    if wanted is None and claimed is not None and claimed != Digest.of(response.content, algorithm=claimed.algorithm):
        raise InvalidContentError(
            f"{reference}: the registry's digest header contradicts the body",
            details=[f"the header says {claimed}", f"the body is     {digest}"],
            hint="bypass the proxy to the registry: it may rewrite content",
        )
    return FetchedManifest(digest, response.content, content_type(response))


def read_blob(descriptor: Descriptor, response: httpx.Response, *, what: str) -> bytes:
    """Return the body of a blob; ``InvalidContentError`` unless it has the descriptor's size and digest."""
    digest = Digest.of(response.content, algorithm=descriptor.digest.algorithm)
    if len(response.content) != descriptor.size_bytes or digest != descriptor.digest:
        raise InvalidContentError(
            f"the registry sent other content for the configuration of {what}",
            details=[
                f"asked for  {descriptor.digest}, {descriptor.size_bytes} bytes",
                f"the body is {digest}, {len(response.content)} bytes",
            ],
        )
    return response.content


def check_stream(descriptor: Descriptor, pieces: Iterable[bytes], *, what: str, url: httpx.URL) -> Iterator[bytes]:
    """Yield the pieces of a blob; ``InvalidContentError`` at the end unless they match the descriptor."""
    hashing, size = hashlib.new(descriptor.digest.algorithm, usedforsecurity=False), 0
    for piece in pieces:
        hashing.update(piece)
        size += len(piece)
        yield piece
    if size != descriptor.size_bytes or hashing.hexdigest() != descriptor.digest.hex:
        raise InvalidContentError(
            f"the registry sent other content for a blob of {what}",
            details=[
                f"asked for  {descriptor.digest}, {descriptor.size_bytes} bytes",
                f"the body is {descriptor.digest.algorithm}:{hashing.hexdigest()}, {size} bytes",
                f"from {shown(url)}",
            ],
            hint="bypass the mirror or proxy that sent it, or report it to its operator",
        )


def read_digest_header(response: httpx.Response) -> Digest | None:
    """Return the digest in the response's header; ``None`` if there is none, more than one, or an unreadable one."""
    claims = response.headers.get_list(DIGEST_HEADER)
    try:
        return Digest.parse(claims[0].strip('"')) if len(claims) == 1 else None
    except InvalidDigestError:
        return None


def refuse_web_page(response: httpx.Response, *, what: str) -> None:
    """Raise ``InvalidContentError`` for a web page, such as the sign-in page of a proxy, which has status 200."""
    if content_type(response) in ("text/html", "application/xhtml+xml"):
        raise InvalidContentError(
            f"a web page was sent instead of {what}",
            details=[f"from {shown(response.url)}"],
            hint="open that address in a browser: a proxy or a sign-in page may intercept it",
        )


def _url(endpoint: Endpoint, path: str, content: _Content, name: object) -> httpx.URL:
    return httpx.URL(f"{endpoint.origin}/v2/{path}/{content}/{name}")

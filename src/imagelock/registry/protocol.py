"""The distribution protocol, without sending anything: requests from references, values from responses.

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
"""What content is hashed with that was asked for by a tag."""
# On one line, and without `*/*`: Docker Hub answers with another image if index types are missing, some with schema 1.
_MANIFEST_TYPES = f"{OCI_INDEX}, {DOCKER_INDEX}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"
_MANIFEST_HEADERS = (("Accept", _MANIFEST_TYPES),)


class _Content(StrEnum):
    """What is fetched of a registry, as its paths name it."""

    MANIFEST = "manifests"
    BLOB = "blobs"


def manifest_request(endpoint: Endpoint, path: str, reference: ImageReference, *, method: str = "GET") -> httpx.Request:
    """Return the request for a manifest or index, by digest if the reference has one.

    With ``HEAD`` it asks only which one it is, which Docker Hub doesn't count as a pull.
    """
    name = reference.digest if isinstance(reference, PinnedReference) else reference.tag
    rules = Rules(registry=endpoint.registry, max_body_bytes=MANIFEST_BYTES)
    return make_request(_url(endpoint, path, _Content.MANIFEST, name), rules, method=method, headers=_MANIFEST_HEADERS)


def blob_request(endpoint: Endpoint, path: str, descriptor: Descriptor) -> httpx.Request:
    """Return the request for a small blob, such as a configuration, whose response is read whole."""
    if descriptor.size_bytes > CONFIG_BYTES:
        raise InvalidContentError(
            f"the configuration {descriptor.digest} of {endpoint.registry}/{path} claims {descriptor.size_bytes} bytes",
            details=[f"no configuration has more than {CONFIG_BYTES}"],
        )
    rules = Rules(registry=endpoint.registry, max_body_bytes=descriptor.size_bytes)
    return make_request(_url(endpoint, path, _Content.BLOB, descriptor.digest), rules)


def blob_head_request(endpoint: Endpoint, path: str, digest: Digest) -> httpx.Request:
    """Return the request that asks whether a blob is there."""
    rules = Rules(registry=endpoint.registry, max_body_bytes=0)
    return make_request(_url(endpoint, path, _Content.BLOB, digest), rules, method="HEAD")


def blob_stream_request(endpoint: Endpoint, path: str, descriptor: Descriptor) -> httpx.Request:
    """Return the request for a blob of any size, whose response is streamed at ``STREAM_BYTES_PER_SECOND`` at least."""
    rules = Rules(
        registry=endpoint.registry,
        max_body_bytes=descriptor.size_bytes,
        is_streamed=True,
        more_seconds=descriptor.size_bytes / STREAM_BYTES_PER_SECOND,
    )
    return make_request(_url(endpoint, path, _Content.BLOB, descriptor.digest), rules)


def read_manifest(reference: ImageReference, response: httpx.Response) -> FetchedManifest:
    """Take the body under the digest that we compute from it.

    The header is a witness, nothing more: it can't stand in for the digest that was asked for (CVE-2025-24882), and
    where it contradicts the body, the body was changed on the way.
    """
    wanted = reference.digest if isinstance(reference, PinnedReference) else None
    refuse_web_page(response, what=str(reference))
    if b'"errors"' in response.content and b'"schemaVersion"' not in response.content:
        raise InvalidContentError(f"an error was sent instead of {reference}")
    refuse_schema_1(content_type(response), what=str(reference))
    digest = Digest.of(response.content, algorithm=wanted.algorithm if wanted else TAG_ALGORITHM)
    if wanted is not None and digest != wanted:
        raise InvalidContentError(
            f"{reference} was answered with other content",
            details=[f"asked for  {wanted}", f"the body is {digest}"],
            hint="never use this image: a proxy or the registry has changed it",
        )
    witness = read_digest_header(response)
    if wanted is None and witness is not None and witness != Digest.of(response.content, algorithm=witness.algorithm):
        raise InvalidContentError(
            f"{reference}: the registry's digest header contradicts the body",
            details=[f"the header says {witness}", f"the body is     {digest}"],
            hint="a proxy on the way may rewrite content: ask the registry without it",
        )
    return FetchedManifest(digest, response.content, content_type(response))


def read_blob(descriptor: Descriptor, response: httpx.Response, *, what: str) -> bytes:
    """Take a blob only if it has the length and the digest that its descriptor names."""
    digest = Digest.of(response.content, algorithm=descriptor.digest.algorithm)
    if len(response.content) != descriptor.size_bytes or digest != descriptor.digest:
        raise InvalidContentError(
            f"the configuration of {what} was answered with other content",
            details=[
                f"asked for  {descriptor.digest}, {descriptor.size_bytes} bytes",
                f"the body is {digest}, {len(response.content)} bytes",
            ],
        )
    return response.content


def check_stream(descriptor: Descriptor, pieces: Iterable[bytes], *, what: str) -> Iterator[bytes]:
    """Yield the pieces of a blob, and then nothing more only if they have the descriptor's size and digest."""
    hashing, size = hashlib.new(descriptor.digest.algorithm, usedforsecurity=False), 0
    for piece in pieces:
        hashing.update(piece)
        size += len(piece)
        yield piece
    if size != descriptor.size_bytes or hashing.hexdigest() != descriptor.digest.hex:
        raise InvalidContentError(
            f"a blob of {what} was answered with other content",
            details=[
                f"asked for  {descriptor.digest}, {descriptor.size_bytes} bytes",
                f"the body is {descriptor.digest.algorithm}:{hashing.hexdigest()}, {size} bytes",
            ],
        )


def read_digest_header(response: httpx.Response) -> Digest | None:
    """Return the digest that the registry claims; ``None`` where it claims none, several, or something unreadable."""
    claims = response.headers.get_list(DIGEST_HEADER)
    try:
        return Digest.parse(claims[0].strip('"')) if len(claims) == 1 else None
    except InvalidDigestError:
        return None


def refuse_web_page(response: httpx.Response, *, what: str) -> None:
    """Refuse a sign-in page of a proxy, which has status 200 and a digest like anything else."""
    if content_type(response) in ("text/html", "application/xhtml+xml"):
        raise InvalidContentError(
            f"{what} was answered with a web page",
            details=[f"from {shown(response.url)}"],
            hint="a proxy or a sign-in page may stand between: open that address in a browser",
        )


def _url(endpoint: Endpoint, path: str, content: _Content, name: object) -> httpx.URL:
    return httpx.URL(f"{endpoint.origin}/v2/{path}/{content}/{name}")

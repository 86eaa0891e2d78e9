"""The distribution protocol, without sending anything: questions as requests, answers as values.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull
"""

from __future__ import annotations

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
from imagelock.registry.endpoints import Endpoint
from imagelock.registry.http import limits
from imagelock.registry.http.messages import Headers, Request, Response

DIGEST_HEADER = "docker-content-digest"
TAG_ALGORITHM = "sha256"
"""What content is hashed with that nobody asked for by its digest."""
# On one line, and without `*/*`: Docker Hub answers with another image if index types are missing, some with schema 1.
_MANIFEST_TYPES = f"{OCI_INDEX}, {DOCKER_INDEX}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"
_MANIFEST_HEADERS = Headers((("accept", _MANIFEST_TYPES),))


def manifest_request(endpoint: Endpoint, path: str, reference: ImageReference, *, method: str = "GET") -> Request:
    """Ask for a manifest or index; with ``HEAD`` only which one it is, which Docker Hub doesn't count as a pull."""
    return Request(
        method=method,
        url=endpoint.manifest_url(path, reference),
        registry=endpoint.registry,
        headers=_MANIFEST_HEADERS,
        max_body_bytes=limits.MANIFEST_BYTES,
    )


def blob_request(endpoint: Endpoint, path: str, descriptor: Descriptor) -> Request:
    """Ask for a small blob, such as a configuration: never a layer."""
    if descriptor.size_bytes > limits.CONFIG_BYTES:
        raise InvalidContentError(
            f"the configuration {descriptor.digest} of {endpoint.registry}/{path} claims {descriptor.size_bytes} bytes",
            details=[f"no configuration has more than {limits.CONFIG_BYTES}"],
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

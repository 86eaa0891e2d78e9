"""Uploads content as it is, for what skopeo would change or refuse.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.support.oci_images import Content


def upload(image: Content, *, registry: str, repository: str, tag: str) -> None:
    """Put an image into a registry without TLS and without login."""
    with closing(HTTPConnection(registry, timeout=10)) as connection:
        for content in image.walk():
            if content.is_blob:
                _upload_blob(connection, repository, content)
            else:
                _put(connection, f"/v2/{repository}/manifests/{content.digest}", content)
        _put(connection, f"/v2/{repository}/manifests/{tag}", image)


def tag_many(image: Content, *, registry: str, repository: str, tags: Iterable[str]) -> None:
    """Put an image that is there under many tags, a request each over one connection."""
    with closing(HTTPConnection(registry, timeout=10)) as connection:
        for tag in tags:
            _put(connection, f"/v2/{repository}/manifests/{tag}", image)


def delete_blob(blob: Content, *, registry: str, repository: str) -> None:
    """Take a blob out of a repository; distribution allows that under manifests that need it."""
    with closing(HTTPConnection(registry, timeout=10)) as connection:
        connection.request("DELETE", f"/v2/{repository}/blobs/{blob.digest}")
        with connection.getresponse() as answer:
            assert answer.status == 202, answer.read().decode()
            answer.read()


def _upload_blob(connection: HTTPConnection, repository: str, blob: Content) -> None:
    connection.request("POST", f"/v2/{repository}/blobs/uploads/")
    with connection.getresponse() as answer:
        answer.read()
        place = urlsplit(answer.headers["Location"])
    _put(connection, f"{place.path}?{place.query}&digest={blob.digest}", blob)


def _put(connection: HTTPConnection, path: str, content: Content) -> None:
    connection.request("PUT", path, body=content.body, headers={"Content-Type": content.media_type})
    with connection.getresponse() as answer:
        assert answer.status == 201, answer.read().decode()
        answer.read()

from __future__ import annotations

import pytest

from imagelock.errors import ImagelockError
from imagelock.model.package_url import parse_image_url

_HEX = "f" * 64
_DIGEST = f"sha256:{_HEX}"
_OTHER = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("pkg:docker/alpine@latest", "docker.io/library/alpine:latest"),
        ("pkg:docker/alpine", "docker.io/library/alpine:latest"),
        ("pkg:docker/docker/dockerfile@1", "docker.io/docker/dockerfile:1"),
        ("pkg:docker/ghcr.io/foo/bar@v2", "ghcr.io/foo/bar:v2"),
        ("pkg:docker/localhost%3A5000/x@1", "localhost:5000/x:1"),
        ("pkg:docker/localhost:5000/x@1", "localhost:5000/x:1"),
        (f"pkg:docker/alpine?digest={_DIGEST}", f"docker.io/library/alpine@{_DIGEST}"),
        (f"pkg:docker/alpine@3.20?digest={_DIGEST}", f"docker.io/library/alpine:3.20@{_DIGEST}"),
        (f"pkg:docker/alpine@{_DIGEST}", f"docker.io/library/alpine@{_DIGEST}"),
        (f"pkg:docker/alpine@sha256%3A{_HEX}", f"docker.io/library/alpine@{_DIGEST}"),
        (f"pkg:docker/alpine@{_DIGEST}?digest={_DIGEST}", f"docker.io/library/alpine@{_DIGEST}"),
        ("pkg:docker/team/app@1?repository_url=gcr.io", "gcr.io/team/app:1"),
        (
            f"pkg:oci/alpine@{_DIGEST}?repository_url=index.docker.io/library/alpine&tag=3",
            f"docker.io/library/alpine:3@{_DIGEST}",
        ),
        ("PKG:Docker/alpine@3", "docker.io/library/alpine:3"),
        ("pkg://docker/alpine@3", "docker.io/library/alpine:3"),
        ("pkg:docker/alpine@3#usr/bin", "docker.io/library/alpine:3"),
    ],
)
def test_an_image_is_named_by_its_canonical_reference(text: str, reference: str) -> None:
    found = parse_image_url(text)
    assert found is not None
    assert str(found.written.meaning) == reference


@pytest.mark.parametrize(
    ("text", "has_platform", "is_from_layout"),
    [
        ("pkg:docker/alpine@3?platform=linux%2Farm%2Fv7", True, False),
        (f"pkg:docker/alpine@3?digest={_DIGEST}&platform=linux%2Farm64", True, False),
        ("pkg:docker/docker/dockerfile@1", False, False),
        (f"pkg:oci/golang@1.22?digest={_DIGEST}", False, True),
    ],
)
def test_a_platform_and_a_layout_are_seen(text: str, *, has_platform: bool, is_from_layout: bool) -> None:
    found = parse_image_url(text)
    assert found is not None
    assert (found.has_platform, found.is_from_layout) == (has_platform, is_from_layout)


@pytest.mark.parametrize(
    "text", ["", "pkg:", "pkg:docker", "pkg:npm/docker@1", "https://docker.io/alpine", "git+https://host/x.git#main"]
)
def test_what_is_no_image_is_passed_over(text: str) -> None:
    assert parse_image_url(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"pkg:docker/alpine@{_DIGEST}?digest={_OTHER}", f"a package URL names two digests: {_DIGEST} and {_OTHER}"),
        ("pkg:docker/alpine?digest=sha256:1", "a sha256 digest has 64 hexadecimal digits, `sha256:1` has 1"),
        ("pkg:docker/alpine?platform=a&platform=b", "a package URL has the same qualifier twice"),
        ("pkg:docker/user:word@host/app", "a package URL has a user name in it"),
        ("pkg:docker/", "an image reference cannot be empty"),
        ("pkg:docker/..%2Falpine@1", "`../alpine:1`: `..` is not a host name"),
        (f"pkg:docker/{'a' * 2048}", "a package URL has no more than 2048 characters"),
    ],
)
def test_what_is_ambiguous_or_unreadable_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ImagelockError) as caught:
        parse_image_url(text)
    assert caught.value.message == reason

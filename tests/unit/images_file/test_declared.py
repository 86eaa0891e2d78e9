from __future__ import annotations

import pytest

from imagelock.images_file.declared import DeclaredImages
from imagelock.images_file.parser import parse_images_file
from imagelock.model.reference import parse_reference

_DIGEST = f"sha256:{'a1' * 32}"
_OTHER = f"sha256:{'b2' * 32}"
_IMAGES = DeclaredImages(
    parse_images_file(
        "[images]\n"
        'go = "golang:1.22"\n'
        'go-old = "golang:1.21"\n'
        'static = "cgr.dev/chainguard/static"\n'
        f'kept = "alpine:3@{_DIGEST}"\n'
        f'bare = "busybox@{_DIGEST}"\n'
        'node = { image = "node", version = ">=20,<21", variant = "slim" }\n'
        'here = "oci:./vendor:demo/tool:1"\n'
    ).images
)


@pytest.mark.parametrize(
    ("text", "alias"),
    [
        ("golang:1.22", "go"),
        ("docker.io/library/golang:1.21", "go-old"),
        (f"golang:1.22@{_OTHER}", "go"),
        ("golang:1.20", None),
        ("golang", None),
        ("cgr.dev/chainguard/static:latest", "static"),
        (f"cgr.dev/chainguard/static@{_DIGEST}", "static"),
        ("alpine:3", "kept"),
        (f"alpine@{_DIGEST}", "kept"),
        (f"alpine@{_OTHER}", None),
        (f"busybox:1@{_DIGEST}", "bare"),
        ("busybox", None),
        ("node:20.1-slim", "node"),
        ("node:21-slim", None),
        (f"node@{_DIGEST}", None),
        ("demo/tool:1", "here"),
        ("ubuntu", None),
    ],
)
def test_a_reference_is_found_by_tag_digest_or_range(text: str, alias: str | None) -> None:
    found = _IMAGES.find(parse_reference(text))
    assert (found and found.alias) == alias


def test_siblings_are_those_of_the_same_repository() -> None:
    assert [image.alias for image in _IMAGES.of_repository(parse_reference("golang:1"))] == ["go", "go-old"]

from __future__ import annotations

from collections.abc import Collection

import pytest

from imagelock.images_file.names import propose_name, propose_names
from imagelock.model.reference import split_image

_DIGEST = f"sha256:{'a1' * 32}"


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["golang:1.22-bookworm"], ["golang"]),
        (["postgres:15", "postgres:16.2-alpine"], ["postgres-15", "postgres-16"]),
        (["golang:1.22-bookworm", "golang:1.23"], ["golang-1-22", "golang-1-23"]),
        (["node:20", "node:20-slim"], ["node-20", "node-20-slim"]),
        (["node", "node:20"], ["node", "node-20"]),
        (["node:a.b", "node:a-b"], ["node-a-b", "node-a-b-2"]),
        (["debian:bookworm-slim", "debian:trixie"], ["debian-bookworm-slim", "debian-trixie"]),
        (["postgres", "bitnami/postgres:1"], ["postgres", "bitnami-postgres"]),
        (["ghcr.io/a/app", "quay.io/b/app"], ["a-app", "b-app"]),
        (["ghcr.io/a/app", "quay.io/a/app"], ["ghcr-io-a-app", "quay-io-a-app"]),
        (["localhost:5000/x/app:1", "app:1"], ["x-app", "app"]),
        ([f"alpine@{_DIGEST}", "alpine:3"], ["alpine-a1a1a1a1a1a1", "alpine-3"]),
        (["a.io/x/a.b", "a.io/x/a-b"], ["a-io-x-a-b", "a-io-x-a-b-2"]),
        (["docker/dockerfile:1"], ["dockerfile"]),
        (["oci:./vendor:demo/golang:1.22", "oci:./vendor:static"], ["golang", "static"]),
    ],
)
def test_each_name_has_the_least_that_tells_it_from_the_others(images: list[str], names: list[str]) -> None:
    assert list(propose_names([split_image(image) for image in images])) == names


@pytest.mark.parametrize(
    ("image", "taken", "name"),
    [
        ("postgres:16.2", [], "postgres"),
        ("postgres:16.2", ["postgres"], "postgres-16"),
        ("postgres:16.2", ["postgres", "postgres-16"], "postgres-16-2"),
        ("quay.io/team/postgres", ["postgres"], "team-postgres"),
        ("postgres", ["postgres"], "postgres-2"),
        ("postgres", ["postgres", "postgres-2"], "postgres-3"),
    ],
)
def test_one_more_image_gets_the_first_free_name(image: str, taken: Collection[str], name: str) -> None:
    assert propose_name(split_image(image), taken) == name

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelock.images_file.declaration import is_alias
from imagelock.images_file.names import propose_names, taken_names
from imagelock.images_file.parser import parse_images_file
from imagelock.model.reference import split_image

_DIGEST = f"sha256:{'a1' * 32}"
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _names(images: list[str], declared: Mapping[str, str] | None = None) -> list[str]:
    lines = [f'{alias} = "{image}"' for alias, image in (declared or {}).items()]
    known = parse_images_file("\n".join(["[images]", *lines])).images
    return list(propose_names([split_image(image) for image in images], taken=taken_names(known)))


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("golang:1.22-bookworm", "golang"),
        ("library/python:3.12", "python"),
        ("docker/dockerfile:1", "dockerfile"),
        ("ghcr.io/org/app/server:2026-01-05", "server"),
        ("quay.io/jupyter/base-notebook:2026-01-05", "jupyter"),
        ("jupyter/scipy-notebook:2026-01-05", "scipy-notebook"),
        ("mcr.microsoft.com/dotnet/sdk:8.0", "dotnet"),
        ("registry.k8s.io/ingress-nginx/controller:v1.11.1", "ingress-nginx"),
        ("gcr.io/minimal/base/runtime", "base-runtime"),
        ("localhost:5000/base", "base"),
        ("localhost:5000/app@" + _DIGEST, "app"),
        ("mirror.gcr.io/library/python:3", "python"),
        ("oci:./vendor:demo/golang:1.22", "golang"),
        ("oci:./vendor:static", "static"),
        ("oci:./vendor@" + _DIGEST, "vendor"),
    ],
)
def test_one_image_is_called_after_its_repository(image: str, name: str) -> None:
    assert _names([image]) == [name]


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["postgres:15", "postgres:16.2-alpine"], ["postgres-15", "postgres-16"]),
        (["python:3.11", "python:3.12"], ["python-3-11", "python-3-12"]),
        (["node:20", "node:20-slim"], ["node-20", "node-20-slim"]),
        (["node", "node:20"], ["node", "node-20"]),
        (["node", "node:latest-slim", "node:20"], ["node", "node-latest-slim", "node-20"]),
        (["node:a.b", "node:a-b"], ["node-a-b", "node-a-b-2"]),
        (["debian:bookworm-slim", "debian:trixie"], ["debian-bookworm-slim", "debian-trixie"]),
        (["app:2025-01-05", "app:2026-01-05"], ["app-2025", "app-2026"]),
        ([f"app:sha-{_COMMIT}", "app:main"], ["app-sha-0123456", "app-main"]),
        ([f"alpine@{_DIGEST}", "alpine:3"], ["alpine-a1a1a1a1a1a1", "alpine-3"]),
    ],
)
def test_tags_of_one_repository_are_told_apart_by_the_least_of_them(images: list[str], names: list[str]) -> None:
    assert _names(images) == names


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["postgres", "bitnami/postgres:1"], ["postgres", "bitnami-postgres"]),
        (["postgres:16", "bitnami/postgresql:16"], ["postgres", "postgresql"]),
        (["ghcr.io/a/app", "quay.io/b/app"], ["a-app", "b-app"]),
        (["ghcr.io/x/a/app", "quay.io/y/a/app"], ["x-a-app", "y-a-app"]),
        (["localhost:5000/x/app:1", "app:1"], ["x-app", "app"]),
        (["minio/minio", "minio/operator"], ["minio", "minio-operator"]),
        (["dotnet/sdk", "dotnet/runtime", "dotnet/aspnet"], ["dotnet-sdk", "dotnet-runtime", "aspnet"]),
        (["a.io/x/a.b", "a.io/x/a-b"], ["x-a-b", "x-a-b-2"]),
        (["a/app", "b/app", "c/sdk", "app/sdk"], ["a-app", "b-app", "c", "app-sdk"]),
    ],
)
def test_repositories_are_told_apart_by_what_contains_them(images: list[str], names: list[str]) -> None:
    assert _names(images) == names
    if not any(name.endswith("-2") for name in names):
        assert _names(images[::-1])[::-1] == names


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["quay.io/a/app", "ghcr.io/a/app"], ["quay-app", "ghcr-app"]),
        (["a/app", "ghcr.io/a/app"], ["app", "ghcr-app"]),
        (["python", "public.ecr.aws/library/python"], ["python", "ecr-python"]),
        (["r.one.example/a/app", "r.two.example:5000/a/app"], ["one-app", "two-app"]),
        (["a.corp.example/app", "b.corp.example/app"], ["a-corp-example-app", "b-corp-example-app"]),
        (["10.0.0.1:5000/app", "localhost/app"], ["10-0-0-1-5000-app", "localhost-app"]),
        (
            [
                "jupyter/base-notebook:2026-01-05",
                "quay.io/jupyter/base-notebook:2025",
                "quay.io/jupyter/base-notebook:2026",
            ],
            ["jupyter", "quay-jupyter-2025", "quay-jupyter-2026"],
        ),
    ],
)
def test_registries_are_named_where_nothing_else_differs(images: list[str], names: list[str]) -> None:
    assert _names(images) == names


@pytest.mark.parametrize(
    ("image", "declared", "name"),
    [
        ("postgres:16.2", {"go": "golang:1.22"}, "postgres"),
        ("postgres:16.2", {"postgres": "postgres:15"}, "postgres-16"),
        ("postgres:16.2", {"db": "postgres:15"}, "postgres-16"),
        ("python:3.12", {"python": "python:3.11"}, "python-3-12"),
        ("postgres:16.2", {"postgres": "postgres:15", "postgres-16": "postgres:16.1"}, "postgres-16-2"),
        ("postgres:16.2", {"postgres": "bitnami/postgres:15"}, "docker-postgres"),
        ("quay.io/team/postgres:16", {"postgres": "postgres:15"}, "team-postgres"),
        ("quay.io/team/postgres", {"postgres": "postgres:15", "team-postgres": "golang"}, "quay-team-postgres"),
        ("ghcr.io/a/app", {"app": "a/app"}, "ghcr-app"),
        ("a/app", {"app": "ghcr.io/a/app"}, "docker-app"),
        ("postgres", {"postgres": "postgres:15"}, "postgres-latest"),
        ("postgres", {"postgres": "postgres:15", "postgres-latest": "golang"}, "postgres-latest-2"),
        ("oci:./vendor:golang:1.23", {"golang": "oci:./vendor:golang:1.22"}, "golang-1-23"),
    ],
)
def test_declared_names_stay_and_are_not_given_again(image: str, declared: Mapping[str, str], name: str) -> None:
    assert _names([image], declared) == [name]


_IMAGES = st.from_regex(
    r"\A(?:[a-c]\.io/|localhost:5000/)?(?:library/)?(?:[ab]/)?[a-c](?:-sdk|sdk|\.b)?(?::[12v](?:\.[01])?)?\Z"
)


@given(st.lists(_IMAGES, max_size=8, unique=True), st.lists(_IMAGES, max_size=4, unique=True))
def test_all_names_are_valid_and_differ_and_a_later_scan_gives_other_ones(first: list[str], later: list[str]) -> None:
    known = {split_image(image).meaning: image for image in first}
    begun = _names(list(known.values()))
    declared = dict(zip(begun, known.values(), strict=True))
    new = {split_image(image).meaning: image for image in later if split_image(image).meaning not in known}
    added = _names(list(new.values()), declared)
    assert all(map(is_alias, (*begun, *added)))
    assert len({*begun, *added}) == len(begun) + len(added)

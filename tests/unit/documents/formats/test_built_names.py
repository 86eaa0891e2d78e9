from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.built_names import find_built_names
from imagelock.documents.formats.format import Format

_COMPOSE = """\
services:
  app: {build: ., image: "acme/app:${TAG:-dev}"}
  web: {build: {context: ., tags: ["acme/web:1", "ghcr.io/acme/web"]}}
  db: {image: "postgres:16"}
"""
_SKAFFOLD = """\
apiVersion: skaffold/v4beta1
kind: Config
build: {artifacts: [{image: shop/front}, {image: "localhost:5000/shop/back"}]}
profiles: [{name: x, build: {artifacts: [{image: shop/extra}]}}]
"""
_BAKE = """\
target "app" { tags = ["acme/app:1", "${REGISTRY}/acme/other:1"] }
target "none" { contexts = { base = "docker-image://alpine" } }
"""
_GITHUB = """\
jobs:
  build:
    steps:
      - uses: docker/metadata-action@v5
        with: {images: "ghcr.io/acme/meta"}
      - uses: docker/build-push-action@v6
        with:
          tags: |
            acme/app:latest
            ghcr.io/${{ github.repository }}:1
      - uses: docker/build-push-action@v6
        with: {tags: "acme/a:1, acme/b:2"}
      - uses: other/action@v1
        with: {tags: acme/not}
"""


@pytest.mark.parametrize(
    ("kind", "content", "names"),
    [
        (table.COMPOSE, _COMPOSE, {"acme/app", "acme/web", "ghcr.io/acme/web"}),
        (table.SKAFFOLD, _SKAFFOLD, {"shop/front", "localhost:5000/shop/back", "shop/extra"}),
        (table.BAKE, _BAKE, {"acme/app"}),
        (table.GITHUB, _GITHUB, {"ghcr.io/acme/meta", "acme/app", "acme/a", "acme/b"}),
        (table.KUBERNETES, "apiVersion: v1\nbuild: {tags: [a/b]}\n", set()),
        (table.COMPOSE, "services: {a: {build: ., image: [x]}}\nbroken: {\n", set()),
        (table.COMPOSE, "services: []\nbuild: 1\n", set()),
    ],
)
def test_what_a_repository_builds_is_found_without_tags(kind: Format, content: str, names: set[str]) -> None:
    assert find_built_names(content.encode(), kind) == names

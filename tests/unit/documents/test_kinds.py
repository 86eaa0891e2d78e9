from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from imagelock.documents.kinds import DocumentKind, detect_kind, find_references
from imagelock.documents.references import Scan

_RESOURCE = b"# app\napiVersion: v1\nkind: Pod\n"
_SERVICES = b"version: '3'\nservices:\n  # web\n\n  web:\n    image: a\n"


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("Dockerfile", b"", DocumentKind.DOCKERFILE),
        ("a/Containerfile", b"", DocumentKind.DOCKERFILE),
        ("a/Dockerfile.dev", b"", DocumentKind.DOCKERFILE),
        ("web.Dockerfile", b"", DocumentKind.DOCKERFILE),
        ("web.dockerfile", b"", DocumentKind.DOCKERFILE),
        ("Dockerfile.in", b"", None),
        ("Dockerfile.dockerignore", b"", None),
        ("dockerfile.yaml", b"", None),
        ("Dockerfiles", b"", None),
        ("compose.yaml", b"", DocumentKind.COMPOSE),
        ("docker-compose.override.yml", b"", DocumentKind.COMPOSE),
        ("compose-dev.yml", b"", DocumentKind.COMPOSE),
        ("kustomization.yaml", _RESOURCE, DocumentKind.KUSTOMIZATION),
        (".github/workflows/ci.yml", b"", DocumentKind.GITHUB),
        ("x/action.yml", b"", DocumentKind.GITHUB),
        (".gitlab-ci.yml", b"", DocumentKind.GITLAB),
        ("ci/test.gitlab-ci.yml", b"", DocumentKind.GITLAB),
        ("chart/values.yaml", b"", DocumentKind.HELM_VALUES),
        ("values-prod.yaml", b"", DocumentKind.HELM_VALUES),
        ("deploy/app.yaml", _RESOURCE, DocumentKind.KUBERNETES),
        ("stack.yml", _SERVICES, DocumentKind.COMPOSE),
        ("x.yml", b"services:\n- a\n", None),
        ("x.yml", b"a: 1\n", None),
        ("x.txt", _RESOURCE, None),
    ],
)
def test_the_kind_is_told_by_the_name_and_for_other_yaml_by_the_content(
    path: str, content: bytes, kind: DocumentKind | None
) -> None:
    assert detect_kind(PurePosixPath(path), content) is kind


@pytest.mark.parametrize("kind", DocumentKind)
def test_every_kind_reads_what_it_can_and_raises_nothing(kind: DocumentKind) -> None:
    assert find_references(b"", kind).references == ()
    assert find_references(b"\x00\xff", kind).references == ()
    assert isinstance(find_references(b"a: &a [*a]\n", kind), Scan)

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import detect_kind, find_references
from imagelock.documents.references import Scan

_RESOURCE = b"# app\napiVersion: v1\nkind: Pod\n"
_SERVICES = b"version: '3'\nservices:\n  # web\n\n  web:\n    image: a\n"


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("Dockerfile", b"", table.DOCKERFILE),
        ("a/Containerfile", b"", table.DOCKERFILE),
        ("a/Dockerfile.dev", b"", table.DOCKERFILE),
        ("web.Dockerfile", b"", table.DOCKERFILE),
        ("web.dockerfile", b"", table.DOCKERFILE),
        ("Dockerfile.in", b"", None),
        ("Dockerfile.dockerignore", b"", None),
        ("dockerfile.yaml", b"", None),
        ("Dockerfiles", b"", None),
        ("compose.yaml", b"", table.COMPOSE),
        ("docker-compose.override.yml", b"", table.COMPOSE),
        ("compose-dev.yml", b"", table.COMPOSE),
        ("kustomization.yaml", _RESOURCE, table.KUSTOMIZATION),
        (".github/workflows/ci.yml", b"", table.GITHUB),
        ("x/action.yml", b"", table.GITHUB),
        (".gitlab-ci.yml", b"", table.GITLAB),
        ("ci/test.gitlab-ci.yml", b"", table.GITLAB),
        ("chart/values.yaml", b"", table.HELM_VALUES),
        ("values-prod.yaml", b"", table.HELM_VALUES),
        ("a\nb/Dockerfile", b"", table.DOCKERFILE),
        ("a\rb\n/c/compose.yaml", b"", table.COMPOSE),
        ("\n/.github/workflows/ci\n.yml", b"", table.GITHUB),
        ("deploy/app.yaml", _RESOURCE, table.KUBERNETES),
        ("stack.yml", _SERVICES, table.COMPOSE),
        ("app.yaml", b"\xef\xbb\xbfapiVersion: v1\nkind: Pod\n", table.KUBERNETES),
        ("stack.yml", b"\xef\xbb\xbfservices:\n  web:\n    image: a\n", table.COMPOSE),
        ("app.yaml", "apiVersion: v1\nkind: Pod\n".encode("utf-16"), table.KUBERNETES),
        ("Dockerfile.yaml", _RESOURCE, table.KUBERNETES),
        ("x.yml", b"services:\n- a\n", None),
        ("x.yml", b"a: 1\n", None),
        ("x.txt", _RESOURCE, None),
    ],
)
def test_the_kind_is_told_by_the_name_and_for_other_yaml_by_the_content(
    path: str, content: bytes, kind: Format | None
) -> None:
    assert detect_kind(PurePosixPath(path), content) is kind


@pytest.mark.parametrize("kind", table.FORMATS)
def test_every_kind_reads_what_it_can_and_raises_nothing(kind: Format) -> None:
    assert find_references(b"", kind).references == ()
    assert find_references(b"\x00\xff", kind).references == ()
    assert isinstance(find_references(b"a: &a [*a]\n", kind), Scan)

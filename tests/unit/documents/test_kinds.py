from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import detect_kind, find_references
from imagelock.documents.references import Problem, Scan
from imagelock.documents.spans import Position

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
        ("stack.yml", b"'services':\n  web:\n    image: a\n", table.COMPOSE),
        ("stack.yml", b"services: {web: {image: a}}\n", table.COMPOSE),
        ("stack.yml", b"services: &s\n  web:\n    image: a\n", table.COMPOSE),
        ("pod.yaml", b"# x\n---\n{kind: Pod, apiVersion: v1}\n", table.KUBERNETES),
        ("x.container", b"\xef\xbb\xbf[Container]\r\nImage=a\r\n", table.QUADLET),
        ("t/ci.yml", b"on: push\njobs:\n  a:\n    runs-on: x\n", table.GITHUB),
        ("t/meta.yml", b"name: x\nruns:\n  using: composite\n", table.GITHUB),
        ("t/circle.yml", b"version: 2.1\njobs:\n  a:\n    docker: [{image: a}]\n", table.CIRCLECI),
        ("t/drone.yml", b"kind: pipeline\ntype: docker\n", table.DRONE),
        ("t/build.yaml", b"steps:\n- name: gcr.io/cloud-builders/docker\n", table.CLOUD_BUILD),
        ("templates/job.yml", b"spec:\n  inputs:\n    a:\n---\nb:\n  image: c\n", table.GITLAB),
        ("t/play.yml", b"---\n- name: x\n  hosts: all\n", table.ANSIBLE),
        ("x.yml", b"on: 1\njobs:\n  a: 1\n", None),
        ("x.yml", b"steps:\n- name: build\n", None),
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


@pytest.mark.parametrize(
    "name", ["Dockerfile", "compose.yaml", ".env", ".devcontainer/devcontainer.json", "a.container"]
)
def test_a_file_with_conflict_markers_is_not_read(name: str) -> None:
    line = {".env": "A=golang:1.22", "a.container": "Image=golang:1.22"}.get(name, "FROM golang:1.22")
    content = f"{line}\r\n<<<<<<< HEAD\r\n{line}\r\n=======\r\n{line}\r\n>>>>>>> theirs\r\n".encode()
    kind = detect_kind(PurePosixPath(name), b"[Container]\n" if name == "a.container" else line.encode())
    assert kind is not None
    assert find_references(content, kind) == Scan(
        problems=(Problem(Position(2, 1), "it has conflict markers: resolve the merge first"),)
    )


def test_lines_like_conflict_markers_in_a_here_document_are_text() -> None:
    content = b"FROM golang:1.22\nCOPY <<EOF /a\n<<<<<<< HEAD\nEOF\n"
    assert [each.text for each in find_references(content, table.BY_NAME["dockerfile"]).references] == ["golang:1.22"]

"""One small document for each row, and the traps beside it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.description import formats_as_markdown
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import detect_kind
from tests.support.documents import OLD_DIGEST, pinned_text, references, refusals

_DOCS = Path(__file__).parents[4] / "docs"
_UNRESOLVED = "a variable or a template decides the image"


def _kind_of(path: str, document: str) -> Format:
    kind = detect_kind(PurePosixPath(path), document.encode())
    assert kind is not None
    return kind


_ROWS = [
    (".circleci/config.yml", "jobs: {a: {docker: [{image: 'cimg/node:22'}]}}", ["image cimg/node:22"]),
    (".circleci/config.yml", "executors: {a: {docker: [{image: 'a:1'}, {image: 'b:1'}]}}", ["image a:1", "image b:1"]),
    (".circleci/x/y.yaml", "orbs: {o: {jobs: {a: {docker: [{image: 'a:1'}]}}}}", ["image a:1"]),
    (".circleci/config.yml", "jobs: {a: {machine: {image: 'ubuntu-2204:2024.05.1'}}}", []),
    (
        ".circleci/config.yml",
        "d: &d\n  docker: [{image: 'a:1'}]\njobs: {a: {<<: *d}, b: {<<: *d}}",
        ["image a:1"],
    ),
    (
        ".circleci/config.yml",
        "jobs: {a: {docker: [{image: << parameters.i >>}]}}",
        [f"image << parameters.i >>: {_UNRESOLVED}"],
    ),
    (
        "azure-pipelines.yml",
        "jobs: [{container: 'mcr.microsoft.com/dotnet/sdk:8.0'}]",
        ["image mcr.microsoft.com/dotnet/sdk:8.0"],
    ),
    (
        ".azuredevops/ci.yml",
        "resources: {containers: [{container: linux, image: 'ubuntu:22.04'}]}\njobs: [{container: linux}]",
        ["image ubuntu:22.04"],
    ),
    (
        "azure-pipelines.yml",
        "pool: {vmImage: ubuntu-latest}\nstages: [{jobs: [{container: {image: 'a:1'}}]}]",
        ["image a:1"],
    ),
    ("azure-pipelines.yml", "steps: [{task: Docker@2, inputs: {image: 'a:1'}}]", []),
    ("bitbucket-pipelines.yml", "image: {name: 'node:20', username: $U}", ["image node:20"]),
    ("azure-pipelines.yml", "container: 'a:1'\nsteps: []", ["image a:1"]),
    ("azure-pipelines.yml", "jobs: [{'${{ if x }}': [{job: a, container: 'a:1'}]}]", ["image a:1"]),
    ("azure-pipelines.yml", "jobs: [{job: a, '${{ if x }}': {container: {image: 'a:1'}}}]", ["image a:1"]),
    (".circleci/src/executors/default.yml", "docker: [{image: 'a:1'}]", ["image a:1"]),
    (
        ".buildkite/pipeline.yml",
        "steps: [{plugins: [{'ssh://x/docker-buildkite-plugin.git#v1': {image: 'a:1'}}, {docker: {image: 'b:1'}}]}]",
        ["image a:1", "image b:1"],
    ),
    (
        ".buildkite/pipeline.yml",
        "steps: [{plugins: [{kubernetes: {podSpecPatch: {containers: [{image: a}]}, sidecars: [{image: b}]}}]}]",
        ["image a", "image b"],
    ),
    (".buildkite/pipeline.yml", "steps: [{plugins: [{docker-compose#v1: {image: 'a:1'}}]}]", []),
    ("bake.hcl", 'variable "B" { default = "docker-image://a:1" }', ["build-context a:1"]),
    ("docker-bake-dev.hcl", 'target "a" { matrix = { b = ["docker-image://a:1"] } }', ["build-context a:1"]),
    ("main.tf", 'resource "docker_image" "a" { name = "a:1"\n build { context = "." } }', []),
    ("tasks/main.yml", "- docker_image: {name: a, tag: '1', source: pull}", ["image 1 = a:1"]),
    ("tasks/main.yml", "- docker_image: {name: 'a:1', source: build}", []),
    ("tasks/main.yml", "- podman_image: {name: a, tag: '1'}", ["image 1 = a:1"]),
    ("tasks/main.yml", "- podman_image: {name: 'a:1', path: ./build}", []),
    (
        "bitbucket-pipelines.yml",
        (
            "pipelines: {default: [{step: {image: 'a:1', script: [{pipe: 'atlassian/x:2'}, {pipe: 'docker://b:1'}]}}]}\n"
            "definitions: {services: {db: {image: 'c:1'}}}"
        ),
        ["image a:1", "image b:1", "image c:1"],
    ),
    (
        ".drone.yml",
        (
            "kind: pipeline\ntype: docker\n"
            "steps: [{image: 'golang:1.22', settings: {repo: 'acme/app', image: 'x:1'}}]\n---\n"
            "kind: pipeline\ntype: exec\nsteps: [{image: 'a:1'}]\n---\nkind: pipeline\nservices: [{image: 'b:1'}]"
        ),
        ["image golang:1.22", "image b:1"],
    ),
    (".drone.yml", "pipeline: {build: {image: 'a:1'}}\nservices: {db: {image: 'b:1'}}", ["image a:1", "image b:1"]),
    (
        ".woodpecker/x.yml",
        "steps: {b: {image: 'golang:1.22'}}\nservices: {db: {image: 'mysql:8'}}",
        ["image golang:1.22", "image mysql:8"],
    ),
    (".woodpecker.yml", "variables: [&go 'golang:1']\nsteps: [{image: *go}, {image: *go}]", ["image golang:1"]),
    (
        ".vela.yml",
        "stages: {a: {steps: [{image: 'a:1'}]}}\nsecrets: [{origin: {image: 'b:1'}}]",
        ["image a:1", "image b:1"],
    ),
    (
        "cloudbuild.yaml",
        "steps: [{name: gcr.io/cloud-builders/docker, args: [x]}]\nimages: ['gcr.io/$PROJECT_ID/app']",
        ["image gcr.io/cloud-builders/docker"],
    ),
    ("cloudbuild.json", '{"steps": [{"name": "a/b:1"}] /* c */}', ["image a/b:1"]),
    (
        ".buildkite/pipeline.yml",
        (
            "steps:\n- plugins:\n  - docker#v5: {image: 'a:1'}\n"
            "  - docker-compose#v5: {push: 'app:r/app', image: 'x:1'}\n"
            "- plugins: {docker#v5: {image: 'b:1'}}\n- image: c:1\n"
        ),
        ["image a:1", "image b:1", "image c:1"],
    ),
    (
        "helmfile.yaml",
        "releases: [{chart: x/y, values: [{image: {repository: a, tag: v1, digest: ''}}]}]",
        ["image v1 = a:v1"],
    ),
    (
        "skaffold.yaml",
        (
            "apiVersion: skaffold/v4beta1\nkind: Config\n"
            "build: {artifacts: [{image: acme/app, jib: {fromImage: 'j:1'}}]}\n"
            "profiles: [{build: {googleCloudBuild: {dockerImage: 'd:1'}}}]\nverify: [{container: {image: 'v:1'}}]"
        ),
        ["image j:1", "image d:1", "image v:1"],
    ),
    ("ci/x.yaml", "apiVersion: skaffold/v4beta1\nkind: Config\nbuild: {artifacts: [{image: acme/app}]}", []),
    (
        ".pre-commit-config.yaml",
        "repos: [{hooks: [{language: docker_image, entry: 'koalaman/check:v0 -x'}, {language: python, entry: a}]}]",
        ["image koalaman/check:v0"],
    ),
    (
        ".pre-commit-hooks.yaml",
        "- {language: docker_image, entry: '--entrypoint /bin/sh -t --user=a a/b:v2 b/c:d'}\n- {language: docker}",
        ["image a/b:v2"],
    ),
    (
        "roles/x/tasks/main.yml",
        (
            "- community.docker.docker_container: {name: x, image: 'redis:7'}\n"
            "- block: [{podman_container: {image: '{{ app }}:{{ tag }}'}}]\n- docker_image_push: {name: 'x:1'}"
        ),
        ["image redis:7", f"image {{{{ app }}}}:{{{{ tag }}}}: {_UNRESOLVED}"],
    ),
    (
        "docker-bake.hcl",
        'target "a" { contexts = { go = "docker-image://golang:1.22", x = "./x" } }',
        ["build-context golang:1.22"],
    ),
    (
        "docker-bake.hcl",
        'target "a" {\n  contexts = {\n    go = "docker-image://golang:${V}"\n  }\n  tags = ["acme/app:1"]\n}\n',
        [f"build-context golang:${{V}}: {_UNRESOLVED}"],
    ),
    (
        "docker-bake.override.hcl",
        'target "a" {\n  dockerfile-inline = <<EOT\nFROM alpine:3\nCOPY --from=b:1 / /\nEOT\n}\n',
        ["from alpine:3", "copy-from b:1"],
    ),
    ("docker-bake.json", '{"target": {"a": {"contexts": {"b": "docker-image://redis:7"}}}}', ["build-context redis:7"]),
    (".devcontainer/devcontainer.json", '{ // c\n"image": "a/go:1", "features": {"x/node:1": {}}, }', ["image a/go:1"]),
    (".devcontainer.json", '{"build": {"dockerfile": "x", "image": "a:1"}}', []),
    (
        "x.container",
        "[Unit]\nImage=no\n[Container]\n# Image=a:1\nImage=b:1\nImage=docker.io/library/alpine:3.23.0\n",
        ["image docker.io/library/alpine:3.23.0"],
    ),
    ("x.container", "[Container]\nImage=app.build\n", []),
    ("x.volume", "[Volume]\nDriver=image\nImage=a:1\n", ["image a:1"]),
    ("x.image", "[Image]\nImage=docker://a:1\nImageTag=b:1\n", ["image a:1"]),
    ("x.container.d/10.conf", "[Container]\nImage=a:%i\n", ["image a:%i: `a:%i`: `%i` is not a tag"]),
    (
        "a.nomad.hcl",
        'job "j" { group "g" { task "t" { driver = "docker"\n config { image = "redis:7" } } } }',
        ["image redis:7"],
    ),
    (
        "main.tf",
        (
            'resource "docker_image" "a" {\n  name = "redis:7"\n}\nresource "docker_container" "b" {\n'
            "  image = docker_image.a.image_id\n}\n"
            'resource "docker_container" "c" {\n  image = var.image\n}\n'
        ),
        ["image redis:7", f"image var.image: {_UNRESOLVED}"],
    ),
    (
        "k.tf",
        (
            'resource "kubernetes_deployment_v1" "a" {\n spec {\n template {\n spec {\n container {\n'
            ' image = "a:1"\n }\n'
            ' container {\n image = "b:1"\n }\n }\n }\n }\n}\n'
        ),
        ["image a:1", "image b:1"],
    ),
    (
        ".env",
        "APP_IMAGE=redis:7 # c\nDB_IMAGE='postgres:16'\nexport X_IMAGE=\"a:1\"\nIMAGE_NAME=app\nY_IMAGE=app\n",
        ["image redis:7", "image postgres:16", "image a:1"],
    ),
    ("Kustomization", "images: [{name: redis, newTag: '7'}]", ["image 7 = redis:7"]),
    ("kustomization.yaml", "images: [{name: a, newName: 'b:1'}, {name: c, newName: d}]", ["image b:1"]),
    (
        "kustomization.yaml",
        "helmCharts: [{name: x, valuesInline: {image: {repository: a, tag: v1}}}]",
        ["image v1 = a:v1"],
    ),
    ("pod.json", '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "a:1"}]}}', ["image a:1"]),
    (".forgejo/workflows/x.yml", "jobs: {a: {container: 'node:20'}}", ["image node:20"]),
    ("workflow-templates/x.yml", "jobs: {a: {container: 'node:20'}}", ["image node:20"]),
    (".circleci/docker-compose.yml", "services: {a: {image: 'a:1'}}", ["image a:1"]),
]


@pytest.mark.parametrize(("path", "document", "found"), _ROWS)
def test_each_row_finds_its_references_and_nothing_else(path: str, document: str, found: list[str]) -> None:
    seen = [each.partition(": up to")[0] for each in references(document, _kind_of(path, document))]
    assert seen == found


def test_every_row_has_a_document_here() -> None:
    names = {_kind_of(path, document).name for path, document, _ in _ROWS}
    assert names | {"dockerfile", "helm-values", "gitlab"} == {row.name for row in table.FORMATS}


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.nomad", 'job "a" { group "b" { task "c" { config { image = "redis:7" } } } }', "redis@D"),
        (".devcontainer.json", '{"image": "a/go:1-1.22"}', "a/go@D"),
        ("cloudbuild.yaml", "steps: [{name: 'a/b:1'}]", "a/b@D"),
        (".circleci/config.yml", "jobs: {a: {docker: [{image: 'cimg/node:22'}]}}", "cimg/node:22@D"),
        ("x.container", "[Container]\r\nImage=a:1\r\n", "a:1@D"),
        (".env", "X_IMAGE=a:1 # c\n", "a:1@D # c"),
        ("docker-bake.hcl", 'target "a" {\n dockerfile-inline = <<-E\n   FROM a:1\n   E\n}', "FROM a:1@D\n"),
        ("main.tf", 'resource "docker_image" "a" { name = "redis:7" }', '"redis:7@D"'),
    ],
)
def test_a_digest_goes_where_the_program_accepts_it(path: str, before: str, after: str) -> None:
    pinned = pinned_text(before, _kind_of(path, before))
    assert after in pinned
    assert pinned_text(pinned.replace("D", OLD_DIGEST) if "@D" in pinned else "", _kind_of(path, before)) == pinned


def test_a_postgresql_of_cloudnative_pg_needs_its_tag() -> None:
    document = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nspec: {imageName: 'ghcr.io/a/postgresql'}"
    reason = "CloudNativePG reads PostgreSQL's major version from the tag"
    assert refusals(document, _kind_of("c.yaml", document)) == [f"ghcr.io/a/postgresql: {reason}"]


def test_the_page_of_formats_is_made_from_the_rows() -> None:
    page = (_DOCS / "formats.md").read_text()
    begin = "<!-- formats: made from the rows of src/imagelock/documents/formats -->\n"
    assert page.partition(begin)[2].partition("<!-- /formats -->")[0] == formats_as_markdown()

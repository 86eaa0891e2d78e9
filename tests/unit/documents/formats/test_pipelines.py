"""GitHub Actions and GitLab CI."""

from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.compose import find_context_names
from tests.support.documents import OLD_DIGEST, pinned_text, references, refusals

_GITHUB = table.GITHUB
_GITLAB = table.GITLAB


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("jobs: {a: {container: 'node:20'}}", ["image node:20"]),
        ("jobs: {a: {container: {image: 'node:20'}}}", ["image node:20"]),
        ("jobs: {a: {container: {image: 'docker://node:20'}}}", ["image node:20"]),
        ("jobs: {a: {services: {db: {image: 'postgres:16'}, x: {}}}}", ["image postgres:16"]),
        ("jobs: {a: {steps: [{uses: 'docker://alpine:3'}, {uses: actions/checkout@v4}, x]}}", ["action alpine:3"]),
        ("runs: {using: docker, image: 'docker://alpine:3'}", ["action alpine:3"]),
        ("runs: {using: docker, image: Dockerfile}", []),
        ("runs: {using: composite, steps: [{uses: 'docker://a:1'}]}", ["action a:1"]),
        (
            "jobs: {a: {container: '${{ matrix.i }}'}}",
            ["image ${{ matrix.i }}: a variable or a template decides the image"],
        ),
        ("jobs: {a: {container: ''}}", []),
        ("jobs: {a: {steps: [{run: docker run x}]}}", []),
        ("x", []),
    ],
)
def test_github(document: str, found: list[str]) -> None:
    assert references(document, _GITHUB) == found


def test_the_docker_scheme_stays_outside_of_an_edit() -> None:
    before = "jobs: {a: {steps: [{uses: 'docker://alpine:3'}]}}"
    assert pinned_text(before, _GITHUB) == "jobs: {a: {steps: [{uses: 'docker://alpine:3@D'}]}}"


def test_a_docker_action_with_escapes_is_refused() -> None:
    document = 'jobs: {a: {steps: [{uses: "docker:\\x2f/alpine:3"}]}}'
    assert refusals(document, _GITHUB) == ["alpine:3: escapes or line breaks stand inside the value"]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("image: ruby:3\n", ["image ruby:3"]),
        ("image: {name: 'ruby:3', entrypoint: ['']}\n", ["image ruby:3"]),
        ("default: {image: 'ruby:3', services: ['redis:7']}\n", ["image ruby:3", "image redis:7"]),
        (
            "test: {image: 'a:1', services: [{name: 'b:1', alias: c}, 'd:1', {alias: x}]}\n",
            ["image a:1", "image b:1", "image d:1"],
        ),
        (".hidden: {image: 'a:1'}\n", ["image a:1"]),
        ("variables: {image: 'a:1'}\ninclude: {image: x}\n", []),
        ("test: {image: $CI_IMAGE}\n", ["image $CI_IMAGE: a variable or a template decides the image"]),
        ("test: {script: !reference [.a, script], image: 'a:1'}\n", ["image a:1"]),
        ("spec: {inputs: {image: {default: a}}}\n---\ntest: {image: 'a:1'}\n", ["image a:1"]),
        ("- a\n", []),
    ],
)
def test_gitlab(document: str, found: list[str]) -> None:
    assert references(document, _GITLAB) == found


@pytest.mark.parametrize("service", ["redis", f"redis@{OLD_DIGEST}"])
def test_a_gitlab_service_without_a_tag_gets_no_digest_since_runners_lose_it(service: str) -> None:
    reason = "GitLab Runner can lose the digest of a service that has no tag"
    assert refusals(f"services: ['{service}']\n", _GITLAB) == [f"{service}: {reason}"]


_IMAGES = "{image: ['debian:11', 'debian:12'], include: [{image: 'debian:13'}, {os: x}]}"


@pytest.mark.parametrize(
    ("job", "found"),
    [
        (
            f"strategy: {{matrix: {_IMAGES}}}, container: '${{{{ matrix.image }}}}'",
            ["debian:11", "debian:12", "debian:13"],
        ),
        (
            f"strategy: {{matrix: {_IMAGES}}}, container: {{image: '${{{{matrix.image}}}}'}}",
            ["debian:11", "debian:12", "debian:13"],
        ),
        ("strategy: {matrix: {c: [{image: 'a:1', x: y}]}}, container: '${{ matrix.c.image }}'", ["a:1"]),
        ("strategy: {matrix: {c: [{image: 'a:1'}]}}, container: '${{ matrix.c }}'", ["a:1"]),
        ("strategy: {matrix: {i: ['a:1']}}, services: {db: {image: '${{ matrix.i }}'}}", ["a:1"]),
        ("strategy: {matrix: {i: ['a:1']}}", []),
        ("strategy: {matrix: {v: ['20', '22']}}, container: 'node:${{ matrix.v }}'", ["node:${{ matrix.v }}: ?"]),
        ("strategy: {matrix: {i: '${{ fromJSON(x) }}'}}, container: '${{ matrix.i }}'", ["${{ matrix.i }}: ?"]),
        ("strategy: {matrix: {i: ['a:1', '${{ x }}']}}, container: '${{ matrix.i }}'", ["${{ matrix.i }}: ?"]),
        ("container: null", []),
        ("container: {image: true}", []),
    ],
)
def test_the_matrix_values_that_a_container_names_are_references(job: str, found: list[str]) -> None:
    seen = references(f"jobs: {{a: {{{job}}}}}", _GITHUB)
    assert seen == [f"image {each}".replace("?", "a variable or a template decides the image") for each in found]


@pytest.mark.parametrize(
    "prefix", ["$CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX", "${CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX}"]
)
def test_the_proxy_of_gitlab_stays_in_front_of_a_pinned_reference(prefix: str) -> None:
    document = f"build: {{image: '{prefix}/docker:20.10.5'}}\n"
    assert references(document, _GITLAB) == ["image docker:20.10.5"]
    assert pinned_text(document, _GITLAB) == document.replace("20.10.5", "20.10.5@D")


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("a: {services: !reference [.postgres, services], image: 'a:1'}\n", ["image a:1"]),
        ("a: {services: [!reference [.postgres, services], 'b:1']}\n", ["image b:1"]),
        ("a: {image: !reference [.b, image]}\n", []),
        ("a: {image: '$CI_REGISTRY/x:1'}\n", ["image $CI_REGISTRY/x:1: a variable or a template decides the image"]),
        ("a: {image: true, services: [null, '']}\n", []),
        ("stages: [image]\nworkflow: {image: x}\n", []),
    ],
)
def test_gitlab_references_and_variables(document: str, found: list[str]) -> None:
    assert references(document, _GITLAB) == found


_BUILD = "jobs:\n  a:\n    steps:\n    - uses: docker/build-push-action@v6\n      with:\n        build-contexts: "


def test_contexts_of_the_build_action_are_pinned_in_their_lines() -> None:
    lines = ("php-base=docker-image://php:8", "src=./src", "go=docker-image://go:${{ x }}")
    document = f"{_BUILD}|\n" + "".join(f"          {line}\n" for line in lines)
    assert references(document, table.GITHUB) == [
        "build-context php:8",
        "build-context go:${{ x }}: a variable or a template decides the image",
    ]
    assert pinned_text(document, table.GITHUB) == document.replace("php:8", "php:8@D")
    assert pinned_text(f"{_BUILD}a=docker-image://b:1\n", table.GITHUB) == f"{_BUILD}a=docker-image://b:1@D\n"
    assert find_context_names(document.encode()) == {"php-base", "go"}


def _matrix_job(matrix: str, rest: str = "") -> str:
    return f"jobs: {{a: {{container: '${{{{ matrix.image }}}}', strategy: {{matrix: {{{matrix}}}}}{rest}}}}}\n"


def test_what_a_matrix_excludes_changes_with_it() -> None:
    document = _matrix_job("image: ['a:1', 'b:1'], exclude: [{image: 'a:1', os: x}]")
    assert pinned_text(document, table.GITHUB) == document.replace(":1'", ":1@D'")


@pytest.mark.parametrize(
    ("condition", "is_refused"),
    [
        ("matrix.image == 'a:1'", True),
        ("'a:1' != matrix.image", True),
        ("endsWith(matrix.image, ':1')", True),
        ("startsWith(matrix.image, 'a')", False),
        ("matrix.image2 == 'a'", False),
    ],
)
def test_a_matrix_value_that_an_expression_compares_is_left_alone(condition: str, *, is_refused: bool) -> None:
    document = _matrix_job("image: ['a:1']", f', steps: [{{if: "{condition}"}}]')
    assert bool(refusals(document, table.GITHUB)) == is_refused

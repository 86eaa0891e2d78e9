"""GitHub Actions and GitLab CI."""

from __future__ import annotations

import pytest

from imagelock.documents.kinds import DocumentKind
from tests.support.documents import OLD_DIGEST, pinned_text, references, refusals

_GITHUB = DocumentKind.GITHUB
_GITLAB = DocumentKind.GITLAB


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

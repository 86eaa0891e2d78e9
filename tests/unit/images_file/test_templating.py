from __future__ import annotations

from dataclasses import replace

import pytest

from imagelock.documents.references import Image, Scan
from imagelock.images_file.discovery import ScannedDocument, survey
from imagelock.images_file.templating import make_template
from tests.support.authored_documents import DIGESTS, compose, dockerfile, values


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (dockerfile("FROM golang:1.22 AS a\r\nFROM a\r\n"), "FROM {{images.golang}} AS a\r\nFROM a\r\n"),
        (dockerfile("FROM redis\n"), "FROM {{images.redis}}\n"),
        (dockerfile(f"FROM redis:7@{DIGESTS[0]}\n"), "FROM {{images.redis}}\n"),
        (dockerfile(f"FROM redis@{DIGESTS[0]}\n"), "FROM redis@{{images.redis.digest}}\n"),
        (
            dockerfile("FROM redis:7\nFROM docker.io/library/redis:7\n"),
            "FROM {{images.redis}}\nFROM docker.io/library/redis:7@{{images.redis.digest}}\n",
        ),
        (dockerfile("ARG B=redis:7\nFROM ${B}\n"), "ARG B=redis:7@{{images.redis.digest}}\nFROM ${B}\n"),
        (
            dockerfile("# syntax=docker/dockerfile:1\nFROM a:1\nCOPY --from=b:1 /a /b\n"),
            "# syntax={{images.dockerfile}}\nFROM {{images.a}}\nCOPY --from={{images.b}} /a /b\n",
        ),
        (
            compose("services:\n  a:\n    image: 'redis:7' # c\n  b:\n    image: redis:8"),
            (
                "services:\n  a:\n    image: 'redis:7@{{images.redis-7.digest}}' # c\n"
                "  b:\n    image: redis:8@{{images.redis-8.digest}}"
            ),
        ),
        (
            compose("services:\n  a: {build: {additional_contexts: [base=.], dockerfile_inline: FROM base}}\n"),
            "services:\n  a: {build: {additional_contexts: [base=.], dockerfile_inline: FROM base}}\n",
        ),
    ],
)
def test_only_images_become_placeholders(document: ScannedDocument, expected: str) -> None:
    template = make_template(document, survey([document]))
    assert (template.content.decode(), template.remaining) == (expected, ())


def test_the_name_of_a_build_context_stays() -> None:
    document = dockerfile("FROM base\nFROM redis\n")
    building = compose("services:\n  a: {build: {additional_contexts: [base=., 'No Name=.', unused=.]}}\n")
    found = survey([document, building])
    assert found.external == ("base",)
    assert make_template(document, found).content == b"FROM base\nFROM {{images.redis}}\n"


def test_a_digest_of_its_own_is_a_placeholder_and_its_digits_have_none() -> None:
    content = (
        "a:\n  image: {repository: redis, tag: '7', digest: '%s'}\nb:\n  image: {repository: go, tag: '1', sha: '%s'}\n"
    )
    document = values(content % (DIGESTS[0], "c" * 64))
    template = make_template(document, survey([document]))
    assert template.content.decode() == content % ("{{images.redis.digest}}", "c" * 64)
    assert [obstacle.reason for obstacle in template.remaining] == ["no placeholder gives the digits of a digest alone"]


def test_what_has_no_place_for_a_digest_stays_and_is_told() -> None:
    document = dockerfile("ARG V=3\nFROM python:${V}-slim\nFROM redis:7\n")
    template = make_template(document, survey([document]))
    assert template.content == b"ARG V=3\nFROM python:${V}-slim\nFROM {{images.redis}}\n"
    assert list(map(str, template.remaining)) == ["Dockerfile:2:6: `python:${V}-slim`: a variable decides the tag"]


def test_two_images_that_want_one_place_both_stay() -> None:
    document = dockerfile("FROM a:1\nFROM b:1\n")
    first, second = document.scan.references
    assert isinstance(first.target, Image)
    assert isinstance(second.target, Image)
    moved = replace(second, target=replace(second.target, text="docker.io/b:1", editing=first.target.editing))
    also_moved = replace(first, target=replace(first.target, text="docker.io/a:1"))
    shared = replace(document, scan=Scan((also_moved, moved)))
    template = make_template(shared, survey([shared]))
    reason = "another reference needs another digest in the same place"
    assert (template.content, list(map(str, template.remaining))) == (
        document.content,
        [f"Dockerfile:1:6: `a:1`: {reason}", f"Dockerfile:2:6: `b:1`: {reason}"],
    )

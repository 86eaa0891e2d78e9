from __future__ import annotations

import pytest

from imagelock.images_file.discovery import ScannedDocument, survey
from imagelock.images_file.first_file import FirstFile, dump_first_file
from imagelock.images_file.parser import ImagesFile, RenderTarget, parse_images_file
from tests.support.authored_documents import DIGESTS, compose, dockerfile

_HEAD = """\
#:schema https://imagelock.github.io/imagelock/images.schema.json
# The images of this project: `imagelock lock` locks them, and `imagelock render` writes their digests.
platforms = ["linux/amd64", "linux/arm64"]

[images]
"""
_KEPT = """\
# A digest here is kept as your files have it. To let `imagelock update` move such an image, run
# `imagelock lock`, then take its digest off here: what is locked stays locked until you update it.
"""


def test_everything_that_can_be_found_is_written() -> None:
    documents = [
        compose(
            "services:\n  a: {image: postgres:15}\n  b: {image: 'postgres:16'}\n"
            f"  c: {{image: nginx:1.27@{DIGESTS[0]}}}\n  d: {{build: {{additional_contexts: {{base: ./base}}}}}}\n"
        ),
        dockerfile("FROM golang:1.22 AS build\nFROM build\nFROM base\nFROM scratch\n"),
        dockerfile("ARG T=3\nARG B\nFROM python:$T\nFROM $B\n", path="tools/Dockerfile"),
        dockerfile("FROM docker.io/library/golang:1.22\n", path="ci/Dockerfile"),
    ]
    assert _text(*documents) == (
        f'{_HEAD}golang = "golang:1.22"  # Dockerfile, ci/Dockerfile\n'
        'postgres-15 = "postgres:15"  # compose.yaml\n'
        'postgres-16 = "postgres:16"  # compose.yaml\n'
        'python = "python:3"  # tools/Dockerfile\n\n'
        f'{_KEPT}nginx = "nginx:1.27@{DIGESTS[0]}"  # compose.yaml\n\n'
        '[pin]\nfiles = [\n    "Dockerfile",\n    "ci/Dockerfile",\n    "compose.yaml",\n]\n\n'
        "# Built here, or not ours.\n[external]\n"
        "# No digest can be written for the lines with a `#` below. To accept one as it is, take off its `#`.\n"
        'names = [\n    "base",\n'
        '    # "python:$T",  # tools/Dockerfile:3:6: a variable decides the tag\n'
        '    # "$B",  # tools/Dockerfile:4:6: the variable has no value here\n]\n'
    )


def test_without_images_there_is_an_example() -> None:
    assert _text(dockerfile("FROM scratch\n")) == f'{_HEAD}# golang = "golang:1.22"\n'


def test_what_a_template_makes_is_not_pinned_as_well() -> None:
    found = survey([dockerfile("FROM a:1\n"), dockerfile("FROM a:1\n", path="b/Dockerfile")])
    file = FirstFile(survey=found, platforms=("linux/arm64",), targets=(RenderTarget("Dockerfile", "Dockerfile.in"),))
    assert dump_first_file(file) == (
        f"{_HEAD.replace('linux/amd64', 'linux/arm64').replace(', ' + chr(34) + 'linux/arm64' + chr(34), '', 1)}"
        'a = "a:1"  # Dockerfile, b/Dockerfile\n\n'
        '[render]\n"Dockerfile" = "Dockerfile.in"\n\n[pin]\nfiles = ["b/Dockerfile"]\n'
    )


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        (f"a:1@{DIGESTS[0]}", "a:1", f'{_KEPT}a = "a:1@{DIGESTS[0]}"  # 1/Dockerfile, 2/Dockerfile\n'),
        (
            f"a:1@{DIGESTS[0]}",
            f"a:1@{DIGESTS[1]}",
            'a = "a:1"  # 1/Dockerfile, 2/Dockerfile; with 2 different digests\n',
        ),
        (
            "a",
            f"a:latest@{DIGESTS[0]}",
            f'{_KEPT}a = "a:latest@{DIGESTS[0]}"  # 1/Dockerfile, 2/Dockerfile\n',
        ),
        (
            "a",
            f"a@{DIGESTS[0]}",
            f'a = "a"  # 1/Dockerfile\n\n{_KEPT}a-aaaaaaaaaaaa = "a@{DIGESTS[0]}"  # 2/Dockerfile\n',
        ),
    ],
)
def test_digests_are_kept_where_there_is_one(first: str, second: str, line: str) -> None:
    documents = [dockerfile(f"FROM {text}\n", path=f"{n}/Dockerfile") for n, text in enumerate((first, second), 1)]
    assert _text(*documents) == f'{_HEAD}{line}\n[pin]\nfiles = [\n    "1/Dockerfile",\n    "2/Dockerfile",\n]\n'


def test_a_long_list_of_files_is_cut_short() -> None:
    documents = [dockerfile("FROM a\n", path=f"{letter}/Dockerfile") for letter in "abcde"]
    assert 'a = "a"  # a/Dockerfile, b/Dockerfile, c/Dockerfile and 2 more\n' in _text(*documents)


def test_paths_with_the_signs_of_patterns_mean_themselves() -> None:
    document = dockerfile("FROM a\n", path="[id]/*/Dockerfile")
    assert _text(document).endswith('[pin]\nfiles = ["[[]id]/[*]/Dockerfile"]\n')


def test_control_characters_in_a_name_break_nothing() -> None:
    text = _text(dockerfile("FROM a\nFROM $B\n", path="a\nb/Dockerfile"), dockerfile("FROM a\n", path="a\x7f"))
    assert "# a?b/Dockerfile, a?" in text


def test_what_is_written_is_what_is_read() -> None:
    found = survey([dockerfile(f"FROM postgres:16\nFROM nginx@{DIGESTS[0]}\n")])
    images_file = _parsed(dump_first_file(FirstFile(survey=found)))
    assert [(image.alias, image.name) for image in images_file.images] == [("nginx", "nginx"), ("postgres", "postgres")]
    assert images_file.pins.files == ("Dockerfile",)


def _text(*documents: ScannedDocument) -> str:
    text = dump_first_file(FirstFile(survey=survey(documents)))
    _parsed(text)
    return text


def _parsed(text: str) -> ImagesFile:
    return parse_images_file(text)

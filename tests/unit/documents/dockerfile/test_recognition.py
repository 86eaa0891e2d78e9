from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from imagelock.documents.dockerfile.recognition import is_dockerfile, other_encoding
from tests.support.documents import problems

_DOCKERFILE = b"# syntax=docker/dockerfile:1\r\n\r\n  # a comment\n\t from golang:1.22\n"
_GO_SOURCE = b"package x\n\nvar text = `\nFROM golang:1.22\n`\n"
_PYTHON_SOURCE = b"from os import path\n"
_NOTHING = b"# to be written\n"

_SEPARATED = [
    "Dockerfile-worker",
    "Dockerfile_arm64",
    "Dockerfile.jvm",
    "base-Dockerfile",
    "base_dockerfile",
    "migrations.Dockerfile",
    "containerfile-x",
    "x.Containerfile",
    "Dockerfile.go",
    "dockerfile.go",
    "Dockerfile.txt",
    "Dockerfile.test.ts",
    "dockerfile.py",
]


@pytest.mark.parametrize("name", _SEPARATED)
def test_the_first_instruction_decides_where_the_name_says_more(name: str) -> None:
    path = PurePosixPath("a", name)
    assert [is_dockerfile(path, content) for content in (_DOCKERFILE, b"ARG A=1\n", b"FROM \\\n a\n")] == [True] * 3
    assert is_dockerfile(path, _NOTHING)
    assert is_dockerfile(path, "FROM a\n".encode("utf-16"))
    assert not is_dockerfile(path, _GO_SOURCE)
    assert not is_dockerfile(path, _PYTHON_SOURCE)
    assert not is_dockerfile(path, b"FROMAGE brie\n")


@pytest.mark.parametrize("name", ["Dockerfile", "dockerfile", "DOCKERFILE", "Containerfile"])
@pytest.mark.parametrize("content", [_DOCKERFILE, _GO_SOURCE, b"", b"RUN x\n"])
def test_the_plain_name_is_enough(name: str, content: bytes) -> None:
    assert is_dockerfile(PurePosixPath(name), content)


@pytest.mark.parametrize("name", ["DockerfileDev", "Dockerfile2", "ContainerfileX", "DOCKERFILE2"])
def test_a_name_that_goes_on_without_a_sign_needs_the_instruction(name: str) -> None:
    assert is_dockerfile(PurePosixPath(name), _DOCKERFILE)
    assert not is_dockerfile(PurePosixPath(name), _GO_SOURCE)
    assert not is_dockerfile(PurePosixPath(name), _NOTHING)


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfiles",
        "dockerfilelint",
        "MyDockerfile",
        "Dockerfile.in",
        "Dockerfile-dev.tmpl",
        "Dockerfile.j2",
        "Dockerfile.jinja2",
        "Dockerfile.gotmpl",
        "Dockerfile.dockerignore",
        "Dockerfile.md",
        "Dockerfile.orig",
        "Dockerfile.rej",
        "Dockerfile.bak",
        "Dockerfile.yaml",
        "Dockerfile.json",
        "Dockerfile.toml",
    ],
)
def test_templates_leftovers_and_words_are_none(name: str) -> None:
    assert not is_dockerfile(PurePosixPath(name), _DOCKERFILE)


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("utf-8", None),
        ("utf-8-sig", None),
    ],
)
def test_an_encoding_of_wide_characters_is_named(codec: str, name: str | None) -> None:
    content = "# ä\nFROM alpine:3.20\n".encode(codec)
    assert other_encoding(content) == name
    if name:
        assert problems(content) == [f"1:1 it is {name}; save it as UTF-8, which is all that builders read"]
    else:
        assert problems(content) == []


@pytest.mark.parametrize("content", [b"", b"\0", b"a\0b\0c", b"FROM a\nRUN printf '\0'\n"])
def test_a_few_zero_bytes_are_no_encoding(content: bytes) -> None:
    assert other_encoding(content) is None

"""What a name under ``[external]`` covers, and which names are refused."""

from __future__ import annotations

import pytest

from imagelock.errors import ImagesFileError
from imagelock.images_file.external import ExternalDeclaration
from imagelock.images_file.parser import parse_images_file

_DIGEST = f"sha256:{'d' * 64}"
_IMAGES = f"""
[images]
go = "golang:1.22"
fixed = "ghcr.io/acme/base@{_DIGEST}"
node = {{ image = "node", version = ">=20" }}
layout = "oci:./vendor:redis:7"
"""


def _covers(name: str, written: str, expanded: str = "") -> bool:
    return ExternalDeclaration(names=(name,)).covers(written, expanded or written)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("php-base", "php-base"),
        ("php-base", "php-base:latest"),
        ("php-base", "docker.io/library/php-base:8"),
        ("acme/app", "acme/app:1"),
        ("acme/app", "index.docker.io/acme/app:1"),
        ("acme/app", f"acme/app@{_DIGEST}"),
        ("docker.io/acme/app", "acme/app"),
        ("acme/app:1", "docker.io/acme/app:1"),
        ("acme/app:1", f"acme/app:1@{_DIGEST}"),
        ("acme/app:latest", "acme/app"),
        (f"acme/app@{_DIGEST}", f"acme/app@{_DIGEST}"),
        ("GHCR.io/acme/app", "ghcr.io/acme/app:1"),
        ("localhost:5000/app", "localhost:5000/app:1"),
        ("acme/*", "acme/app:1"),
        ("acme/*", "docker.io/acme/app"),
        ("ghcr.io/acme/*", f"ghcr.io/acme/app:1@{_DIGEST}"),
        ("ghcr.io/acme/**", "ghcr.io/acme/team/app:1"),
        ("*.internal.example.com/**", "a.internal.example.com/x/y:1"),
        ("*:dev", "app:dev"),
        ("**:dev", "ghcr.io/acme/app:dev"),
        ("acme/app:*-dev", "acme/app:1-dev"),
        ("app-*", "docker.io/library/app-web:2"),
        ("localhost:5000/*", "localhost:5000/app:1"),
        ("Foo/*", "Foo/Bar:1"),
        ("acme/*", "acme/app:${TAG}"),
    ],
)
def test_references_and_patterns_cover_a_reference_in_every_spelling(name: str, reference: str) -> None:
    assert _covers(name, reference)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("acme/app", "acme/app2"),
        ("acme/app", "ghcr.io/acme/app"),
        ("acme/app:1", "acme/app:2"),
        ("acme/app:1", f"acme/app@{_DIGEST}"),
        (f"acme/app@{_DIGEST}", "acme/app"),
        ("acme/*", "acme/team/app"),
        ("acme/*", "ghcr.io/acme/app"),
        ("ghcr.io/*", "ghcr.io/acme/app"),
        ("*:dev", "acme/app:dev"),
        ("*:dev", "app:dev2"),
        ("*:dev", f"app@{_DIGEST}"),
        ("acme/a.p", "acme/app"),
        ("*", ""),
        ("**", ""),
        ("acme/a.*", "acme/app"),
        ("${REGISTRY}/*", "$REGISTRY/app"),
        ("$CI_REGISTRY_IMAGE/*", "$CI_REGISTRY_IMAGE_OTHER/app"),
        ("${{ matrix.image }}", "${{ matrix.images }}"),
        ("${{ matrix.image }}", "nginx"),
    ],
)
def test_nothing_else_is_covered(name: str, reference: str) -> None:
    assert not _covers(name, reference)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("${{ matrix.image }}", "${{ matrix.image }}"),
        ("$CI_REGISTRY_IMAGE/*", "$CI_REGISTRY_IMAGE/build:1.0"),
        ("$CI_REGISTRY_IMAGE/**", "$CI_REGISTRY_IMAGE/a/b:$CI_COMMIT_SHA"),
        ("{{*}}", "{{ .Values.image }}"),
        ("{{ .Values.* }}", "{{ .Values.image }}"),
        ("golang:${V}", "golang:${V}"),
        ("golang:$*", "golang:$V"),
        ("@IMAGE@", "@IMAGE@"),
        ("__IMAGE__:*", "__IMAGE__:1"),
        ("%%BASE%%-alpine", "%%BASE%%-alpine"),
        ("<image>", "<image>"),
        ("<< parameters.image >>", "<< parameters.image >>"),
        ("ARG_FROM", "ARG_FROM"),
        ("[[ .image ]]", "[[ .image ]]"),
    ],
)
def test_text_that_only_a_pipeline_expands_is_compared_as_written(name: str, written: str) -> None:
    assert _covers(name, written)
    assert parse_images_file(f"[external]\nnames = ['{name}']\n").external.names == (name,)


def test_what_is_written_and_what_it_comes_to_are_both_compared() -> None:
    assert _covers("golang:${V}", "golang:${V}", "golang:1.22")
    assert _covers("golang", "golang:${V}", "golang:1.22")
    assert not _covers("golang:1.21", "golang:${V}", "golang:1.22")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("golang", "`golang` means the image `go`, too: an image is locked or external"),
        ("golang:1.22", "`golang:1.22` means the image `go`, too: an image is locked or external"),
        (
            "docker.io/library/gol*",
            "`docker.io/library/gol*` means the image `go`, too: an image is locked or external",
        ),
        ("ghcr.io/acme/**", "`ghcr.io/acme/**` means the image `fixed`, too: an image is locked or external"),
        ("node", "`node` means the image `node`, too: an image is locked or external"),
        ("", "an image reference cannot be empty"),
        ("acme app", "`acme app` has blanks or control characters"),
        ("acme/app?", "`acme/app?`: `acme/app?` is not a repository path"),
        ("acme/* ", "`acme/* ` is not a pattern for references"),
        ("acme/*@sha256:d", "`acme/*@sha256:d` is not a pattern for references"),
        (" $X", "` $X` has blanks at its ends, or control characters"),
    ],
)
def test_a_name_that_is_no_name_or_means_a_locked_image_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(ImagesFileError) as caught:
        parse_images_file(f'{_IMAGES}[external]\nnames = ["{name}"]\n')
    assert caught.value.details[0] == f"images.toml:8: external.names: {sentence}"


@pytest.mark.parametrize("name", ["golang:1.21", "gol", "node:18", "redis", "$X/golang", "acme/*", "*:dev"])
def test_other_names_may_stand_beside_locked_images(name: str) -> None:
    parse_images_file(f'{_IMAGES}[external]\nnames = ["{name}"]\n')


def test_names_that_cover_nothing_are_known() -> None:
    external = ExternalDeclaration(names=("php-base", "acme/*", "$X"))
    assert external.unused_names([("acme/app", "acme/app"), ("$X", "")]) == ("php-base",)

from __future__ import annotations

import pytest

from imagelock.errors import ImagelockError
from tests.support.exported_images import DIGEST, export, locked_image

_GO = locked_image("go", "golang:1.22")


def test_each_image_is_an_argument_on_a_line_of_its_own() -> None:
    exported = export("build-contexts", _GO, locked_image("app", "ghcr.io/acme/app"))
    assert exported.text == (
        f"--build-context=ghcr.io/acme/app=docker-image://ghcr.io/acme/app:latest@{DIGEST}\n"
        f"--build-context=golang:1.22=docker-image://docker.io/library/golang:1.22@{DIGEST}\n"
    )
    assert exported.notes == ()


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("golang:1.22", "golang:1.22"),
        ("docker.io/library/golang:1.22", "golang:1.22"),
        ("index.docker.io/golang:1.22", "golang:1.22"),
        ("golang", "golang"),
        ("golang:latest", "golang"),
        ("acme/app:1", "acme/app:1"),
        ("docker.io/acme/app", "acme/app"),
        ("docker.io/library/a/b:1", "library/a/b:1"),
        ("localhost/library/golang:1", "localhost/library/golang:1"),
        ("127.0.0.1:5000/golang:1", "127.0.0.1:5000/golang:1"),
        (f"golang@{DIGEST}", f"golang@{DIGEST}"),
    ],
)
def test_a_key_is_the_short_form_that_docker_looks_up(reference: str, key: str) -> None:
    line = export("build-contexts", locked_image("x", reference)).text
    assert line.removeprefix("--build-context=").partition("=docker-image://")[0] == key


@pytest.mark.parametrize("mirror", ["vendor/layout", "oci:vendor/layout"])
def test_a_mirror_has_a_key_for_each_spelling_pinned_ones_included(mirror: str) -> None:
    layout = f"oci-layout://vendor/layout@{DIGEST}"
    assert export("build-contexts", _GO, mirror=mirror).text == (
        f"--build-context=golang:1.22={layout}\n"
        f"--build-context=golang:1.22@{DIGEST}={layout}\n"
        f"--build-context=golang@{DIGEST}={layout}\n"
    )


def test_a_mirror_has_the_long_name_of_latest_with_its_digest() -> None:
    text = export("build-contexts", locked_image("alpine", "alpine"), mirror="m").text
    keys = [line.removeprefix("--build-context=").partition("=oci-layout")[0] for line in text.splitlines()]
    assert keys == ["alpine", f"alpine:latest@{DIGEST}", f"alpine@{DIGEST}"]


@pytest.mark.parametrize("folder", ["my mirror", "a\tb", "a\nb"])
def test_a_path_that_a_shell_would_split_is_refused(folder: str) -> None:
    with pytest.raises(ImagelockError, match="has blanks"):
        export("build-contexts", _GO, mirror=folder)


def test_the_bytes_of_a_bake_file() -> None:
    assert export("bake", _GO).text == (
        "{\n"
        '  "target": {\n'
        '    "_imagelock": {\n'
        '      "contexts": {\n'
        f'        "golang:1.22": "docker-image://docker.io/library/golang:1.22@{DIGEST}"\n'
        "      }\n"
        "    }\n"
        "  }\n"
        "}\n"
    )


@pytest.mark.parametrize("format_", ["bake", "build-contexts"])
def test_a_name_that_a_stage_may_have_is_noted(format_: str) -> None:
    images = (locked_image("alpine", "alpine"), _GO, locked_image("app", "acme/app"), locked_image("x", "a-b.c_d"))
    notes = tuple(f"a build stage named `{name}` would be replaced, too" for name in ("a-b.c_d", "alpine"))
    assert export(format_, *images).notes == notes

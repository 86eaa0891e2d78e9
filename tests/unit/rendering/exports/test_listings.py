from __future__ import annotations

import json

import pytest

from imagelock.errors import ImagelockError
from tests.support.exported_images import AMD64, ARM64, DIGEST, OTHER, export, locked_image

_GO = locked_image("go", "golang:1.22")


def test_a_variable_a_name_without_quotes() -> None:
    images = (_GO, locked_image("1-app", "ghcr.io/acme/app"), locked_image("x", f"busybox@{OTHER}"))
    assert export("env", *images).text == (
        f"IMAGE_1_APP=ghcr.io/acme/app:latest@{DIGEST}\nIMAGE_GO=golang:1.22@{DIGEST}\nIMAGE_X=busybox@{OTHER}\n"
    )


def test_an_image_of_a_layout_is_named_as_render_names_it() -> None:
    images = (locked_image("a", "oci:./vendor:golang"), locked_image("b", "oci:/srv/x:tiny@" + OTHER))
    assert export("env", *images).text == (f"IMAGE_A=oci:./vendor:golang@{DIGEST}\nIMAGE_B=oci:/srv/x:tiny@{OTHER}\n")


def test_names_that_become_one_variable_are_refused_all_at_once() -> None:
    images = [locked_image(name, f"golang:{number}") for number, name in enumerate(["a-b", "a_b", "A_B", "c"])]
    with pytest.raises(ImagelockError) as caught:
        export("env", *images)
    assert caught.value.details == (
        "a-b, A_B: both would be the variable IMAGE_A_B",
        "a-b, a_b: both would be the variable IMAGE_A_B",
    )


@pytest.mark.parametrize("folder", ["my images", "a$b", "a'b", "a;b", "a`b", "a#b", "ü"])
def test_a_path_that_a_shell_would_change_is_refused(folder: str) -> None:
    with pytest.raises(ImagelockError) as caught:
        export("env", locked_image("x", f"oci:./{folder}:tiny"))
    assert caught.value.details == (f"x: `oci:./{folder}:tiny@{DIGEST}` would need quotes",)


def test_the_bytes_of_a_list_for_scripts() -> None:
    document = {
        "images": {
            "go": {
                "digest": DIGEST,
                "familiar": "golang:1.22",
                "image": "golang:1.22",
                "pinned": f"golang:1.22@{DIGEST}",
                "platforms": {"linux/amd64": AMD64, "linux/arm64": ARM64},
                "repository": "docker.io/library/golang",
                "tag": "1.22",
            }
        }
    }
    assert export("json", _GO).text == json.dumps(document, indent=2) + "\n"


def test_scripts_are_told_of_images_that_have_no_tag_or_no_registry() -> None:
    images = json.loads(export("json", locked_image("a", f"golang@{OTHER}"), locked_image("b", "oci:./x:y")).text)
    a, b = images["images"]["a"], images["images"]["b"]
    assert (a["tag"], a["image"], a["familiar"]) == (None, "golang", f"golang@{OTHER}")
    assert (b["repository"], b["image"], b["familiar"]) == ("oci:./x", "oci:./x:y", None)


@pytest.mark.parametrize("format_", ["env", "json", "rego"])
def test_formats_that_do_not_look_images_up_by_tag_hold_two_digests_of_one(format_: str) -> None:
    text = export(format_, _GO, locked_image("other", f"golang:1.22@{OTHER}")).text
    assert DIGEST in text
    assert OTHER in text

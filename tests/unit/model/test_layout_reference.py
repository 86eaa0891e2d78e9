from __future__ import annotations

import pytest

from imagelock.errors import InvalidReferenceError
from imagelock.model.digest import Digest
from imagelock.model.reference import (
    LayoutRepository,
    UnnormalizedReference,
    split_image,
    split_reference,
)

_DIGEST = f"sha256:{'f' * 64}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("oci:./vendor:go", UnnormalizedReference("oci:./vendor", "go", None, LayoutRepository("./vendor"))),
        (
            "oci:/srv/a b:golang:1.22",
            UnnormalizedReference("oci:/srv/a b", "golang:1.22", None, LayoutRepository("/srv/a b")),
        ),
        (f"oci:v@{_DIGEST}", UnnormalizedReference("oci:v", None, Digest.parse(_DIGEST), LayoutRepository("v"))),
        (f"oci:v:x@{_DIGEST}", UnnormalizedReference("oci:v", "x", Digest.parse(_DIGEST), LayoutRepository("v"))),
        ("alpine:3", split_reference("alpine:3")),
    ],
)
def test_an_image_may_lie_in_a_layout(text: str, written: UnnormalizedReference) -> None:
    assert split_image(text) == written


@pytest.mark.parametrize("directory", ["vendor/layout", "./vendor/layout", "vendor//layout/", "vendor/./layout"])
def test_one_path_in_other_words_is_one_layout(directory: str) -> None:
    layout = LayoutRepository(directory)

    assert {layout: 1} == {LayoutRepository("vendor/layout"): 1}
    assert str(layout) == f"oci:{directory}"


@pytest.mark.parametrize("directory", ["/vendor/layout", "../vendor/layout", "a/../vendor/layout", "vendor"])
def test_paths_that_may_differ_are_several_layouts(directory: str) -> None:
    assert LayoutRepository(directory) != LayoutRepository("vendor/layout")


@pytest.mark.parametrize("text", ["oci:", "oci:./vendor", "oci::go", "oci:./vendor:", "oci:./vendor:g\no"])
def test_a_layout_needs_a_directory_and_a_name(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        split_image(text)
    assert caught.value.message == f"`{text}` must name an image in the OCI layout"
    assert caught.value.hint == "write `oci:DIRECTORY:NAME`, as in `oci:./vendor/layout:go-1.22`"


def test_an_oci_scheme_is_not_taken_for_a_layout() -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        split_image("oci://ghcr.io/a/b:1")
    assert caught.value.message == "`oci://ghcr.io/a/b:1` is a URL; an image reference has no `oci://`"
    assert caught.value.hint == "write `ghcr.io/a/b:1`"


def test_a_damaged_digest_of_a_layout_is_refused() -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        split_image("oci:v@sha256:ff")
    assert caught.value.message == "`oci:v@sha256:ff`: a sha256 digest has 64 hexadecimal digits, `sha256:ff` has 2"

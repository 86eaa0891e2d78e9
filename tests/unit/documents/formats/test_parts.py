"""Kustomizations and Helm values: images in parts."""

from __future__ import annotations

import pytest

from imagelock.documents.kinds import DocumentKind
from tests.support.documents import DIGEST, OLD_DIGEST, pin_all, pinned_text, references, refusals

_KUSTOMIZATION = DocumentKind.KUSTOMIZATION
_HELM = DocumentKind.HELM_VALUES
_HEX = OLD_DIGEST.removeprefix("sha256:")
_NEW_HEX = DIGEST.removeprefix("sha256:")


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("name: a, newTag: '1'", ["image 1 = a:1"]),
        ("name: a, newName: r.io/b, newTag: '1'", ["image 1 = r.io/b:1"]),
        (f"name: a, digest: {OLD_DIGEST}", [f"image {OLD_DIGEST} = a@{OLD_DIGEST}"]),
        (f"name: a, newTag: '1', digest: {OLD_DIGEST}", [f"image 1 = a:1@{OLD_DIGEST}"]),
        (f"name: a, newTag: '1@{OLD_DIGEST}'", [f"image 1@{OLD_DIGEST} = a:1@{OLD_DIGEST}"]),
        ("name: a, newName: b", []),
        ("newTag: '1'", []),
    ],
)
def test_kustomize_images(entry: str, found: list[str]) -> None:
    assert references(f"images: [{{{entry}}}, x]\n", _KUSTOMIZATION) == found


def test_a_file_that_is_no_kustomization_has_no_images() -> None:
    assert references("- images\n", _KUSTOMIZATION) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: a, newTag: '1'", "name: a, newTag: '1@D'"),
        ("name: a, newTag: v1", "name: a, newTag: v1@D"),
        (f"name: a, newTag: v1, digest: {OLD_DIGEST}", "name: a, newTag: v1, digest: D"),
        (f"name: a, newTag: 'v1@{OLD_DIGEST}'", "name: a, newTag: 'v1@D'"),
    ],
)
def test_kustomize_digests_go_where_a_tag_or_digest_stands(before: str, after: str) -> None:
    assert pinned_text(f"images: [{{{before}}}]\n", _KUSTOMIZATION) == f"images: [{{{after}}}]\n"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("image: {repository: a/b, tag: v1}", ["image v1 = a/b:v1"]),
        ("image: {registry: r.io, repository: a, tag: v1}", ["image v1 = r.io/a:v1"]),
        ("image: {repository: a, version: v1}", ["image v1 = a:v1"]),
        ("web: {image: a, tag: v1}", ["image v1 = a:v1"]),
        ("image: {repository: a, tag: ''}", []),
        (f"image: {{repository: a, tag: v1, sha: {_HEX}}}", [f"image v1 = a:v1@{OLD_DIGEST}"]),
        (f"image: {{repository: a, digest: {OLD_DIGEST}}}", [f"image {OLD_DIGEST} = a@{OLD_DIGEST}"]),
        (f"image: {{repository: a, sha: {_HEX}}}", [f"image {_HEX} = a@{OLD_DIGEST}"]),
        ("image: a/b:c", ["image a/b:c"]),
        ("image: nginx", ["image nginx"]),
        ("sidecarImage: a:1", ["image a:1"]),
        ("pullImage: always", []),
        ("image: ''\nlogoImage: https://x/y.png", []),
        ("image: '{{ .Values.x }}'", []),
    ],
)
def test_helm_values(values: str, found: list[str]) -> None:
    assert references(f"{values}\n", _HELM) == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: {repository: a, tag: v1, digest: ''}", "image: {repository: a, tag: v1, digest: 'D'}"),
        (f"image: {{repository: a, tag: v1, digest: {OLD_DIGEST}}}", "image: {repository: a, tag: v1, digest: D}"),
        (f"image: {{repository: a, tag: v1, sha: {_HEX}}}", f"image: {{repository: a, tag: v1, sha: {_NEW_HEX}}}"),
        (f"image: {{repository: a, tag: 'v1@{OLD_DIGEST}'}}", "image: {repository: a, tag: 'v1@D'}"),
        ("image: a/b:c", "image: a/b:c@D"),
    ],
)
def test_helm_digests_go_where_the_chart_has_a_place(before: str, after: str) -> None:
    assert pinned_text(f"{before}\n", _HELM) == f"{after}\n"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ("image: {repository: a, tag: v1}", "a:v1: only the chart knows where its digest goes"),
        ("image: {repository: a, tag: v1, digest: }", "a:v1: the digest's key has no value"),
        ('image: {repository: a, tag: v1, digest: "\\\n"}', "a:v1: escapes or line breaks stand inside the value"),
        (
            f'image: {{repository: a, tag: "v1\\x40{OLD_DIGEST}"}}',
            f"a:v1@{OLD_DIGEST}: escapes or line breaks stand inside the value",
        ),
    ],
)
def test_helm_values_without_a_place_for_the_digest_are_refused(values: str, refusal: str) -> None:
    assert refusals(f"{values}\n", _HELM) == [refusal]
    assert pin_all(f"{values}\n", _HELM).content == f"{values}\n".encode()

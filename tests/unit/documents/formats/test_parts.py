"""Kustomizations and Helm values: images in parts."""

from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from tests.support.documents import DIGEST, OLD_DIGEST, pin_all, pinned_text, references, refusals

_KUSTOMIZATION = table.KUSTOMIZATION
_HELM = table.HELM_VALUES
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
        ("name: a, newTag: '1', tagSuffix: ''", ["image 1 = a:1"]),
        ("name: a, newTag: '1', tagSuffix: -x", ["image 1 = a:1"]),
        ("name: a, tagSuffix: -x", ["image a: `tagSuffix` beside it changes the tag"]),
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


_TWO_REGISTRIES = "it has two registries"
_REGISTRY_ABOVE = "only the chart knows whether the registry above it belongs to it"
_OWN_REGISTRY = "only the chart knows whether the registry beside it belongs to it"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("image: traefik\nimageTag: v1.7", ["image v1.7 = traefik:v1.7"]),
        ("image_repository: a\nimage_tag: v1", ["image v1 = a:v1"]),
        ("sidecarImage: a\nsidecarImageTag: v1", ["image v1 = a:v1"]),
        ("defaultAirflowRepository: a\ndefaultAirflowTag: v1", ["image v1 = a:v1"]),
        ("webImage: a:1\nwebVersion: 2", ["image a:1"]),
        ("registry: quay.io/acme\nimage: redis:7", ["image redis:7 = quay.io/acme/redis:7"]),
        ("image: {imageRegistry: r.io, repository: a, tag: v1}", ["image v1 = r.io/a:v1"]),
        ("image: {registry: r.io, repository: q.io/a, tag: v1}", [f"image v1 = r.io/q.io/a:v1: {_TWO_REGISTRIES}"]),
        ("registry: r.io\nwebImage: acme/a:1", [f"image acme/a:1: {_OWN_REGISTRY}"]),
        ("registry: r.io\nwebImage: q.io/a:1", ["image q.io/a:1"]),
        (
            "image: {registry: r.io, repository: strimzi, name: operator, tag: v1}",
            ["image v1 = r.io/strimzi/operator:v1"],
        ),
        ("image: {name: a, tag: v1}", ["image v1 = a:v1"]),
        ("image: {repo: a, tag: v1}", ["image v1 = a:v1"]),
        ("web: {name: a, tag: v1}", []),
        ("image: {repository: a}", []),
        ("image: a\ntag: ''", []),
        ("image: a\ntag: null", []),
        ("image: a:1\ntag: 2", ["image 2 = a:1:2: it has a tag of its own, and another one beside it"]),
        (
            "image: {repository: a, tag: 1.10}",
            ["image 1.10 = a:1.10: YAML reads the tag `1.10` as a number, which is `1.1`"],
        ),
        ("image: {repository: a, tag: '1.10'}", ["image 1.10 = a:1.10"]),
        ("image: {repository: a, tag: !!str 1.10}", ["image 1.10 = a:1.10"]),
        ("image: {repository: a, tag: 1.25}", ["image 1.25 = a:1.25"]),
        (
            "image: {repository: a, tag: 2024-01-31}",
            ["image 2024-01-31 = a:2024-01-31: YAML reads the tag `2024-01-31` as a date"],
        ),
        ("image: {repository: a, tag: yes}", ["image yes = a:yes: YAML reads the tag `yes` as true or false"]),
        ("image: {repository: ~, tag: ~, digest: ~}", []),
        ("image: {repository: a, tag: v1, digest: ~}", ["image v1 = a:v1"]),
        ("image: {repository: a, tag: v1, sha: null}", ["image v1 = a:v1"]),
        ("image: {repository: a, tag: v1, tagSuffix: ''}", ["image v1 = a:v1"]),
        (
            "image: {repository: a, tag: v1, tagSuffix: -fips}",
            ["image v1 = a:v1: `tagSuffix` beside it changes the tag"],
        ),
        ("hub: gcr.io/istio\nimage: pilot\ntag: v1", ["image v1 = gcr.io/istio/pilot:v1"]),
        ("registry: r.io\nweb: {image: {repository: a, tag: v1}}", [f"image a: {_REGISTRY_ABOVE}"]),
        ("global: {hub: r.io/x}\npilot: {image: {name: pilot, tag: v1}}", [f"image pilot: {_REGISTRY_ABOVE}"]),
        ("registry: r.io\nweb: {image: {registry: '', repository: q.io/a, tag: v1}}", ["image v1 = q.io/a:v1"]),
        ("registry: r.io\nweb: {image: 'acme/a:1'}", ["image acme/a:1"]),
        ("web: {image: 'a:1', version: 3}", ["image a:1"]),
        ("sidecarImage: 'a:1'\nsidecar_image: 'b:1'", ["image a:1", "image b:1"]),
        ("imageUrl: x/a:1\nimageRef: x/b\nlogoImageUrl: cdn.example/x", ["image x/a:1"]),
        ("bgImage: 'data:image/png;base64,xx'", []),
        ("images: {a: 'a:1', b: plain, tags: {dep: 'x/b:1'}}", ["image a:1", "image x/b:1"]),
        ("extraImages: ['a:1', {image: 'b:1'}, 'http://x:1/y']", ["image a:1", "image b:1"]),
        ("image: 'a:${V}'", ["image a:${V}: a variable or a template decides the image"]),
        ("image: null\nsideImage: true\nthirdImage: 5", []),
        ("image: {repository: 'https://x.example/y', tag: v1}", []),
        ("git: {repository: 'git@x.example:y/z.git', version: v1}", []),
        ("apps: [{chart: redis, repository: stable, version: 1.2.3}]", []),
        ("image: logo.png\nbgImage: ./a.svg\nosImage: debian-12.qcow2", []),
        (
            "image: {repository: a, tag: '{{ .Values.v }}'}",
            ["image {{ .Values.v }} = a:{{ .Values.v }}: a variable or a template decides the image"],
        ),
    ],
)
def test_what_decides_an_image_is_read_together(values: str, found: list[str]) -> None:
    assert references(f"{values}\n", _HELM) == found


def test_a_text_whose_images_are_the_templates_of_the_chart_is_not_asked_to_be_yaml() -> None:
    values = "extraContainers: |\n  - image: {{ .Values.image }}\n    {{- toYaml .x }}\n"
    assert references(values, _HELM) == []


def test_containers_in_a_text_are_pinned_where_they_are() -> None:
    values = "extraContainers: |\n  - name: a\n    image: a:1 # x\nsidecars: '- image: b:1'\n"
    assert pinned_text(values, _HELM) == values.replace("a:1", "a:1@D")
    assert references(values, _HELM)[1:] == ["from : the YAML in it is not written after a plain `|`"]


@pytest.mark.parametrize("values", ["image: traefik\nimageTag: v1.7\n", "image: a:1\ntag: ''\n"])
def test_half_of_a_reference_is_never_pinned(values: str) -> None:
    assert pin_all(values, _HELM).content == values.encode()


_TAG = "only the chart knows whether `{}` beside it is its tag"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("a: {dockerImage: r/b, tag: v1}", ["image v1 = r/b:v1"]),
        ("a: {tag: v1, serverRepository: r/b}", ["image v1 = r/b:v1"]),
        ("a: {dockerImage: r/b, tag: ''}", []),
        ("a: {baseImage: r/b, version: v1}", [f"image r/b: {_TAG.format('version')}"]),
        ("a: {appImage: r/b, appVersion: v1}", [f"image r/b: {_TAG.format('appVersion')}"]),
        ("{aImage: r/b, tag: v1, bImage: r/c}", [f"image r/{x}: {_TAG.format('tag')}" for x in "bc"]),
        ("{baseImage: r/b:1, version: v1, tag: v2}", ["image r/b:1"]),
        ("{baseImage: r/b, image: {tag: v1}}", ["image r/b"]),
        ("{image: r/b, tag: v1, sideImage: r/c}", ["image v1 = r/b:v1", "image r/c"]),
        ("{mainImage: r/b, chartVersion: v1}", ["image r/b"]),
    ],
)
def test_a_tag_that_may_be_of_an_image_is_not_passed_over(values: str, found: list[str]) -> None:
    assert references(f"{values}\n", _HELM) == found


_PART = "only the chart knows whether `{}` beside it is a part of the image"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            "image: {registry: q.io, namespace: n, name: a, tag: v1}",
            [f"image v1 = q.io/a:v1: {_PART.format('namespace')}"],
        ),
        ("image: {repository: a, tag: v1, digest: '', suffix: -x}", [f"image v1 = a:v1: {_PART.format('suffix')}"]),
        ("image: {repository: a, tag: v1, suffix: '', host: ~}", ["image v1 = a:v1"]),
        ("webImage: {repository: a, tag: v1, variant: slim}", [f"image v1 = a:v1: {_PART.format('variant')}"]),
        ("web: {image: a, tag: v1, namespace: n, host: h}", ["image v1 = a:v1"]),
        ("{image: a, tagOverride: v1}", ["image a: `tagOverride` beside it changes the tag"]),
        ("{image: a, defaultTag: v1}", ["image a: `defaultTag` beside it changes the tag"]),
        ("{image: 'a:1', tagOverride: ''}", ["image a:1"]),
        ("{imageRepo: r/a, imageTag: v1}", ["image v1 = r/a:v1"]),
    ],
)
def test_what_a_chart_may_add_to_a_name_or_tag_is_not_passed_over(values: str, found: list[str]) -> None:
    assert references(f"{values}\n", _HELM) == found


def test_the_digest_of_the_only_image_goes_where_the_key_is() -> None:
    assert pinned_text("a: {dockerImage: r/b, tag: v1, digest: ''}\n", _HELM) == (
        "a: {dockerImage: r/b, tag: v1, digest: 'D'}\n"
    )


def test_a_registry_beside_a_whole_reference_stays_beside_it() -> None:
    values = "registry: quay.io/acme\nimage: redis:7\n"
    assert pinned_text(values, _HELM) == "registry: quay.io/acme\nimage: redis:7@D\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: {repository: a, tag: v1, digest: ''}", "image: {repository: a, tag: v1, digest: 'D'}"),
        (f"image: {{repository: a, tag: v1, digest: {OLD_DIGEST}}}", "image: {repository: a, tag: v1, digest: D}"),
        (f"image: {{repository: a, tag: v1, sha: {_HEX}}}", f"image: {{repository: a, tag: v1, sha: {_NEW_HEX}}}"),
        (f"image: {{repository: a, tag: 'v1@{OLD_DIGEST}'}}", "image: {repository: a, tag: 'v1@D'}"),
        (
            f"image: {{repository: a, tag: v1@{OLD_DIGEST}, digest: ''}}",
            "image: {repository: a, tag: v1@D, digest: ''}",
        ),
        (
            f"image: {{repository: a, tag: v1, digest: '', sha: {_HEX}}}",
            f"image: {{repository: a, tag: v1, digest: '', sha: {_NEW_HEX}}}",
        ),
        ("image: a/b:c", "image: a/b:c@D"),
        ("image: {repository: 'a:v1', digest: ''}", "image: {repository: 'a:v1', digest: 'D'}"),
        (f"image: {{repository: 'a:v1', sha: {_HEX}}}", f"image: {{repository: 'a:v1', sha: {_NEW_HEX}}}"),
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


@pytest.mark.parametrize(
    "parts",
    [
        f"tag: v1@{OLD_DIGEST}, digest: {OLD_DIGEST}",
        f"tag: v1@{OLD_DIGEST}, sha: {_HEX}",
        f"tag: v1, digest: {DIGEST}, sha: {_HEX}",
    ],
)
def test_no_digest_is_chosen_from_several(parts: str) -> None:
    (found,) = references(f"image: {{repository: a, {parts}}}\n", _HELM)
    assert found.endswith(": it has several digests")


@pytest.mark.parametrize(
    "parts",
    [
        f"repository: !env NAME, tag: v1, digest: {OLD_DIGEST}",
        f"repository: a, tag: !env TAG, digest: {OLD_DIGEST}",
        "repository: a, tag: v1, digest: !env DIGEST",
    ],
)
def test_a_part_that_a_program_computes_leaves_the_image_unknown(parts: str) -> None:
    (found,) = references(f"image: {{{parts}}}\n", _HELM)
    assert found.endswith(": a variable or a template decides the image")


_OPERATION = "op: replace\n      path: /spec/containers/0/image\n      value: a:1\n"


@pytest.mark.parametrize(
    ("patches", "found"),
    [
        (f"patches:\n- patch: |\n    - {_OPERATION}", ["image a:1"]),
        (f"patchesJson6902:\n- patch: |\n    - {_OPERATION}", ["image a:1"]),
        ("patches:\n- patch: |\n    kind: Pod\n    spec: {containers: [{image: 'a:1'}]}\n", ["image a:1"]),
        ("patchesStrategicMerge:\n- a.yaml\n- |\n  spec: {containers: [{image: 'a:1'}]}\n", ["image a:1"]),
        (
            'patches: [{patch: \'[{"path": "/image", "value": "a:1"}]\'}]\n',
            ["from : the YAML in it is not written after a plain `|`"],
        ),
        ('patches: [{patch: \'[{"path": "/imagePullSecrets", "value": "a:1"}]\'}]\n', []),
        ("patches: [{path: image.yaml}]\n", []),
    ],
)
def test_images_that_kustomize_patches_set(patches: str, found: list[str]) -> None:
    assert references(patches, _KUSTOMIZATION) == found


_CONFLICT = "another reference needs another digest in the same place"


@pytest.mark.parametrize(
    ("document", "kind", "refused"),
    [
        (
            "images: [{name: a, newTag: &t '1'}, {name: b, newTag: *t}]\n",
            _KUSTOMIZATION,
            [f"a:1: {_CONFLICT}", f"b:1: {_CONFLICT}"],
        ),
        (
            "a: {image: {repository: a, tag: '1', digest: &d ''}}\nb: {image: {repository: b, tag: '1', digest: *d}}\n",
            _HELM,
            [f"a:1: {_CONFLICT}", f"b:1: {_CONFLICT}"],
        ),
        ("a: {image: &i {repository: a, tag: '1', digest: ''}}\nb: {image: *i}\n", _HELM, []),
    ],
)
def test_one_tag_or_digest_of_two_images_gets_the_digest_of_neither(
    document: str, kind: Format, refused: list[str]
) -> None:
    assert refusals(document, kind) == refused
    assert (pin_all(document, kind).content == document.encode()) == bool(refused)


def test_a_tag_of_two_images_is_that_of_both() -> None:
    values = "a: {image: {repository: a, tag: &t v1}}\nb: {image: {repository: b, tag: *t}}\n"
    assert references(values, _HELM) == ["image v1 = a:v1", "image v1 = b:v1"]

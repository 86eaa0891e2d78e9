from __future__ import annotations

import pytest

from imagelock.documents.kinds import DocumentKind
from tests.support.documents import references, refusals

_KUBERNETES = DocumentKind.KUBERNETES


def _resource(kind: str, body: str, version: str = "v1") -> str:
    return f"apiVersion: {version}\nkind: {kind}\n{body}\n"


_POD = (
    "{initContainers: [{image: i}], containers: [{image: 'c:1'}, {name: x}], ephemeralContainers: [{image: e}], "
    "volumes: [{image: {reference: 'v:1'}}, {emptyDir: {}}]}"
)
_POD_IMAGES = ["image-volume v:1", "image i", "image c:1", "image e"]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Pod", "spec: {}"),
        ("Deployment", "spec: {{template: {{spec: {}}}}}"),
        ("CronJob", "spec: {{jobTemplate: {{spec: {{template: {{spec: {}}}}}}}}}"),
        ("PodTemplate", "template: {}"),
        ("Rollout", "spec: {{template: {{spec: {}}}}}"),
    ],
)
def test_every_container_and_image_volume_of_a_workload_is_found(kind: str, path: str) -> None:
    body = path.format(_POD) if "{{" not in path else path.replace("{{", "{").replace("}}", "}").replace("{}", _POD)
    assert references(_resource(kind, body), _KUBERNETES) == _POD_IMAGES


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (_resource("List", "items: [{apiVersion: v1, kind: Pod, spec: {containers: [{image: a}]}}]"), ["image a"]),
        (_resource("PodList", "items: [{apiVersion: v1, kind: PodList, items: [{}, x]}]"), []),
        (_resource("Pod", "spec: {containers: [{image: a}]}\nstatus: {containerStatuses: [{image: b}]}"), ["image a"]),
        (_resource("CustomResourceDefinition", "spec: {properties: {image: {type: string}}, image: a}"), []),
        (_resource("ConfigMap", "data: {image: a}"), []),
        (_resource("Secret", "stringData: {image: a}"), []),
        (_resource("ImageRepository", "spec: {image: a/b}"), []),
        (_resource("Config", "build: {artifacts: [{image: a}]}", "skaffold/v4beta1"), []),
        (_resource("Config", "overrides: [{image: a}]", "kbld.k14s.io/v1alpha1"), []),
        (_resource("Cluster", "nodes: [{image: 'kindest/node:v1'}]", "kind.x-k8s.io/v1"), ["image kindest/node:v1"]),
        (_resource("Grafana", "spec: {image: 'grafana:1'}"), ["image grafana:1"]),
        (_resource("X", "spec: {image: 'Not An Image'}"), []),
        (_resource("X", "spec: {image: {repository: a}}"), []),
        (_resource("Pod", "spec: {containers: [{image: 'ko://x/y'}]}"), []),
        (
            _resource("Pod", "spec: {containers: [{image: 'A b'}]}"),
            ["image A b: `A b` has blanks or control characters"],
        ),
        (
            _resource("Workflow", "spec: {templates: [{container: {image: '{{inputs.i}}'}}]}"),
            ["image {{inputs.i}}: a variable or a template decides the image"],
        ),
        (
            _resource("Task", "spec: {steps: [{image: $(params.i)}]}"),
            ["image $(params.i): a variable or a template decides the image"],
        ),
        (
            _resource("Pod", 'spec: {containers: [{image: "\\x24(I)"}]}'),
            ["image \\x24(I) = $(I): a variable or a template decides the image"],
        ),
        ("image: a\n", []),
        ("- a\n", []),
        (_resource("Pod", "spec: {containers: [{image: a}]}\n# image: b\n---\n") * 2, ["image a", "image a"]),
    ],
)
def test_images_are_found_by_their_key_unless_they_are_output_schema_or_data(document: str, found: list[str]) -> None:
    assert references(document, _KUBERNETES) == found


def test_a_block_scalar_is_reported_not_edited() -> None:
    document = _resource("Pod", "spec:\n  containers:\n  - image: |\n      a:1\n")
    assert refusals(document, _KUBERNETES) == ["a:1: the value is a block scalar"]

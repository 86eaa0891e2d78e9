from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from tests.support.documents import DIGEST, pinned_text, references, refusals

_KUBERNETES = table.KUBERNETES


def _resource(kind: str, body: str, version: str = "v1") -> str:
    return f"apiVersion: {version}\nkind: {kind}\n{body}\n"


_POD = (
    "{initContainers: [{image: i}], containers: [{image: 'c:1'}, {name: x}], ephemeralContainers: [{image: e}], "
    "volumes: [{image: {reference: 'v:1'}}, {emptyDir: {}}]}"
)
_POD_IMAGES = ["image i", "image c:1", "image e", "image-volume v:1"]


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


def _custom(kind: str, version: str, body: str) -> str:
    return _resource(kind, f"spec: {body}", version)


_VALUES = "{image: {repository: a, tag: v1, digest: ''}, exporter: {image: b, tag: 1.58.0}}"
_VALUES_FOUND = ["image v1 = a:v1", "image 1.58.0 = b:1.58.0"]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (_custom("HelmRelease", "helm.toolkit.fluxcd.io/v2", f"{{values: {_VALUES}}}"), _VALUES_FOUND),
        (
            _custom("Application", "argoproj.io/v1alpha1", f"{{source: {{helm: {{valuesObject: {_VALUES}}}}}}}"),
            _VALUES_FOUND,
        ),
        (
            (
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  sources:\n  - helm:\n      values: |\n"
                "        image:\n          repository: a\n          tag: v1\n"
                "      parameters: [{name: image, value: x}]\n"
            ),
            ["image v1 = a:v1"],
        ),
        (
            _custom("Application", "argoproj.io/v1alpha1", "{source: {helm: {values: 'image: a'}}}"),
            ["from : the YAML in it is not written after a plain `|`"],
        ),
        (
            _custom(
                "ApplicationSet",
                "argoproj.io/v1alpha1",
                "{template: {spec: {source: {kustomize: {images: ['a=b:1', 'c:2']}}}}}",
            ),
            ["image b:1", "image c:2"],
        ),
        (
            _custom("Kustomization", "kustomize.toolkit.fluxcd.io/v1", "{images: [{name: a, newTag: v1}]}"),
            ["image v1 = a:v1"],
        ),
        (_custom("Kustomization", "kustomize.config.k8s.io/v1beta1", "{images: [{name: a, newTag: v1}]}"), []),
        (_custom("Cluster", "postgresql.cnpg.io/v1", "{imageName: 'a/postgresql:16.4'}"), ["image a/postgresql:16.4"]),
        (_custom("Cluster", "cluster.x-k8s.io/v1", "{imageName: 'a:1'}"), []),
        (
            _custom("ImageStream", "image.openshift.io/v1", "{tags: [{from: {kind: DockerImage, name: 'a:1'}}]}"),
            ["image a:1"],
        ),
        (_custom("Kafka", "kafka.strimzi.io/v1", "{kafka: {version: 3.9.0, image: 'a:1'}}"), ["image a:1"]),
        (_custom("X", "x/v1", "{image: a, tag: v1}"), ["image v1 = a:v1"]),
        (_custom("X", "x/v1", "{image: {repository: a, tag: v1}}"), ["image v1 = a:v1"]),
        (_custom("X", "x/v1", "{image: logo.png, a: {image: 'https://x/y'}, b: {image: true}, c: {image: 5}}"), []),
        (_custom("X", "x/v1", "{a: {image: null}, b: {image: ~}, c: {image: ' '}, d: {image: ./x}}"), []),
        (_custom("DeploymentConfig", "apps.openshift.io/v1", "{template: {spec: {containers: [{image: ' '}]}}}"), []),
        (_custom("Deployment", "apps/v1", "{template: {spec: {containers: [{image: auto}]}}}"), []),
        (_custom("Policy", "kyverno.io/v1", "{rules: [{containers: [{image: '!*:latest'}, {image: '*:*'}]}]}"), []),
        (_custom("BuildConfig", "build.openshift.io/v1", "{output: {image: 'a:1'}}"), []),
        (_custom("IstioOperator", "install.istio.io/v1", "{values: {global: {proxy: {image: proxyv2}}}}"), []),
        (_custom("ImagePolicy", "image.toolkit.fluxcd.io/v1", "{image: a}"), []),
    ],
)
def test_custom_resources(document: str, found: list[str]) -> None:
    assert references(document, _KUBERNETES) == found


def test_what_flux_writes_is_left_to_flux() -> None:
    document = _resource(
        "Pod", 'spec:\n  containers:\n  - image: a:1 # {"$imagepolicy": "flux-system:app"}\n  - image: b:1'
    )
    assert refusals(document, _KUBERNETES) == ["a:1: Flux writes it, by the comment behind it"]


def test_an_argo_cd_image_gets_its_digest_without_a_tag_since_old_versions_keep_the_tag_as_a_name() -> None:
    document = _custom("Application", "argoproj.io/v1alpha1", "{source: {kustomize: {images: ['a=b:1']}}}")
    assert pinned_text(document, _KUBERNETES) == document.replace("b:1", "b@D")


def test_values_in_a_text_are_pinned_where_they_are() -> None:
    document = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    helm:\n      values: |\n"
        "        # é\n        web:\n          image: a:1 # b\n"
        "        db: {image: {repository: c, tag: v1, digest: ''}}\n"
    )
    expected = document.replace("a:1", "a:1@D").replace("digest: ''", "digest: 'D'")
    assert pinned_text(document, _KUBERNETES) == expected
    assert pinned_text(document.replace("\n", "\r\n"), _KUBERNETES) == expected.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "image", ["'%%X%%'", "'@X@'", "<x>", "'{% x %}'", "'[[x]]'", "'((x))'", "'#{x}'", "!Ref x", "a:@V@"]
)
def test_what_a_program_fills_in_is_told_as_such(image: str) -> None:
    (found,) = references(_resource("Pod", f"spec:\n  containers:\n  - image: {image}"), _KUBERNETES)
    assert found.endswith(": a variable or a template decides the image")


@pytest.mark.parametrize(
    ("image", "found"),
    [("a=b:1", ["image b:1"]), ("a:1", ["image a:1"]), ("a=b", []), ("a", [])],
)
def test_an_argo_cd_image_without_a_tag_keeps_that_of_the_manifest(image: str, found: list[str]) -> None:
    document = _resource("Application", f"spec: {{source: {{kustomize: {{images: ['{image}']}}}}}}")
    assert references(document, _KUBERNETES) == found


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("ImageStream", "tags: [{from: {%s}}]"),
        ("BuildConfig", "strategy: {dockerStrategy: {from: {%s}}}"),
        ("BuildConfig", "source: {images: [{from: {%s}}]}"),
    ],
)
def test_openshift_names_images_of_a_registry_and_of_its_own_streams(kind: str, spec: str) -> None:
    own, other = (
        _resource(kind, f"spec: {{{spec % f'kind: {name}, name: a:1'}}}") for name in ("ImageStreamTag", "DockerImage")
    )
    assert references(own, _KUBERNETES) == []
    assert references(other, _KUBERNETES) == ["image a:1"]


_NAME = "only the program that reads it knows whether `{}` beside it belongs to its name"


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("{repository: nvcr.io/nvidia, image: driver, version: '550'}", f"driver: {_NAME.format('repository')}"),
        ("{registry: q.io, image: 'a/b:1'}", f"a/b:1: {_NAME.format('registry')}"),
        ("{imageRepository: q.io/a, image: b, tag: v1}", f"b: {_NAME.format('imageRepository')}"),
        ("{repository: 'https://x.example/y', image: 'a/b:1'}", "a/b:1"),
        ("{registry: {host: x}, image: 'a/b:1'}", "a/b:1"),
        ("{registry: '', image: 'a/b:1'}", "a/b:1"),
        ("{registry: q.io, image: 'q.io/a/b:1'}", "q.io/a/b:1"),
        (
            "{image: a/b, tag: ''}",
            "a/b: only the program that reads it knows what the empty `tag` beside it means",
        ),
        ("{image: 'a/b:1', tag: ''}", "a/b:1"),
        (f"{{image: a/b, imageDigest: {DIGEST}}}", "a/b: its digest may be that of `imageDigest` beside it"),
        (f"{{image: 'a/b@{DIGEST}', digest: {DIGEST}}}", f"a/b@{DIGEST}"),
        ("{image: 'a/b:1', digest: ''}", "a/b:1"),
        ("{image: a/b, version: v1}", "a/b"),
    ],
)
def test_what_may_be_a_part_of_the_image_of_a_custom_resource_is_not_passed_over(spec: str, found: str) -> None:
    assert references(_resource("ClusterPolicy", f"spec: {{x: {spec}}}"), _KUBERNETES) == [f"image {found}"]


@pytest.mark.parametrize("key", ["tag", "imageTag", "imageVersion"])
def test_a_tag_beside_an_image_of_a_resource_is_no_matter_of_charts(key: str) -> None:
    document = _resource("A", f"spec: {{image: redis, {key}: '7'}}", "x/v1")
    assert refusals(document, _KUBERNETES) == ["redis:7: only the program that reads it knows where its digest goes"]


def test_a_container_that_a_trigger_writes_is_no_input() -> None:
    containers = "[{name: a, image: 'a:1'}, {name: b, image: 'b:1'}, {image: ' '}]"
    trigger = "{type: ImageChange, imageChangeParams: {containerNames: [a]}}"
    document = _resource(
        "DeploymentConfig", f"spec: {{template: {{spec: {{containers: {containers}}}}}, triggers: [{trigger}, x]}}"
    )
    assert references(document, _KUBERNETES) == ["image b:1"]


def test_the_items_of_a_list_of_one_kind_need_no_kind_of_their_own() -> None:
    pod = "{spec: {containers: [{image: 'a:1'}]}, status: {containerStatuses: [{image: 'no:1'}]}}"
    assert references(_resource("PodList", f"items: [{pod}]"), _KUBERNETES) == ["image a:1"]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (
            _resource("HelmRelease", "spec: {postRenderers: [{kustomize: {images: [{name: a, newTag: v1}]}}]}"),
            ["image v1 = a:v1"],
        ),
        (
            _resource("HelmChart", "spec:\n  valuesContent: |\n    image: a:1\n", "helm.cattle.io/v1"),
            ["image a:1"],
        ),
        (_resource("ImageTagTransformer", "imageTag: {name: a, newTag: v1}", "builtin"), ["image v1 = a:v1"]),
    ],
)
def test_what_turns_charts_and_manifests_into_resources(document: str, found: list[str]) -> None:
    assert references(document, _KUBERNETES) == found

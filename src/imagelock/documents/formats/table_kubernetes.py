"""Kubernetes resources, and the files that tools turn into them.

https://kubernetes.io/docs/concepts/containers/images/. Custom resources hold containers in places that no list has in
full, so most of them follow one rule: the key, not the path.
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.formats.embedded import find_in_embedded_yaml
from imagelock.documents.formats.format import Format
from imagelock.documents.formats.helm_values import find_in_values, find_in_values_text
from imagelock.documents.formats.place_rules import Alone, Inside, Parts, Text
from imagelock.documents.formats.scalars import found_after_prefix, found_image, may_be_reference
from imagelock.documents.formats.split import has_version
from imagelock.documents.references import Found, ReferenceKind, TagNeeded, TagUse
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar, Sequence, walk
from imagelock.documents.syntax.reader import Syntax

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_ISTIO_FILLS_IN = "auto"
_CNPG_READS_TAG = TagNeeded("CloudNativePG reads PostgreSQL's major version from the tag", "write the tag")


def is_resource(node: Node) -> bool:
    """Whether a document is a Kubernetes resource."""
    return isinstance(node, Mapping) and bool(node.find_scalar("apiVersion") and node.find_scalar("kind"))


def _is_no_istio_placeholder(text: str) -> bool:
    return text != _ISTIO_FILLS_IN


def _kustomize_images(path: str) -> Parts:
    return Parts(
        path,
        name=("newName", "name"),
        tag=("newTag",),
        digest=("digest",),
        affix=("tagSuffix",),
        tag_takes_digest=True,
        alone=Alone.WITH_VERSION,
    )


def _find_argo_kustomize_image(node: Node) -> Iterator[Found]:
    """Find the reference of ``[OLD=]NEW``: https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/."""
    if not isinstance(node, Scalar) or not may_be_reference(node):
        return
    old, equals, new = node.value.rpartition("=")
    if not has_version(new):
        return  # the tag of the manifest stays
    if equals and node.is_plain:
        found = found_after_prefix(ReferenceKind.IMAGE, node, f"{old}=", TagUse.DROPPED)
    else:
        found = found_image(ReferenceKind.IMAGE, node, TagUse.DROPPED)
    if found is not None:
        yield found


def _find_in_deployment_config(spec: Node) -> Iterator[Found]:
    """Find the images of containers but for those that a trigger writes.

    https://docs.openshift.com/container-platform/latest/applications/deployments/managing-deployment-processes.html
    """
    if not isinstance(spec, Mapping):
        return
    triggers = [each.find_mapping("imageChangeParams") for each in _mappings(spec.find("triggers"))]
    names = [name for each in triggers for name in each.find_sequence("containerNames").items]
    written = {name.value for name in names if isinstance(name, Scalar)}
    pod = spec.find_mapping("template").find_mapping("spec")
    for container in (each for key in _CONTAINERS for each in _mappings(pod.find(key))):
        name, image = container.find_scalar("name"), container.find_scalar("image")
        if image is not None and may_be_reference(image) and (name is None or name.value not in written):
            yield found_image(ReferenceKind.IMAGE, image)


def _mappings(node: Node | None) -> Iterator[Mapping]:
    yield from (each for each in node.items if isinstance(each, Mapping)) if isinstance(node, Sequence) else ()


def _find_docker_image(node: Node) -> Iterator[Found]:
    """Find the name of an OpenShift reference, which may also be that of an ``ImageStreamTag``."""
    kind, name = (node.find_scalar(key) for key in ("kind", "name")) if isinstance(node, Mapping) else (None, None)
    if kind is not None and name is not None and kind.value == "DockerImage" and may_be_reference(name):
        yield found_image(ReferenceKind.IMAGE, name)


def _find_in_patch(patch: Node) -> Iterator[Found]:
    """Find the images that a patch in a text sets: a part of a resource, or operations of JSON Patch (RFC 6902)."""
    if isinstance(patch, Scalar) and "image" in patch.value and ("\n" in patch.value or "{" in patch.value):
        yield from find_in_embedded_yaml(patch, _find_in_patch_document, gives_every_key_meaning=True)


def _find_in_patch_document(document: Node) -> Iterator[Found]:
    operations = document.items if isinstance(document, Sequence) else ()
    for operation in operations:
        path, value = (
            (operation.find_scalar("path"), operation.find("value")) if isinstance(operation, Mapping) else (None, None)
        )
        if path is not None and path.value.endswith("/image") and isinstance(value, Scalar) and may_be_reference(value):
            yield found_image(ReferenceKind.IMAGE, value)
        elif path is not None and value is not None:
            yield from _find_in_containers(value)
    if isinstance(document, Mapping):
        yield from _find_in_containers(document)


def _find_in_containers(root: Node) -> Iterator[Found]:
    for node in walk(root):
        image = node.find_scalar("image") if isinstance(node, Mapping) else None
        if image is not None and may_be_reference(image):
            yield found_image(ReferenceKind.IMAGE, image)


_PATCHES = ("patches[].patch", "patchesJson6902[].patch", "patchesStrategicMerge[]")
_ARGO_SOURCES = ("spec.source", "spec.sources[]", "spec.template.spec.source", "spec.template.spec.sources[]")

KUBERNETES = Format(
    name="kubernetes",
    title="Kubernetes file",
    syntax=Syntax.YAML,
    content="`apiVersion` and `kind`",
    gives_every_key_meaning=True,
    reads=is_resource,
    images=(
        Inside("HelmRelease:spec.values", find_in_values),
        _kustomize_images("HelmRelease:spec.postRenderers[].kustomize.images[]"),
        Inside("{HelmChart,HelmChartConfig}.helm.cattle.io:spec.valuesContent", find_in_values_text),
        *(
            rule
            for source in _ARGO_SOURCES
            for rule in (
                Inside(f"{{Application,ApplicationSet}}:{source}.helm.valuesObject", find_in_values),
                Inside(f"{{Application,ApplicationSet}}:{source}.helm.values", find_in_values_text),
                Inside(f"{{Application,ApplicationSet}}:{source}.kustomize.images[]", _find_argo_kustomize_image),
            )
        ),
        _kustomize_images("Kustomization.kustomize.toolkit.fluxcd.io:spec.images[]"),
        Inside("Kustomization.kustomize.toolkit.fluxcd.io:spec.patches[].patch", _find_in_patch),
        _kustomize_images("ImageTagTransformer:imageTag"),
        Text("Cluster.postgresql.cnpg.io:spec.imageName", tag_use=_CNPG_READS_TAG),
        Text("{ImageCatalog,ClusterImageCatalog}:spec.images[].image", tag_use=_CNPG_READS_TAG),
        Text("{Cluster,ImageCatalog,ClusterImageCatalog}:**.extensions[].image.reference"),
        Inside("DeploymentConfig:spec", _find_in_deployment_config),
        Inside("ImageStream:spec.tags[].from", _find_docker_image),
        Inside("BuildConfig:spec.strategy.*.from", _find_docker_image),
        Inside("BuildConfig:spec.source.images[].from", _find_docker_image),
        Text("**.{containers,initContainers,ephemeralContainers}[].image", accepts=_is_no_istio_placeholder),
        Text("**.volumes[].image.reference", kind=ReferenceKind.IMAGE_VOLUME),
        Text(
            "**.image",
            is_sure=False,
            accepts=_is_no_istio_placeholder,
            tag_beside=("tag", "imageTag", "imageVersion"),
            registry_beside=("registry", "repository", "imageRegistry", "imageRepository", "hub"),
        ),
        Parts(
            "**./image$/i",
            name=("repository",),
            tag=("tag",),
            digest=("digest",),
            hex_digest=("sha",),
            registry=("registry",),
        ),
    ),
    never=(
        "status",
        "**.{labels,matchLabels,nodeSelector}",
        "{CustomResourceDefinition,ConfigMap,Secret,Node,ImageRepository,ImagePolicy}:**",
        "{Kustomization,Component}.kustomize.config.k8s.io:**",
        "Config.kbld.k14s.io:**",
        "Config.skaffold:**",
        "IstioOperator:**.values.**",
        "BuildConfig:spec.output",
        "{Application,ApplicationSet}:**.helm.parameters",
    ),
)


KUSTOMIZATION = Format(
    name="kustomization",
    title="kustomization",
    syntax=Syntax.YAML,
    files=("kustomization.yaml", "kustomization.yml", "Kustomization"),
    gives_every_key_meaning=True,
    images=(
        _kustomize_images("images[]"),
        Inside("helmCharts[].valuesInline", find_in_values),
        *(Inside(path, _find_in_patch) for path in _PATCHES),
    ),
    never=("configurations",),
)

HELM_VALUES = Format(
    name="helm-values",
    title="Helm values",
    syntax=Syntax.YAML,
    files=("values.y{a,}ml", "values[._-]*.y{a,}ml", "*[._-]values.y{a,}ml"),
    find=find_in_values,
    places=("`repository` with `tag`, `digest` or `sha`", "keys that end in `image`"),
)

HELMFILE = Format(
    name="helmfile",
    title="helmfile",
    syntax=Syntax.YAML,
    files=("helmfile.y{a,}ml", "helmfile.d/*.y{a,}ml"),
    images=(Inside("releases[].values[]", find_in_values), Inside("environments.*.values[]", find_in_values)),
)

SKAFFOLD = Format(
    name="skaffold",
    title="Skaffold configuration",
    syntax=Syntax.YAML,
    files=("skaffold*.y{a,}ml",),
    content="`apiVersion: skaffold/…`",
    images=tuple(
        Text(f"{below}{path}")
        for below in ("", "profiles[].")
        for path in (
            "build.artifacts[].{jib,ko}.fromImage",
            "build.artifacts[].buildpacks.{builder,runImage}",
            "build.artifacts[].kaniko.{image,initImage}",
            "build.googleCloudBuild.{dockerImage,gradleImage,kanikoImage,koImage,mavenImage,packImage}",
            "{verify,customActions}[].container.image",
            "{verify,customActions}[].containers[].image",
        )
    ),
    never=("build.artifacts[].image", "test", "deploy"),
)

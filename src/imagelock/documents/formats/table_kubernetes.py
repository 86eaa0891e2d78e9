"""Kubernetes files: every ``image`` of every resource, except where it is an output, a schema or plain data.

https://kubernetes.io/docs/concepts/containers/images/. Custom resources hold containers in places that nobody can list,
so the rule is the key, not the path.
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.formats.scalars import SplitImage, found_image, is_template
from imagelock.documents.references import Found, Image, ReferenceKind, Unresolved
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar, walk

_CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")
_DATA_KINDS = frozenset({"CustomResourceDefinition", "ConfigMap", "Secret", "Kustomization", "Component"})
_TOOL_CONFIGURATIONS = ("skaffold/", "kbld.k14s.io/")
_REPOSITORY_KINDS = frozenset({"ImageRepository"})
_KO_SCHEME = "ko://"


def find_in_kubernetes(document: Node) -> Iterator[Found]:
    """Find the images that a resource, or each resource of a ``List``, would run."""
    for resource in _resources(document):
        for key, value in resource.entries:
            if key != "status":
                yield from _find_below(value)


def is_resource(node: Node) -> bool:
    """Whether a document is a Kubernetes resource."""
    return isinstance(node, Mapping) and bool(node.find_scalar("apiVersion") and node.find_scalar("kind"))


def _resources(document: Node) -> Iterator[Mapping]:
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Mapping) or not is_resource(node) or _is_no_workload(node):
            continue
        kind = node.find_scalar("kind")
        if kind is not None and kind.value.endswith("List"):
            waiting.extend(reversed(node.find_sequence("items").items))
        else:
            yield node


def _is_no_workload(resource: Mapping) -> bool:
    version, kind = resource.find_scalar("apiVersion"), resource.find_scalar("kind")
    return (
        version is None
        or kind is None
        or (kind.value in _DATA_KINDS | _REPOSITORY_KINDS or version.value.startswith(_TOOL_CONFIGURATIONS))
    )


def _find_below(root: Node) -> Iterator[Found]:
    containers: set[int] = set()
    for node in walk(root):
        if not isinstance(node, Mapping):
            continue
        for name in _CONTAINER_LISTS:
            containers.update(map(id, node.find_sequence(name).items))
        yield from _find_image_volumes(node)
        image = node.find_scalar("image")
        if image is None or image.value.startswith(_KO_SCHEME):
            continue
        found = found_image(ReferenceKind.IMAGE, image)
        if isinstance(found.target, Image) or id(node) in containers or _was_meant(found.target, image):
            yield found


def _was_meant(target: object, image: Scalar) -> bool:
    """Whether it is certainly an image, although nobody can tell which: other keys ``image`` may hold anything."""
    return isinstance(target, Unresolved) and is_template(image.value)


def _find_image_volumes(node: Mapping) -> Iterator[Found]:
    for volume in node.find_sequence("volumes").items:
        if isinstance(volume, Mapping) and (reference := volume.find_mapping("image").find_scalar("reference")):
            yield found_image(ReferenceKind.IMAGE_VOLUME, reference)


def find_in_kustomization(document: Node) -> Iterator[Found]:
    """Find the entries that say which tag or digest to use; others only rename."""
    if not isinstance(document, Mapping):
        return
    for entry in document.find_sequence("images").items:
        if not isinstance(entry, Mapping):
            continue
        name = entry.find_scalar("newName") or entry.find_scalar("name")
        if name is not None:
            parts = SplitImage(
                name.value, tag=entry.find_scalar("newTag"), digest=entry.find_scalar("digest"), tag_takes_digest=True
            )
            yield from parts.find(ReferenceKind.IMAGE)

"""GitHub Actions: workflows and ``action.yml``.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.references import ReferenceKind
from imagelock.documents.targets import Found
from imagelock.documents.yaml.nodes import Mapping, Node, Scalar
from imagelock.documents.yaml.scalars import found_after_prefix, found_image

_DOCKER_SCHEME = "docker://"


def find_in_github(document: Node) -> Iterator[Found]:
    """Find the images of job containers, of services, and of ``docker://`` actions."""
    if not isinstance(document, Mapping):
        return
    for _, job in document.find_mapping("jobs").mappings():
        yield from _find_container(job.find("container"))
        for _, service in job.find_mapping("services").mappings():
            yield from _find_container(service)
        yield from _find_steps(job)
    runs = document.find_mapping("runs")
    yield from _find_action(runs.find("image"))
    yield from _find_steps(runs)


def _find_container(container: Node | None) -> Iterator[Found]:
    image = container.find_scalar("image") if isinstance(container, Mapping) else container
    if isinstance(image, Scalar) and image.value:
        yield found_after_prefix(ReferenceKind.IMAGE, image, _DOCKER_SCHEME) or found_image(ReferenceKind.IMAGE, image)


def _find_steps(parent: Mapping) -> Iterator[Found]:
    for step in parent.find_sequence("steps").items:
        if isinstance(step, Mapping):
            yield from _find_action(step.find("uses"))


def _find_action(value: Node | None) -> Iterator[Found]:
    """Find an action's image; without ``docker://`` it is another action, or the path of a Dockerfile."""
    if isinstance(value, Scalar) and (found := found_after_prefix(ReferenceKind.ACTION, value, _DOCKER_SCHEME)):
        yield found

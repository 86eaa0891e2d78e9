"""GitHub Actions: workflows and ``action.yml``.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imagelock.documents.formats.scalars import found_after_prefix, found_image
from imagelock.documents.references import Found, Image, NotEditable, ReferenceKind
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar
from imagelock.model.reference import split_reference

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


_NO_JOBS = frozenset({"variables", "include", "workflow", "spec", "stages", "cache"})
_NEEDS_TAG = NotEditable(
    "GitLab Runner can lose the digest of a service that has no tag", "write the tag, `:latest` if that is meant"
)


def find_in_gitlab(document: Node) -> Iterator[Found]:
    """Find the images that jobs run in, and those of the services beside them."""
    if not isinstance(document, Mapping):
        return
    yield from _find_in_job(document)
    for name, job in document.mappings():
        if name not in _NO_JOBS:
            yield from _find_in_job(job)


def _find_in_job(job: Mapping) -> Iterator[Found]:
    if image := _name_of(job.find("image")):
        yield found_image(ReferenceKind.IMAGE, image)
    for service in job.find_sequence("services").items:
        if name := _name_of(service):
            yield _with_tag(found_image(ReferenceKind.IMAGE, name))


def _name_of(node: Node | None) -> Scalar | None:
    """Find the reference: the value itself, or its ``name``."""
    if isinstance(node, Mapping):
        return node.find_scalar("name")
    return node if isinstance(node, Scalar) and node.value else None


def _with_tag(found: Found) -> Found:
    """Refuse to put a digest where Runner 15.9 lost it: https://gitlab.com/gitlab-org/gitlab-runner/-/issues/31049."""
    if isinstance(found.target, Image) and split_reference(found.target.text).tag is None:
        return replace(found, target=replace(found.target, editing=_NEEDS_TAG))
    return found

"""GitLab CI: ``image`` and ``services``, globally, by default and in every job.

https://docs.gitlab.com/ci/yaml/#image
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imagelock.documents.references import Image, NotEditable, ReferenceKind
from imagelock.documents.targets import Found
from imagelock.documents.yaml.nodes import Mapping, Node, Scalar
from imagelock.documents.yaml.scalars import found_image
from imagelock.model.reference import split_reference

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

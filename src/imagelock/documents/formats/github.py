"""GitHub Actions, and what Gitea and Forgejo run of it: workflows and ``action.yml``.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

from imagelock.documents.formats.embedded import inner_source
from imagelock.documents.formats.scalars import (
    found_after_prefix,
    found_image,
    is_template,
    may_be_reference,
    not_editable,
)
from imagelock.documents.references import Found, NotEditable, ReferenceKind
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar, ScalarStyle, Sequence, walk

_DOCKER_SCHEME = "docker://"
_CONTEXT = re.compile(r"^[ \t]*([^\s=]+)=docker-image://((?:\$\{\{.*?\}\}|[^\s,])+)", re.MULTILINE)
_COMPARED = NotEditable(
    "an expression of the job compares it with a text", "give the matrix another key for the comparison"
)
_MATRIX_VALUE = re.compile(r"\$\{\{\s*matrix\.([\w-]+(?:\.[\w-]+)*)\s*\}\}", re.ASCII)


def find_in_github(document: Node) -> Iterator[Found]:
    """Find the images of job containers, of services, and of ``docker://`` actions."""
    if not isinstance(document, Mapping):
        return
    for _, job in document.find_mapping("jobs").mappings():
        is_compared = cache(partial(_is_compared, job=job))  # a job may have thousands of services
        yield from _find_container(job.find("container"), job, is_compared)
        for service in job.find_mapping("services").values():
            if isinstance(service, Mapping):
                yield from _find_container(service, job, is_compared)
        yield from _find_steps(job)
    runs = document.find_mapping("runs")
    yield from _find_action(runs.find("image"))
    yield from _find_steps(runs)


def _find_container(container: Node | None, job: Mapping, is_compared: Callable[[str], bool]) -> Iterator[Found]:
    image = container.find("image") if isinstance(container, Mapping) else container
    if not isinstance(image, Scalar):
        return
    expression = _MATRIX_VALUE.fullmatch(image.value.strip())
    matrix = job.find_mapping("strategy").find_mapping("matrix")
    values = _matrix_values(expression[1], matrix) if expression else ()
    if not expression or not values:
        yield from _find_image(image)
        return
    for found in (found for value in values for found in _find_image(value)):
        named = replace(found, used_by=image.value.strip())
        yield not_editable(named, _COMPARED) if is_compared(expression[1]) else named


def _find_image(image: Scalar) -> Iterator[Found]:
    if found := found_after_prefix(ReferenceKind.IMAGE, image, _DOCKER_SCHEME):
        yield found
    elif may_be_reference(image):
        yield found_image(ReferenceKind.IMAGE, image)


def _is_compared(name: str, job: Mapping) -> bool:
    """Whether an expression of a job looks for a value of the matrix, which a digest would change."""
    value = rf"\bmatrix\.{re.escape(name)}(?![\w.-])"
    comparison = re.compile(rf"{value}\s*[=!]=|[=!]=\s*{value}|\bendsWith\(\s*{value}", re.IGNORECASE)
    return any(isinstance(node, Scalar) and comparison.search(node.value) for node in walk(job))


def _matrix_values(name: str, matrix: Mapping) -> tuple[Scalar, ...]:
    """Find the values of ``matrix.NAME``, those that ``exclude`` compares with, too; none if some are computed."""
    key, *path = name.split(".")
    changes = ("include", "exclude")
    entries = [each for change in changes for each in matrix.find_sequence(change).items]
    lists = [matrix.find(key), *(_look_up(each, [key]) for each in entries)]
    values: list[Node | None] = []
    for node in lists:
        values += node.items if isinstance(node, Sequence) else [node]
    if any(isinstance(matrix.find(change), Scalar) for change in changes) or any(map(_is_computed, values)):
        return ()
    images = (_look_up(value, path) for value in values)
    references = (each.find("image") if isinstance(each, Mapping) else each for each in images)
    return tuple(each for each in references if isinstance(each, Scalar) and each.value)


def _look_up(node: Node | None, path: list[str]) -> Node | None:
    for key in path:
        node = node.find(key) if isinstance(node, Mapping) else None
    return node


def _is_computed(value: Node | None) -> bool:
    return isinstance(value, Scalar) and is_template(value.value)


def _find_steps(parent: Mapping) -> Iterator[Found]:
    for step in parent.find_sequence("steps").items:
        if isinstance(step, Mapping):
            yield from _find_action(step.find("uses"))
            for _, context in _build_contexts(step):
                yield found_image(ReferenceKind.BUILD_CONTEXT, context)


def _build_contexts(step: Mapping) -> Iterator[tuple[str, Scalar]]:
    """Give the names of the contexts that Docker's build action puts in the place of images, with the images.

    https://github.com/docker/build-push-action#inputs
    """
    contexts = step.find_mapping("with").find_scalar("build-contexts")
    if contexts is None:
        return
    source = contexts.source if contexts.is_plain else inner_source(contexts)
    if source is None:
        return
    for line in _CONTEXT.finditer(source.text):
        yield line[1], Scalar(line[2], source.cut(*line.span(2)), ScalarStyle.QUOTED)


def find_context_names_of_jobs(document: Mapping) -> Iterator[str]:
    """Find the names of images that a workflow's builds bring their own content for."""
    for _, job in document.find_mapping("jobs").mappings():
        for step in job.find_sequence("steps").items:
            if isinstance(step, Mapping):
                yield from (name for name, _ in _build_contexts(step))


def _find_action(value: Node | None) -> Iterator[Found]:
    """Find an action's image; without ``docker://`` it is another action, or the path of a Dockerfile."""
    if isinstance(value, Scalar) and (found := found_after_prefix(ReferenceKind.ACTION, value, _DOCKER_SCHEME)):
        yield found

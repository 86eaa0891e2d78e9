"""Compose files.

https://docs.docker.com/reference/compose-file/. ``image`` beside ``build`` is the name of what is built, no input, and
the tools refuse a digest there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from imagelock.documents.formats.compose_project import (
    ComposeFiles,
    ComposeProject,
    image_name,
    image_of,
    is_built,
    is_reset,
    services_of,
)
from imagelock.documents.formats.embedded import find_in_embedded_dockerfile
from imagelock.documents.formats.github import find_context_names_of_jobs
from imagelock.documents.formats.interpolation import interpolated_target, whole_variable
from imagelock.documents.formats.scalars import found_image, may_be_reference, not_editable, shared
from imagelock.documents.formats.surrounding_files import NoFiles
from imagelock.documents.references import Found, Image, NotEditable, ReferenceKind
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, Sequence, walk
from imagelock.documents.syntax.reader import Syntax, read_documents
from imagelock.model.frozen import frozen

_IMAGE_SCHEME = "docker-image://"
_USE_OF_VARIABLE = re.compile(rb"(?<!\$)\$\{?([A-Za-z_]\w*)")
_IMAGE_ID = "sha256:"
_IMAGE_KEYS = frozenset({"image", "pre_start", "volumes"})
_MAY_BE_BUILT = NotEditable(
    "it may be the name of what the extended service builds", "write the image where the service of the other file is"
)


def find_in_compose(document: Node, files: ComposeFiles | None = None, path: str = "") -> Iterator[Found]:
    """Find the images that services run, mount and are built with; ``files`` are those around the one of ``path``."""
    files = files or ComposeFiles(NoFiles())
    project = files.project_of(path, document)
    services = services_of(document)
    for name, service in services.mappings():
        if is_reset(service):
            continue
        chain, is_complete = files.chain(path, service)
        image = image_of(service)
        if image is not None and _is_reference(image) and not _is_built(name, chain, project):
            for found in _find_service_image(image, services, project):
                yield found if is_complete else not_editable(found, _MAY_BE_BUILT)
        build = service.find("build")
        if isinstance(build, Mapping) and not is_reset(build):
            yield from _find_in_build(build, project)
        yield from _find_image_volumes(service, services, project)
        for hook in service.find_sequence("pre_start").items:
            if isinstance(hook, Mapping) and (hook_image := hook.find_scalar("image")):
                yield _found(ReferenceKind.IMAGE, hook_image, project)


def _is_reference(image: Scalar) -> bool:
    """Return whether a value is a reference: not of another type, nor the identifier of an image on the machine."""
    return may_be_reference(image) and not image.value.startswith(_IMAGE_ID)


def _is_built(name: str, chain: tuple[Mapping, ...], project: ComposeProject) -> bool:
    """Whether a service's image is the name of what it builds, in this file or in one that is merged with it."""
    return is_built(chain) or (name in project.built_services and not is_reset(chain[0].find("build")))


def _find_service_image(image: Scalar, services: Mapping, project: ComposeProject) -> Iterator[Found]:
    found = _found(ReferenceKind.IMAGE, image, project)
    built = project.built_images
    if built and isinstance(found.target, Image) and image_name(found.target.text) in built:
        return
    yield shared(found) if image.has_anchor and _is_used_elsewhere(image, services) else found


def _is_used_elsewhere(image: Scalar, services: Mapping) -> bool:
    """Whether an alias makes the text of an image something else, such as an environment variable."""
    return any(
        any(node is image for node in walk(value))
        for _, service in services.mappings()
        for key, value in service.items()
        if key not in _IMAGE_KEYS
    )


def _found(kind: ReferenceKind, scalar: Scalar, project: ComposeProject, start: int = 0) -> Found:
    if not scalar.is_plain:
        return found_image(kind, scalar)
    source = scalar.source.cut(start)
    return Found.at(kind, source, interpolated_target(source, project.variables))


def _find_in_build(build: Mapping, project: ComposeProject) -> Iterator[Found]:
    contexts = build.find("additional_contexts")
    for value in _values(contexts):
        start = value.value.find(_IMAGE_SCHEME)
        if value.is_plain and (start == 0 or value.value[: max(start, 0)].endswith("=")):
            yield _found(ReferenceKind.BUILD_CONTEXT, value, project, start + len(_IMAGE_SCHEME))
    if inline := build.find_scalar("dockerfile_inline"):
        yield from find_in_embedded_dockerfile(inline, escape="$$")


def _values(node: Node | None) -> Iterator[Scalar]:
    """Yield the values of a mapping or a list: both forms name contexts."""
    match node:
        case Mapping(entries=entries):
            yield from (value for _, value in entries if isinstance(value, Scalar))
        case None | Scalar():
            return
        case _:
            yield from (item for item in node.items if isinstance(item, Scalar))


def _find_image_volumes(service: Mapping, services: Mapping, project: ComposeProject) -> Iterator[Found]:
    for volume in service.find_sequence("volumes").items:
        if not isinstance(volume, Mapping):
            continue
        kind, source = volume.find_scalar("type"), volume.find_scalar("source")
        if kind and source and kind.value == "image" and services.find(source.value) is None:
            yield _found(ReferenceKind.IMAGE_VOLUME, source, project)


_KEY = "additional_contexts"


def find_context_names(content: bytes, syntax: Syntax = Syntax.YAML) -> frozenset[str]:
    """Find the names that builds bring their own content for; a compose, bake or workflow file that is broken has none.

    ``FROM php-base`` asks no registry then: https://docs.docker.com/build/bake/contexts/.
    """
    if b"contexts" not in content:
        return frozenset()
    try:
        documents = read_documents(content, syntax)
    except DocumentSyntaxError:
        return frozenset()
    return frozenset(name for document in documents for name in _in_document(document))


def _in_document(document: Node) -> Iterator[str]:
    if not isinstance(document, Mapping):
        return
    builds_of_services = (service.find_mapping("build") for _, service in document.find_mapping("services").mappings())
    found = [build.find(_KEY) for build in builds_of_services]
    found += (target.find("contexts") for _, target in document.find_mapping("target").mappings())
    yield from find_context_names_of_jobs(document)
    for contexts in found:
        match contexts:
            case Mapping(entries=entries):
                yield from (name for name, _ in entries)
            case Sequence(items=items):
                yield from (item.value.partition("=")[0] for item in items if isinstance(item, Scalar))
            case _:
                pass


@frozen
class ComposeService:
    """One service, with what it extends in the same file."""

    name: str
    image: str | None
    """As the file has it, variables and all."""
    is_built: bool
    extends_other_file: bool


def find_services(document: Node) -> Iterator[ComposeService]:
    """Find the services of a document that are mappings."""
    files = ComposeFiles(NoFiles())
    files.project_of("", document)
    for name, service in services_of(document).mappings():
        bases, is_complete = files.chain("", service)
        images = (image.value for base in bases if (image := image_of(base)))
        yield ComposeService(
            name,
            image=next(images, None),
            is_built=is_built(bases),
            extends_other_file=not is_complete,
        )


def includes_files(document: Node) -> bool:
    """Whether compose would read further files because of a document."""
    return isinstance(document, Mapping) and document.find("include") is not None


def find_variables(folder: str, files: ComposeFiles) -> tuple[frozenset[str], frozenset[str]]:
    """Find the variables of a folder's compose files: those that hold whole images and nothing else, and all others.

    A digest in one that has another use, too, would get into a name or a command.
    """
    contents = [(path, content) for path in files.family_in(folder) if (content := files.read(path))]
    uses = Counter(name.decode() for _, content in contents for name in _USE_OF_VARIABLE.findall(content))
    images: Counter[str] = Counter()
    for path, content in contents if uses else ():
        for found in _find_in_content(content, files, path):
            if found.kind is ReferenceKind.IMAGE and (name := whole_variable(found.text)):
                images[name] += 1
    whole = frozenset(name for name, count in images.items() if uses[name] == count)
    return whole, frozenset(uses) - whole


def _find_in_content(content: bytes, files: ComposeFiles, path: str) -> Iterator[Found]:
    try:
        documents = read_documents(content, Syntax.YAML)
    except DocumentSyntaxError:
        return
    for document in documents:
        yield from find_in_compose(document, files, path)

"""Compose files.

https://docs.docker.com/reference/compose-file/. ``image`` beside ``build`` is the name of what is built, no input, and
the tools refuse a digest there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imagelock.documents.formats.embedded import find_in_embedded_dockerfile
from imagelock.documents.formats.interpolation import interpolated_target
from imagelock.documents.formats.scalars import found_image
from imagelock.documents.references import Found, Image, NotEditable, ReferenceKind
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, Sequence
from imagelock.documents.syntax.reader import Syntax, read_documents
from imagelock.model.frozen import frozen

_IMAGE_SCHEME = "docker-image://"
_NULLS = ("", "~", "null")
_MAY_BE_BUILT = NotEditable(
    "it may be the name of what the extended service builds", "write the image where the service of the other file is"
)


def find_in_compose(document: Node) -> Iterator[Found]:
    """Find the images that services run, mount and are built with."""
    if not isinstance(document, Mapping):
        return
    services = document.find_mapping("services")
    for _, service in services.mappings():
        yield from _find_service_image(service, services)
        build = service.find("build")
        if isinstance(build, Mapping):
            yield from _find_in_build(build)
        yield from _find_image_volumes(service, services)
        for hook in service.find_sequence("pre_start").items:
            if isinstance(hook, Mapping) and (image := hook.find_scalar("image")):
                yield _found(ReferenceKind.IMAGE, image)


def _find_service_image(service: Mapping, services: Mapping) -> Iterator[Found]:
    image = service.find_scalar("image")
    bases = tuple(_with_extended(service, services))
    if image is None or any(_builds(base) for base in bases):
        return
    found = _found(ReferenceKind.IMAGE, image)
    if isinstance(found.target, Image) and any(base.find_mapping("extends").find("file") for base in bases):
        found = replace(found, target=replace(found.target, editing=_MAY_BE_BUILT))
    yield found


def _with_extended(service: Mapping, services: Mapping) -> Iterator[Mapping]:
    """Give a service and those of the same file that it extends."""
    seen: set[int] = set()
    while id(service) not in seen:
        seen.add(id(service))
        yield service
        name = service.find_scalar("extends") or service.find_mapping("extends").find_scalar("service")
        if name is None or service.find_mapping("extends").find("file"):
            return
        service = services.find_mapping(name.value)


def _builds(service: Mapping) -> bool:
    build = service.find("build")
    return build is not None and not (isinstance(build, Scalar) and build.value in _NULLS)


def _found(kind: ReferenceKind, scalar: Scalar, start: int = 0) -> Found:
    if not scalar.is_plain:
        return found_image(kind, scalar)
    source = scalar.source.cut(start)
    return Found.at(kind, source, interpolated_target(source))


def _find_in_build(build: Mapping) -> Iterator[Found]:
    contexts = build.find("additional_contexts")
    for value in _values(contexts):
        start = value.value.find(_IMAGE_SCHEME)
        if value.is_plain and (start == 0 or value.value[: max(start, 0)].endswith("=")):
            yield _found(ReferenceKind.BUILD_CONTEXT, value, start + len(_IMAGE_SCHEME))
    if inline := build.find_scalar("dockerfile_inline"):
        yield from find_in_embedded_dockerfile(inline, escape="$$")


def _values(node: Node | None) -> Iterator[Scalar]:
    """Give the values of a mapping or a list: both forms name contexts."""
    match node:
        case Mapping(entries=entries):
            yield from (value for _, value in entries if isinstance(value, Scalar))
        case None | Scalar():
            return
        case _:
            yield from (item for item in node.items if isinstance(item, Scalar))


def _find_image_volumes(service: Mapping, services: Mapping) -> Iterator[Found]:
    for volume in service.find_sequence("volumes").items:
        if not isinstance(volume, Mapping):
            continue
        kind, source = volume.find_scalar("type"), volume.find_scalar("source")
        if kind and source and kind.value == "image" and services.find(source.value) is None:
            yield _found(ReferenceKind.IMAGE_VOLUME, source)


_KEY = b"additional_contexts"


def find_context_names(content: bytes) -> frozenset[str]:
    """Find them; a file that can't be read has none."""
    if _KEY not in content:
        return frozenset()
    try:
        documents = read_documents(content, Syntax.YAML)
    except DocumentSyntaxError:
        return frozenset()
    return frozenset(name for document in documents for name in _in_document(document))


def _in_document(document: Node) -> Iterator[str]:
    if not isinstance(document, Mapping):
        return
    for _, service in document.find_mapping("services").mappings():
        contexts = service.find_mapping("build").find(_KEY.decode())
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
    services = document.find_mapping("services") if isinstance(document, Mapping) else Mapping(())
    for name, service in services.mappings():
        bases = tuple(_with_extended(service, services))
        images = (image.value for base in bases if (image := base.find_scalar("image")))
        yield ComposeService(
            name,
            image=next(images, None),
            is_built=any(_builds(base) for base in bases),
            extends_other_file=any(base.find_mapping("extends").find("file") for base in bases),
        )


def includes_files(document: Node) -> bool:
    """Whether compose would read further files because of a document."""
    return isinstance(document, Mapping) and document.find("include") is not None

"""The compose files that belong together, and what they say about each other's services.

https://docs.docker.com/compose/how-tos/multiple-compose-files/. The compose files of one folder are taken for one
project, with those that ``COMPOSE_FILE``, ``include`` and ``extends`` name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from posixpath import basename, dirname, join, normpath

from imagelock.documents.formats.interpolation import NO_VARIABLES, Variables, expanded_text
from imagelock.documents.formats.surrounding_files import Files
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, Sequence
from imagelock.documents.syntax.reader import Syntax, read_documents
from imagelock.errors import InvalidReferenceError
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, AnyRepository, split_reference

_FAMILY = re.compile(r"(?:docker-|podman-)?compose(?:[._-].*)?\.ya?ml", re.IGNORECASE)
_LEADS_ELSEWHERE = (b"extends", b"include")
_KEYS_SINCE_VERSION_2 = ("services", "version", "include", "name", "volumes", "networks", "configs", "secrets")
_SEVERAL_DOCUMENTS = re.compile(rb"^---", re.MULTILINE)
_MAX_CHAIN = 50
ImageName = tuple[AnyRepository, str]
"""An image by repository and tag, whatever digest it has."""


@frozen
class ComposeProject:
    """What other compose files of a project determine about the services of one."""

    built_services: frozenset[str] = frozenset()
    """Those that any file of the project builds."""
    built_images: frozenset[ImageName] = frozenset()
    """The names of images that are built: outputs, wherever they are written."""
    variables: Variables = NO_VARIABLES


NO_PROJECT = ComposeProject()


def is_reset(node: Node | None) -> bool:
    """Whether a value is removed: https://docs.docker.com/reference/compose-file/merge/#reset-value."""
    return node is not None and node.tag == "!reset"


def builds(service: Mapping) -> bool:
    """Whether a service is built."""
    build = service.find("build")
    is_null = isinstance(build, Scalar) and build.value in ("", "~", "null")
    return build is not None and not is_null and not is_reset(build)


def is_built(chain: Iterable[Mapping]) -> bool:
    """Whether a service is built that extends others: the first of them that says anything about it decides."""
    for service in chain:
        if is_reset(service.find("build")):
            return False
        if builds(service):
            return True
    return False


def image_of(service: Mapping) -> Scalar | None:
    """Find the image of a service, or the name of what it builds."""
    image = service.find_scalar("image")
    return None if is_reset(image) else image


def services_of(document: Node | None) -> Mapping:
    """Find the services of a document; an empty mapping if it has none.

    Version 1 of the format, which docker-compose 1 still reads, has them at the root.
    """
    if not isinstance(document, Mapping):
        return Mapping(())
    if any(document.find(key) is not None for key in _KEYS_SINCE_VERSION_2):
        return document.find_mapping("services")
    is_version_1 = any(each.find("image") or each.find("build") for _, each in document.mappings())
    return document if is_version_1 else Mapping(())


def image_name(text: str) -> ImageName | None:
    """Return a reference without its digest; ``None`` for text that is not a reference."""
    try:
        written = split_reference(text)
    except InvalidReferenceError:
        return None
    return written.repository, written.tag or DEFAULT_TAG


def extended_by(service: Mapping) -> tuple[str | None, str] | None:
    """Find which service one extends: the file, ``None`` for its own, and the name."""
    extends = service.find("extends")
    if isinstance(extends, Scalar) and extends.value:
        return None, extends.value
    if not isinstance(extends, Mapping) or is_reset(extends):
        return None
    file, name = extends.find_scalar("file"), extends.find_scalar("service")
    return (file.value if file else None, name.value) if name else None


class ComposeFiles:
    """Finds the projects of compose files. Each file is read once, and only if it can say anything about another."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._roots: dict[str, Node | None] = {}
        self._by_name: dict[str, tuple[Node | None, dict[str, Node]]] = {}
        self._given: tuple[str, Node | None] = ("", None)
        """The path and the present or future document of the current question."""
        self.variables_in = cache(self._read_variables)
        self.family_in = cache(self._list_family)
        self.read = cache(files.read)

    def project_of(self, path: str, document: Node) -> ComposeProject:
        """Return what is known about the services of a file with this present or future content."""
        self._by_name.pop(self._given[0], None)
        self._given = (path, document)
        variables = self.variables_in(dirname(path))
        family = self.family_of(path)
        reached = {file for sibling in family for file in self._reached_from(sibling)}
        around = [parent for parent in self._parents(path) if path in self._reached_from(parent)]
        reached |= {file for parent in around for file in self._reached_from(parent)} | set(around)
        siblings = {*family, *(file for parent in around for file in self._included_with(path, parent))}
        built = frozenset(name for sibling in siblings for name in self._built_services(sibling))
        texts = {text for sibling in siblings for text in self._outputs_in(sibling, built)}
        texts |= {text for file in reached - siblings for text in self._outputs_in(file, self._built_services(file))}
        outputs = {expanded_text(text, variables) for text in texts}
        return ComposeProject(
            built_services=built,
            built_images=frozenset(name for text in outputs if text and (name := image_name(text))),
            variables=variables,
        )

    def family_of(self, path: str) -> tuple[str, ...]:
        """List the files that are merged with this one, itself included."""
        family = self.family_in(dirname(path))
        return family if path in family else (path,)

    def chain(self, path: str, service: Mapping) -> tuple[tuple[Mapping, ...], bool]:
        """Return a service and those that it extends, in all files, and whether all of them were found."""
        found = [service]
        while (extended := extended_by(found[-1])) and len(found) < _MAX_CHAIN:
            file, name = extended
            path = path if file is None else normpath(join(dirname(path), file))
            base = self._services_in(path).get(name)
            if not isinstance(base, Mapping):
                return tuple(found), file is None
            if any(base is each for each in found):
                break
            found.append(base)
        return tuple(found), True

    def _list_family(self, folder: str) -> tuple[str, ...]:
        named = [join(folder, name) for name in self._files.names(folder) if _FAMILY.fullmatch(name)]
        variables = self.variables_in(folder)
        separator = variables.find("COMPOSE_PATH_SEPARATOR") or ":"
        listed = (variables.find("COMPOSE_FILE") or "").split(separator)
        return tuple(dict.fromkeys([*named, *(normpath(join(folder, name)) for name in listed if name)]))

    def _parents(self, path: str) -> Iterator[str]:
        """List the compose files in this folder and those above that may lead to a file."""
        folder = dirname(path)
        while True:
            for file in self.family_in(folder):
                if file != path and self._may_have(file, *_LEADS_ELSEWHERE):
                    yield file
            if not folder:
                return
            folder = dirname(folder)

    def _reached_from(self, path: str) -> set[str]:
        """Find the files that one includes or extends, and so on."""
        reached: set[str] = set()
        waiting = [path]
        while waiting:
            file = waiting.pop()
            if self._may_have(file, *_LEADS_ELSEWHERE):
                new = {normpath(join(dirname(file), name)) for name in _files_named_in(self._root(file))} - reached
                reached |= new
                waiting += new
        return reached

    def _included_with(self, path: str, parent: str) -> Iterator[str]:
        """Find the files that one ``include`` entry of a file merges with this one."""
        document = self._root(parent)
        entries = document.find_sequence("include").items if isinstance(document, Mapping) else ()
        for entry in entries:
            group = [normpath(join(dirname(parent), name)) for name in _paths_of(entry)]
            yield from group if path in group else ()

    def _built_services(self, path: str) -> frozenset[str]:
        """Find the services that a file builds."""
        if not self._may_have(path, b"build"):
            return frozenset()
        return frozenset(name for name, each in self._all_services_in(path) if is_built(self.chain(path, each)[0]))

    def _outputs_in(self, path: str, built: frozenset[str]) -> Iterator[str]:
        """Find the names that built services of a file give to what is built, variables and all."""
        for name, service in self._all_services_in(path) if built else ():
            if name not in built or is_reset(service.find("build")):
                continue
            chain, _ = self.chain(path, service)
            image = next((image for each in chain if (image := image_of(each))), None)
            tags = (tag for each in chain for tag in each.find_mapping("build").find_sequence("tags").items)
            yield from (text.value for text in (image, *tags) if isinstance(text, Scalar))

    def _all_services_in(self, path: str) -> Iterator[tuple[str, Mapping]]:
        """Yield the services of all documents of a file: compose merges them."""
        yield from services_of(self._root(path)).mappings()
        content = self.read(path)
        if content is not None and _SEVERAL_DOCUMENTS.search(content):
            for document in _documents(content):
                yield from services_of(document).mappings()

    def _services_in(self, path: str) -> dict[str, Node]:
        """Return the services of a file by their names; a file may have thousands that extend each other."""
        root = self._root(path)
        known, services = self._by_name.get(path, (None, {}))
        if known is not root or root is None:
            services = dict(services_of(root).items())
            self._by_name[path] = (root, services)
        return services

    def _may_have(self, path: str, *words: bytes) -> bool:
        """Whether it is worth while to parse a file; the one that is asked about is parsed already."""
        if path == self._given[0]:
            return True
        content = self.read(path)
        return content is not None and any(word in content for word in words)

    def _root(self, path: str) -> Node | None:
        if path == self._given[0]:
            return self._given[1]
        if path not in self._roots:
            self._roots[path] = _first_document(self.read(path))
        return self._roots[path]

    def _read_variables(self, folder: str) -> Variables:
        path = join(folder, ".env")
        content = self._files.read(path)
        if content is None:
            return NO_VARIABLES
        try:
            (document,) = read_documents(content, Syntax.DOTENV)
        except DocumentSyntaxError:
            return NO_VARIABLES
        return Variables.of(basename(path), document)


def _documents(content: bytes | None) -> tuple[Node, ...]:
    try:
        return () if content is None else tuple(read_documents(content, Syntax.YAML))
    except DocumentSyntaxError:
        return ()


def _first_document(content: bytes | None) -> Node | None:
    return next(iter(_documents(content)), None)


def _files_named_in(document: Node | None) -> Iterable[str]:
    """Find the files that a compose file includes, and those whose services it extends."""
    if not isinstance(document, Mapping):
        return
    for service in services_of(document).values():
        extended = extended_by(service) if isinstance(service, Mapping) else None
        if extended is not None and extended[0] is not None:
            yield extended[0]
    for entry in document.find_sequence("include").items:
        yield from _paths_of(entry)


def _paths_of(entry: Node) -> Iterator[str]:
    """Return the paths of one entry of ``include``: several are merged."""
    paths = entry.find("path") if isinstance(entry, Mapping) else entry
    for item in paths.items if isinstance(paths, Sequence) else (paths,):
        if isinstance(item, Scalar) and item.value:
            yield item.value

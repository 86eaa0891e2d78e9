"""Parse image references as Docker does.

The grammar is that of https://github.com/distribution/reference, except that ports 0 and above 65535 are refused, and a
digest whose ``sha256`` would be a repository. Registry names are lower-cased, since host names have no case.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NewType

from imagelock.errors import InvalidDigestError, InvalidReferenceError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen

RegistryName = NewType("RegistryName", str)
"""A registry as references name it, in lower case: ``docker.io``, ``ghcr.io``, ``localhost:5000``."""

DOCKER_HUB = RegistryName("docker.io")
DEFAULT_TAG = "latest"
TAG_RULE = "up to 128 letters, digits, `_`, `.` and `-`, beginning with a letter, a digit or `_`"
_HUB_PAGE = r"hub\.docker\.com/(?:_|r)/([a-z0-9._/-]+?)(?:/tags)?/?$"
_DOCKER_HUB_ALIASES = frozenset({"index.docker.io", "registry-1.docker.io"})
_LAYOUT_PREFIX = "oci:"

_MAX_LENGTH = 1024
_MAX_PATH_LENGTH = 255
_MAX_PORT, _MOST_DIGITS = 65535, 5
_HEX_LENGTH = 64
# Few and short, since every command compiles them. The others are text, which `re` compiles when it is used.
_PATH = re.compile(r"[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*", re.ASCII)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_IP_6_HOST = r"\[[a-fA-F0-9:]+\]"
_BARE_DIGEST = r"[a-f0-9]{64}|sha(?:256|512):[a-f0-9]+"


@frozen
class Repository:
    """A repository of a registry, by its canonical name."""

    registry: RegistryName
    path: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"


@frozen
class LayoutRepository:
    """An OCI image layout: a directory that holds images as a repository does; ``vendor`` and ``./vendor/`` are one."""

    directory: str
    """As written: relative to the folder of images.toml, or absolute."""

    @staticmethod
    def __contents__(layout: LayoutRepository) -> tuple[bool, tuple[str, ...]]:
        """Return whether the directory is absolute, and the parts of its path; ``..`` stays, it may leave a link."""
        parts = layout.directory.split("/")
        return not parts[0] and len(parts) > 1, tuple(part for part in parts if part not in ("", "."))

    def __str__(self) -> str:
        return f"{_LAYOUT_PREFIX}{self.directory}"


AnyRepository = Repository | LayoutRepository


@frozen
class TagReference:
    """A repository and a tag, whose content may change."""

    repository: AnyRepository
    tag: str

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


@frozen
class PinnedReference:
    """A repository and a digest, whose content cannot change. The tag beside it is for readers only."""

    repository: AnyRepository
    digest: Digest
    tag: str | None = None

    def __str__(self) -> str:
        return f"{self.repository}{f':{self.tag}' if self.tag else ''}@{self.digest}"


ImageReference = TagReference | PinnedReference


@frozen
class UnnormalizedReference:
    """The parts of a reference as written, without defaults."""

    name: str
    tag: str | None
    digest: Digest | None
    repository: AnyRepository

    @property
    def meaning(self) -> ImageReference:
        """The reference with Docker's defaults: ``latest`` where there is neither tag nor digest."""
        if self.digest is not None:
            return PinnedReference(self.repository, self.digest, self.tag)
        return TagReference(self.repository, self.tag or DEFAULT_TAG)


def parse_reference(text: str) -> ImageReference:
    """Parse an image reference with Docker's defaults: ``python`` is ``docker.io/library/python:latest``."""
    return split_reference(text).meaning


def split_reference(text: str) -> UnnormalizedReference:
    """Parse an image reference and keep its spelling; ``InvalidReferenceError`` if it is invalid."""
    _refuse_invalid_text(text)
    name, at_sign, digest_text = text.partition("@")
    digest = _parse_digest(text, digest_text) if at_sign else None
    domain, remainder = _split_domain(name)
    path, colon, tag = remainder.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise _invalid_tag(text, tag)
    name = name.removesuffix(f"{colon}{tag}")
    if path != path.lower():
        hint = f"write `{name.lower()}{text.removeprefix(name)}`"
        raise InvalidReferenceError(f"`{text}`: the repository must be lower-case", hint=hint)
    return UnnormalizedReference(
        name=name,
        tag=tag or None,
        digest=digest,
        repository=_canonical_repository(text, domain, path),
    )


def split_image(text: str) -> UnnormalizedReference:
    """Parse an ``image`` of images.toml: a reference, or ``oci:DIRECTORY:NAME`` for an OCI layout on disk."""
    if not text.startswith(_LAYOUT_PREFIX) or text.startswith(f"{_LAYOUT_PREFIX}//"):
        return split_reference(text)
    location, at_sign, digest_text = text.partition("@")
    directory, _, name = location.removeprefix(_LAYOUT_PREFIX).partition(":")
    if not directory or not (name or at_sign) or not text.isprintable():
        raise InvalidReferenceError(
            f"`{text}` must name an image in the OCI layout",
            hint="write `oci:DIRECTORY:NAME`, as in `oci:./vendor/layout:go-1.22`",
        )
    return UnnormalizedReference(
        name=f"{_LAYOUT_PREFIX}{directory}",
        tag=name or None,
        digest=_parse_digest(text, digest_text) if at_sign else None,
        repository=LayoutRepository(directory),
    )


def registry_name(text: str) -> RegistryName:
    """Return the registry name for the part before the first slash of a reference; aliases of Docker Hub are one."""
    return _read_registry(text, text)


def check_location(text: str) -> None:
    """Raise ``InvalidReferenceError`` unless a text is ``HOST[:PORT][/PATH]``, as mirrors are named."""
    registry, slash, path = text.partition("/")
    registry_name(registry)
    if slash and not _PATH.fullmatch(path):
        raise InvalidReferenceError(f"`{text}`: `{path}` is not a repository path")


def is_tag_in(repository: AnyRepository, text: str) -> bool:
    """Return whether a text is a valid tag there; in a layout any printable text is."""
    if isinstance(repository, LayoutRepository):
        return bool(text) and text.isprintable()
    return is_tag(text)


def is_tag(text: str) -> bool:
    """Return whether a text is a valid tag."""
    return _TAG.fullmatch(text) is not None


def registry_as_written(name: str) -> str:
    """Return the registry in an image name as written; ``docker.io`` if it has none."""
    return _split_domain(name)[0]


def parse_canonical_repository(text: str) -> AnyRepository:
    """Parse a repository as in images.lock, always with its registry: in ``myhost/app`` that is ``myhost``."""
    registry, slash, path = text.partition("/")
    if text.startswith(_LAYOUT_PREFIX) or not slash:
        return parse_repository(text)
    return _canonical_repository(text, registry, path)


def parse_repository(text: str) -> AnyRepository:
    """Parse a repository as in references; ``InvalidReferenceError`` for one with a tag or a digest."""
    if text.startswith(_LAYOUT_PREFIX):
        return LayoutRepository(text.removeprefix(_LAYOUT_PREFIX))
    written = split_reference(text)
    if written.tag or written.digest:
        raise InvalidReferenceError(f"`{text}` must be a repository, without tag and digest")
    return written.repository


def _refuse_invalid_text(text: str) -> None:
    if not text:
        raise InvalidReferenceError("an image reference cannot be empty")
    if len(text) > _MAX_LENGTH:
        limit = f"no more than {_MAX_LENGTH} characters"
        raise InvalidReferenceError(f"an image reference has {limit}, this one has {len(text)}")
    if not text.isascii():
        raise InvalidReferenceError(f"`{text}` has characters that are not ASCII")
    if " " in text or not text.isprintable():
        raise InvalidReferenceError(f"`{text}` has blanks or control characters")
    if "/" in text.partition("@")[2]:
        raise _user_name_error(text)
    scheme, separator, rest = text.partition("://")
    if separator:
        raise _url_error(text, scheme, rest)
    if (text.startswith("sha") or len(text) == _HEX_LENGTH) and re.fullmatch(_BARE_DIGEST, text, re.ASCII):
        raise InvalidReferenceError(f"`{text}` is a digest without a repository", hint="write `REPOSITORY@sha256:…`")


def _parse_digest(text: str, digest_text: str) -> Digest:
    try:
        return Digest.parse(digest_text)
    except InvalidDigestError as error:
        raise InvalidReferenceError(f"`{text}`: {error.message}") from error


def _split_domain(name: str) -> tuple[str, str]:
    """Return registry and path, by the text before the first slash; a tag is split off later."""
    first, slash, rest = name.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first or first != first.lower()):
        return first, rest
    return DOCKER_HUB, name


def _canonical_repository(text: str, domain: str, path: str) -> Repository:
    registry = _read_registry(text, domain)
    if registry == DOCKER_HUB and path and "/" not in path:
        path = f"library/{path}"
    if not path:
        raise InvalidReferenceError(f"`{text}` has no repository")
    if not _PATH.fullmatch(path):
        raise InvalidReferenceError(f"`{text}`: `{path}` is not a repository path")
    if len(path) > _MAX_PATH_LENGTH:
        raise InvalidReferenceError(f"`{text}`: a repository path has no more than {_MAX_PATH_LENGTH} characters")
    return Repository(registry, path)


def _user_name_error(text: str) -> InvalidReferenceError:
    """Return an error without the text before the host, which may be a password: CI logs have the errors."""
    hint = "keep credentials out of references: use `docker login`"
    return InvalidReferenceError(f"`…@{text.rpartition('@')[2]}` has a user name in it", hint=hint)


def _read_registry(text: str, domain: str) -> RegistryName:
    if "@" in domain:
        raise _user_name_error(domain)
    if problem := _find_domain_problem(domain):
        raise InvalidReferenceError(f"`{text}`: {problem}")
    registry = domain.lower()
    return DOCKER_HUB if registry in _DOCKER_HUB_ALIASES else RegistryName(registry)


@lru_cache  # a project names few registries, and each of them often
def _find_domain_problem(domain: str) -> str | None:
    has_port = ":" in domain and not domain.endswith("]")
    host, colon, port = domain.rpartition(":") if has_port else (domain, "", "")
    if not _is_host(host):
        return f"`{host}` is not a host name"
    if colon and not port:
        return "the port after the `:` is missing"
    if colon and not (port.isascii() and port.isdecimal() and len(port) <= _MOST_DIGITS and 0 < int(port) <= _MAX_PORT):
        return f"`{port}` is not a port"
    return None


def _is_host(text: str) -> bool:
    """Return whether a text is an address in brackets, or labels of letters, digits and hyphens between these."""
    if text.startswith("["):
        return re.fullmatch(_IP_6_HOST, text) is not None
    ends = "".join(f"{label[:1] or '-'}{label[-1:]}" for label in text.split("."))
    return text.isascii() and ends.isalnum() and text.replace("-", "").replace(".", "").isalnum()


def _url_error(text: str, scheme: str, rest: str) -> InvalidReferenceError:
    """Say what to write instead; the pages of Docker Hub have other paths than its repositories."""
    page = re.match(_HUB_PAGE, rest)
    name = page[1] if page else rest.rstrip("/")
    message = f"`{text}` is a URL; an image reference has no `{scheme}://`"
    return InvalidReferenceError(message, hint=f"write `{name}`" if name else None)


def _invalid_tag(text: str, tag: str) -> InvalidReferenceError:
    if not tag:
        return InvalidReferenceError(f"`{text}`: the tag after the `:` is missing")
    hint = "registries write `_` where a version has `+`" if "+" in tag else None
    return InvalidReferenceError(f"`{text}`: `{tag}` is not a tag: {TAG_RULE}", hint=hint)

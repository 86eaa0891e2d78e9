"""Parse package URLs of images, as builders and scanners write them.

https://github.com/package-url/purl-spec (types ``docker`` and ``oci``); BuildKit writes
``pkg:docker/NAME[@TAG][?digest=sha256:…][&platform=linux%2Famd64]`` with the familiar name (``golang``, not
``docker.io/library/golang``) and escapes the colon of a port.
"""

from __future__ import annotations

from urllib.parse import unquote

from imagelock.errors import InvalidReferenceError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import UnnormalizedReference, split_reference

_IMAGE_TYPES = ("docker", "oci")
_MAX_LENGTH = 2048


@frozen(kw_only=True)
class ImageUrl:
    """The image that a package URL names."""

    written: UnnormalizedReference
    """The equivalent image reference."""
    has_platform: bool
    """Whether it names a platform, which BuildKit omits for the image of a Dockerfile frontend."""
    is_from_layout: bool
    """Whether its type is ``oci``, which BuildKit writes for an OCI layout, always without a platform."""


def parse_image_url(text: str) -> ImageUrl | None:
    """Return the image that a package URL names, ``None`` for a URL of another type.

    ``InvalidReferenceError`` if it is of an image's type, and has no image or two digests.
    """
    scheme, _, rest = text.partition(":")
    kind, slash, path = rest.lstrip("/").partition("/")
    if scheme.lower() != "pkg" or not slash or kind.lower() not in _IMAGE_TYPES:
        return None
    if len(text) > _MAX_LENGTH:
        raise InvalidReferenceError(f"a package URL has no more than {_MAX_LENGTH} characters")
    path, _, query = path.partition("#")[0].partition("?")
    qualifiers = _parse_qualifiers(query)
    name, _, version = path.partition("@")
    if "/" in version:
        # The text is not shown: the part before the `@` may be a password.
        raise InvalidReferenceError("a package URL has a user name in it")
    digests, tag = _split_version(unquote(version), qualifiers)
    text = _repository_name(kind.lower(), name, qualifiers.get("repository_url", ""))
    reference = f"{text}{f':{tag}' if tag else ''}{''.join(f'@{digest}' for digest in digests)}"
    return ImageUrl(
        written=split_reference(reference), has_platform="platform" in qualifiers, is_from_layout=kind.lower() == "oci"
    )


def _parse_qualifiers(query: str) -> dict[str, str]:
    """Return the qualifiers by lower-case key; ``InvalidReferenceError`` for a repeated key."""
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    qualifiers = {key.lower(): unquote(value) for key, _, value in pairs}
    if len(qualifiers) != len(pairs):
        raise InvalidReferenceError("a package URL has the same qualifier twice")
    return qualifiers


def _split_version(version: str, qualifiers: dict[str, str]) -> tuple[tuple[str, ...], str]:
    """Return the digests, at most one, and the tag: a version may be either."""
    is_digest = version.startswith(("sha256:", "sha512:"))
    named = dict.fromkeys(filter(None, (version if is_digest else "", qualifiers.get("digest", ""))))
    if len(named) > 1:
        raise InvalidReferenceError(f"a package URL names two digests: {' and '.join(named)}")
    for digest in named:
        Digest.parse(digest)
    return tuple(named), qualifiers.get("tag", "") if is_digest or not version else version


def _repository_name(kind: str, path: str, repository_url: str) -> str:
    """Return the repository: ``repository_url`` is all of it for ``oci``, and its registry for ``docker``."""
    name = "/".join(unquote(segment) for segment in path.strip("/").split("/"))
    if not repository_url:
        return name
    return f"{repository_url.rstrip('/')}/{name}" if kind == "docker" else repository_url

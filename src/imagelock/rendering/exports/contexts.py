"""Named contexts: BuildKit takes each of them instead of the image that a Dockerfile names.

A key must be the reference in Docker's short form, ``golang:1.22`` or ``golang`` for ``golang:latest``: bake and
compose silently ignore every other spelling. In the Dockerfile all spellings are found by it. A reference with a
digest is looked up with its digest, so a mirror needs keys for those, too.

https://docs.docker.com/reference/cli/docker/buildx/build/#build-context
https://docs.docker.com/build/bake/contexts/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from imagelock.rendering.exports.images import ExportError, RegistryImage

_IMAGE = "docker-image://"
_LAYOUT = "oci-layout://"
_STAGE_NAME = re.compile(r"[a-z][a-z0-9._-]*", re.ASCII)
BAKE_TARGET = "_imagelock"


def named_contexts(images: tuple[RegistryImage, ...]) -> dict[str, str]:
    """Map each image's short name to itself with its digest."""
    return {image.familiar_name: _IMAGE + image.pinned_name for image in images}


def mirrored_contexts(images: tuple[RegistryImage, ...], folder: str) -> dict[str, str]:
    """Map each spelling of an image, pinned ones included, to its copy in the OCI layout of a folder."""
    layout = f"{_LAYOUT}{folder.removeprefix('oci:')}"
    return {key: f"{layout}@{image.digest}" for image in images for key in _all_spellings(image)}


def build_arguments(contexts: dict[str, str]) -> str:
    """Return the arguments of ``docker buildx build``, one a line; ``ExportError`` for what a shell would split."""
    for value in contexts.values():
        if any(character.isspace() for character in value):
            raise ExportError(
                f"cannot export arguments: `{value}` has blanks", hint="move the mirror to a path without blanks"
            )
    return "".join(f"--build-context={key}={value}\n" for key, value in sorted(contexts.items()))


def bake_file(contexts: dict[str, str]) -> str:
    """Return a bake file with one target, for the others to inherit."""
    return json.dumps({"target": {BAKE_TARGET: {"contexts": contexts}}}, indent=2, sort_keys=True) + "\n"


def stage_like_names(images: tuple[RegistryImage, ...]) -> tuple[str, ...]:
    """Return the keys that could be a build stage's name as well: then they replace that stage."""
    return tuple(image.familiar_name for image in images if _STAGE_NAME.fullmatch(image.familiar_name))


def _all_spellings(image: RegistryImage) -> Iterator[str]:
    yield image.familiar_name
    if image.tag is not None:
        yield f"{image.familiar_repository}:{image.tag}@{image.digest}"
        yield f"{image.familiar_repository}@{image.digest}"

"""Plain lists of the locked images: for shells and compose, and for scripts in any language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from imagelock.rendering.exports.images import RegistryImage, refuse
from imagelock.rendering.template import RenderedImage

_PREFIX = "IMAGE_"
_SAFE_IN_SHELL = re.compile(r"[A-Za-z0-9_./:@+-]+", re.ASCII)


def env_file(images: Iterable[RenderedImage]) -> str:
    """Return ``IMAGE_NAME=golang:1.22@sha256:…`` lines, which need no quotes in a shell, in compose and in make.

    ``ExportError`` for names that become the same variable, and for paths of OCI layouts that would need quotes.
    """
    problems: list[str] = []
    variables: dict[str, RenderedImage] = {}
    for image in images:
        alias = image.locked.alias
        first = variables.setdefault(_variable(alias), image)
        if first is not image:
            problems.append(f"{first.locked.alias}, {alias}: both would be the variable {_variable(alias)}")
        if not _SAFE_IN_SHELL.fullmatch(_pinned(image)):
            problems.append(f"{alias}: `{_pinned(image)}` would need quotes")
    refuse(problems, "a file of variables")
    return "".join(f"{name}={_pinned(image)}\n" for name, image in sorted(variables.items()))


def json_list(images: Iterable[RenderedImage]) -> str:
    """Return each image under its name: repository, tag, digest, platforms, and the reference to use."""
    document = {"images": {image.locked.alias: _document(image) for image in images}}
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _variable(alias: str) -> str:
    return _PREFIX + alias.upper().replace("-", "_")


def _pinned(image: RenderedImage) -> str:
    return f"{_tagged(image)}@{image.locked.digest}"


def _tagged(image: RenderedImage) -> str:
    return f"{image.name}:{image.tag}" if image.tag else image.name


def _document(image: RenderedImage) -> dict[str, object]:
    locked = image.locked
    known = RegistryImage.of(image)
    return {
        "repository": str(locked.repository),
        "tag": locked.tag,
        "digest": str(locked.digest),
        "platforms": {str(entry.platform): str(entry.digest) for entry in locked.platform_digests},
        "image": _tagged(image),
        "pinned": _pinned(image),
        "familiar": None if known is None else known.familiar_name,
    }

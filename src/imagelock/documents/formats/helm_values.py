"""Helm values: ``repository`` and ``tag``, with the digest wherever the chart wants it.

Values have no schema that charts share. What is found here are the shapes that most of them use.
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.formats.scalars import SplitImage, found_image, is_template
from imagelock.documents.references import Found, ReferenceKind
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar, walk

_TAG_KEYS = ("tag", "version")


def find_in_helm_values(document: Node) -> Iterator[Found]:
    """Find images in parts, and whole references under keys that end with ``image``."""
    for node in walk(document):
        if isinstance(node, Mapping):
            yield from _find_parts(node)
            yield from _find_whole(node)


def _find_parts(node: Mapping) -> Iterator[Found]:
    repository = node.find_scalar("repository") or node.find_scalar("image")
    tag = next(filter(None, map(node.find_scalar, _TAG_KEYS)), None)
    if repository is None or (tag is None and not _has_digest_key(node)):
        return
    registry = node.find_scalar("registry")
    name = f"{registry.value}/{repository.value}" if registry else repository.value
    parts = SplitImage(name, tag=tag, digest=_scalar(node, "digest"), hex_digest=_scalar(node, "sha"))
    yield from parts.find(ReferenceKind.IMAGE)


def _find_whole(node: Mapping) -> Iterator[Found]:
    if any(node.find_scalar(key) for key in _TAG_KEYS):
        return
    for key, value in node.entries:
        if key.lower().endswith("image") and isinstance(value, Scalar) and _looks_like_image(key, value.value):
            yield found_image(ReferenceKind.IMAGE, value)


def _has_digest_key(node: Mapping) -> bool:
    return bool(node.find_scalar("digest") or node.find_scalar("sha"))


def _scalar(node: Mapping, key: str) -> Scalar | None:
    value = node.find(key)
    return value if isinstance(value, Scalar) else None


def _looks_like_image(key: str, text: str) -> bool:
    """Tell images from the words and addresses that other keys, such as ``pullImage``, have for values."""
    if not text or "://" in text or is_template(text):
        return False
    return key == "image" or ":" in text or "/" in text

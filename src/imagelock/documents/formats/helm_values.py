"""Helm values: images whose parts have keys of their own, in the shapes that charts share; they have no schema.

A key's last words say which part it is (``repository``, ``imageTag``, ``sidecarImageRegistry``); what precedes them
tells the images of one mapping apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from enum import Enum, auto

from imagelock.documents.formats.scalars import is_template, may_be_reference
from imagelock.documents.formats.split import SplitImage, has_registry, has_version
from imagelock.documents.references import Found, ReferenceKind, Unresolved
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar, Sequence
from imagelock.documents.syntax.yaml_types import YamlType
from imagelock.model.frozen import frozen


class _Part(Enum):
    REGISTRY = auto()
    REPOSITORY = auto()
    IMAGE = auto()
    TAG = auto()
    VERSION = auto()
    DIGEST = auto()
    HEX_DIGEST = auto()


_SUFFIXES = (  # the longer ones first
    ("imagerepository", _Part.REPOSITORY),
    ("imageregistry", _Part.REGISTRY),
    ("imageversion", _Part.TAG),
    ("imagedigest", _Part.DIGEST),
    ("imagename", _Part.IMAGE),
    ("imagetag", _Part.TAG),
    ("imagesha", _Part.HEX_DIGEST),
    ("repository", _Part.REPOSITORY),
    ("registry", _Part.REGISTRY),
    ("version", _Part.VERSION),
    ("digest", _Part.DIGEST),
    ("image", _Part.IMAGE),
    ("tag", _Part.TAG),
    ("sha", _Part.HEX_DIGEST),
)
_PARTS_BELOW_IMAGE = {"name": _Part.IMAGE, "repo": _Part.REPOSITORY}
_CHART_KEYS = ("chart", "repoURL", "targetRevision")


@frozen
class _Family:
    """The parts of one image in a mapping: those whose keys begin alike."""

    prefix: str
    parts: dict[_Part, tuple[str, Scalar]]

    def value(self, part: _Part) -> Scalar | None:
        """Find a part that has a value."""
        _, scalar = self.parts.get(part, ("", None))
        return scalar if scalar and scalar.value and scalar.type is not YamlType.NULL else None

    def field(self, part: _Part) -> Scalar | None:
        """Find a part whose key is there, though its value may be empty."""
        _, scalar = self.parts.get(part, ("", None))
        return scalar

    @property
    def tag(self) -> Scalar | None:
        """The tag; a ``version`` counts only where nothing tells whose version it is."""
        return self.value(_Part.TAG) or (None if self.prefix else self.value(_Part.VERSION))

    @property
    def has_empty_tag(self) -> bool:
        """Whether a tag belongs there that the chart fills in."""
        return self.tag is None and (_Part.TAG in self.parts or (_Part.VERSION in self.parts and not self.prefix))


def find_in_values(document: Node) -> Iterator[Found]:
    """Find images in parts, and whole references under keys that end with ``image``."""
    for key, mapping in _mappings(document):
        if any(mapping.find(name) for name in _CHART_KEYS):
            continue
        families = _families(mapping, is_below_image=key.lower().endswith("image"))
        shared_registry = families[""].value(_Part.REGISTRY) if "" in families else None
        for family in families.values():
            if (found := _find(family, shared_registry)) is not None:
                yield found


def _mappings(root: Node) -> Iterator[tuple[str, Mapping]]:
    """Give each mapping once, with the key that it is the value of."""
    waiting: list[tuple[str, Node]] = [("", root)]
    seen: set[int] = set()
    while waiting:
        key, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case Mapping():
                yield key, node
                waiting.extend(reversed(tuple(node.items())))
            case Sequence(items=items):
                waiting.extend((key, item) for item in reversed(items))
            case Scalar():
                pass


def _families(mapping: Mapping, *, is_below_image: bool) -> dict[str, _Family]:
    parts: dict[str, dict[_Part, tuple[str, Scalar]]] = defaultdict(dict)
    for key, value in mapping.items():
        if not isinstance(value, Scalar):
            continue
        prefix, part = _part_of(key)
        if part is not None:
            parts[prefix].setdefault(part, (key, value))
        elif is_below_image and key in _PARTS_BELOW_IMAGE:
            parts[""].setdefault(_PARTS_BELOW_IMAGE[key], (key, value))
    return {prefix: _Family(prefix, found) for prefix, found in parts.items()}


def _part_of(key: str) -> tuple[str, _Part | None]:
    normal = key.lower().replace("_", "").replace("-", "")
    for suffix, part in _SUFFIXES:
        if normal.endswith(suffix):
            return normal.removesuffix(suffix), part
    return "", None


def _find(family: _Family, shared_registry: Scalar | None) -> Found | None:
    repository, image = family.value(_Part.REPOSITORY), family.value(_Part.IMAGE)
    repository = repository if repository and may_be_reference(repository) else None
    name = image or repository
    if name is None or not may_be_reference(name):
        return None
    digest, hex_digest = family.field(_Part.DIGEST), family.field(_Part.HEX_DIGEST)
    if not (family.tag or family.value(_Part.DIGEST) or family.value(_Part.HEX_DIGEST)):
        if image is None or (family.has_empty_tag and not has_version(image.value)) or not _is_whole(family, image):
            return None
        digest = hex_digest = None
    registry = family.value(_Part.REGISTRY)
    if family.prefix and registry is None and shared_registry and not has_registry(name.value):
        reason = "only the chart knows whether the registry beside it belongs to it"
        return Found.at(
            ReferenceKind.IMAGE, name.source, Unresolved(name.value, reason, "write the registry in front of the name")
        )
    folders = [part.value.rstrip("/") for part in (registry, repository if image else None) if part]
    return SplitImage(
        name,
        prefix="".join(f"{folder}/" for folder in folders),
        tag=family.tag,
        digest=digest,
        hex_digest=hex_digest,
        has_empty_tag=family.has_empty_tag,
    ).find(ReferenceKind.IMAGE)


def _is_whole(family: _Family, image: Scalar) -> bool:
    """Tell whole references from the words that other keys, such as ``pullImage``, have for values."""
    key, _ = family.parts[_Part.IMAGE]
    if is_template(image.value) or key == "name":
        return False
    return key == "image" or ":" in image.value or "/" in image.value

"""Helm values: images whose parts have keys of their own, in the shapes that charts share; they have no schema.

A key's last words say which part it is (``repository``, ``imageTag``, ``sidecarImageRegistry``); what precedes them
tells the images of one mapping apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum, auto

from imagelock.documents.formats.embedded import find_in_embedded_yaml
from imagelock.documents.formats.scalars import found_image, is_template, may_be_reference
from imagelock.documents.formats.split import SplitImage, has_registry, has_version
from imagelock.documents.references import Found, Image, ReferenceKind, Unresolved
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
    AFFIX = auto()
    """Text that the chart adds before or after the tag, or takes instead of it."""
    MODIFIER = auto()
    """What may be a part of the name or the tag, under a key that charts use in different ways."""


_SUFFIXES = (  # the longer ones first
    *((f"{image}tag{affix}", _Part.AFFIX) for image in ("image", "") for affix in ("suffix", "prefix", "label")),
    ("tagoverride", _Part.AFFIX),
    ("defaulttag", _Part.AFFIX),
    ("imagerepository", _Part.REPOSITORY),
    ("imagerepo", _Part.REPOSITORY),
    ("imageregistry", _Part.REGISTRY),
    ("imageversion", _Part.TAG),
    ("imagedigest", _Part.DIGEST),
    ("imagename", _Part.IMAGE),
    ("imageurl", _Part.IMAGE),
    ("imageuri", _Part.IMAGE),
    ("imageref", _Part.IMAGE),
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
_MODIFIERS = frozenset(
    "account accountid domain edition flavor flavour host namespace org organization prefix project server suffix"
    " variant".split()
)
"""Keys below one that ends with ``image``; elsewhere they are about something else."""
_BELONG_TO_A_NAME = (_Part.TAG, _Part.DIGEST, _Part.HEX_DIGEST, _Part.AFFIX)
_REGISTRY_KEYS = ("registry", "imageRegistry", "hub")
_ADDRESSES = ("url", "uri", "ref")
_WRITTEN_IMAGE = re.compile(r"image:[ \t]*[\"']?[A-Za-z0-9]")
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
        image = self.value(_Part.IMAGE)
        says_nothing = self.prefix or (image and has_version(image.value))
        return self.value(_Part.TAG) or (None if says_nothing else self.value(_Part.VERSION))

    @property
    def has_name(self) -> bool:
        """Whether it names an image, not only a part of one."""
        return bool(self.value(_Part.IMAGE) or self.value(_Part.REPOSITORY))

    @property
    def affix(self) -> str:
        """The key of what is put before or after the tag."""
        return self.parts[_Part.AFFIX][0] if self.value(_Part.AFFIX) else ""

    @property
    def has_empty_tag(self) -> bool:
        """Whether a tag belongs there that the chart fills in."""
        is_empty_version = _Part.VERSION in self.parts and not self.prefix and not self.value(_Part.VERSION)
        return self.tag is None and (_Part.TAG in self.parts or is_empty_version)


def find_in_values(document: Node) -> Iterator[Found]:
    """Find images in parts, and whole references under keys that end with ``image``, or below one named ``images``."""
    shared = _registry_of(document.find_mapping("global")) if isinstance(document, Mapping) else None
    for key, node, registry_above in _nodes(document, shared):
        if key.lower().endswith("images"):
            yield from _find_listed(node)
        if not isinstance(node, Mapping) or any(node.find(name) for name in _CHART_KEYS):
            continue
        yield from _find_in_texts(node)
        families = _with_tag_beside(_families(node, is_below_image=key.lower().endswith("image")))
        unnamed = families.get("")
        beside = unnamed.value(_Part.REGISTRY) if unnamed else None
        for family in families.values():
            is_beside = bool(family.prefix and beside)
            if (found := _find(family)) is not None:
                doubted = _with_doubt(found, family, "beside" if is_beside else "above" if registry_above else "")
                yield _with_doubtful_tag(doubted, family, unnamed)


def find_in_values_text(node: Node) -> Iterator[Found]:
    """Find images in Helm values that are a text of their own."""
    if isinstance(node, Scalar):
        yield from find_in_embedded_yaml(node, find_in_values)


def _nodes(root: Node, registry: Scalar | None) -> Iterator[tuple[str, Mapping | Sequence, Scalar | None]]:
    """Yield each mapping and list once, with the key that has it as its value, and the registry that is named above."""
    waiting: list[tuple[str, Node, Scalar | None]] = [("", root, registry)]
    seen: set[int] = set()
    while waiting:
        key, node, above = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case Mapping():
                yield key, node, above
                inner = _registry_of(node) or above
                below = [(key if name == "tags" else name, value, inner) for name, value in node.items()]
                waiting.extend(reversed(below))
            case Sequence(items=items):
                yield key, node, above
                waiting.extend((key, item, above) for item in reversed(items))
            case Scalar():
                pass


def _registry_of(mapping: Mapping) -> Scalar | None:
    found = (mapping.find_scalar(key) for key in _REGISTRY_KEYS)
    return next((each for each in found if each and may_be_reference(each)), None)


def _find_listed(node: Mapping | Sequence) -> Iterator[Found]:
    """Find whole references in a list of images, or in a mapping that gives them names."""
    names = node.items() if isinstance(node, Mapping) else [("", item) for item in node.items]
    for key, value in names:
        if isinstance(value, Scalar) and _part_of(key)[1] is None and has_version(value.value):
            found = found_image(ReferenceKind.IMAGE, value) if may_be_reference(value) else None
            if found is not None and isinstance(found.target, Image):
                yield found


def _find_in_texts(mapping: Mapping) -> Iterator[Found]:
    """Find the images of containers that are written as a text, for the chart to put into a template."""
    for key, value in mapping.items():
        if not isinstance(value, Scalar) or not _WRITTEN_IMAGE.search(value.value):
            continue
        if key.lower().endswith(("containers", "sidecars")):
            yield from find_in_embedded_yaml(value, find_in_values)


def _families(mapping: Mapping, *, is_below_image: bool) -> dict[str, _Family]:
    parts: dict[str, dict[_Part, tuple[str, Scalar]]] = defaultdict(dict)
    for key, value in mapping.items():
        if not isinstance(value, Scalar):
            continue
        prefix, part = _part_of(key)
        if part is _Part.IMAGE and part in parts[prefix]:
            prefix = f"{prefix} {key}"  # `sidecar_image` beside `sidecarImage` is another one
        if part is not None:
            parts[prefix].setdefault(part, (key, value))
        elif is_below_image and key in _PARTS_BELOW_IMAGE:
            parts[""].setdefault(_PARTS_BELOW_IMAGE[key], (key, value))
        elif is_below_image and key.lower() in _MODIFIERS and value.value and value.type is not YamlType.NULL:
            parts[""].setdefault(_Part.MODIFIER, (key, value))
    return {prefix: _Family(prefix, found) for prefix, found in parts.items() if found}


def _part_of(key: str) -> tuple[str, _Part | None]:
    normal = key.lower().replace("_", "").replace("-", "")
    if normal == "hub":
        return "", _Part.REGISTRY
    for suffix, part in _SUFFIXES:
        if normal.endswith(suffix):
            return normal.removesuffix(suffix), part
    return "", None


def _with_tag_beside(families: dict[str, _Family]) -> dict[str, _Family]:
    """Give the only image of a mapping the ``tag`` there: ``dockerImage: a/b`` with ``tag: v1``."""
    unnamed = families.get("")
    named = [family for family in families.values() if family.prefix and family.has_name]
    if unnamed is None or unnamed.has_name or _Part.TAG not in unnamed.parts or len(named) != 1:
        return families
    (family,) = named
    name = family.value(_Part.IMAGE) or family.value(_Part.REPOSITORY)
    if family.tag or family.has_empty_tag or name is None or has_version(name.value):
        return families
    taken = {part: found for part, found in unnamed.parts.items() if part in _BELONG_TO_A_NAME}
    return {**families, family.prefix: _Family(family.prefix, {**taken, **family.parts})}


def _with_doubtful_tag(found: Found, family: _Family, unnamed: _Family | None) -> Found:
    """Leave an image without a tag alone if a key beside it may have that: ``baseImage: a/b`` with ``version: v1``."""
    name = family.value(_Part.IMAGE) or family.value(_Part.REPOSITORY)
    if not isinstance(found.target, Image) or name is None or has_version(found.target.text):
        return found
    families = (family, *([unnamed] if unnamed and not unnamed.has_name else []))
    parts = (_Part.TAG, _Part.VERSION)
    keys = [each.parts[part][0] for part in parts for each in families if each.value(part)]
    if not keys:
        return found
    reason = f"only the chart knows whether `{keys[0]}` beside it is its tag"
    hint = "write the tag behind the name, or list its parts under `[paths]`"
    return Found.at(ReferenceKind.IMAGE, name.source, Unresolved(name.value, reason, hint))


def _with_doubt(found: Found, family: _Family, registry_is: str) -> Found:
    """Leave an image alone that may be meant for a registry which another key names."""
    name = family.value(_Part.IMAGE) or family.value(_Part.REPOSITORY)
    if not registry_is or name is None or family.value(_Part.REGISTRY) or has_registry(name.value):
        return found
    if registry_is == "above" and (has_version(name.value.partition("@")[0]) or not isinstance(found.target, Image)):
        return found
    reason = f"only the chart knows whether the registry {registry_is} it belongs to it"
    target = Unresolved(name.value, reason, "write the registry in front of the name")
    return Found.at(ReferenceKind.IMAGE, name.source, target)


def _find(family: _Family) -> Found | None:
    repository, image = family.value(_Part.REPOSITORY), family.value(_Part.IMAGE)
    repository = repository if repository and may_be_reference(repository) else None
    name = image or repository
    if name is None or not may_be_reference(name):
        return None
    digest, hex_digest = family.field(_Part.DIGEST), family.field(_Part.HEX_DIGEST)
    if not (family.tag or family.value(_Part.DIGEST) or family.value(_Part.HEX_DIGEST)):
        if image is None:
            if not (has_version(name.value) and (digest or hex_digest)):
                return None
        elif (family.has_empty_tag and not has_version(image.value)) or not _is_whole(family, image):
            return None
        else:
            digest = hex_digest = None
    registry = family.value(_Part.REGISTRY)
    folders = [part.value.rstrip("/") for part in (registry, repository if image else None) if part]
    return SplitImage(
        name,
        prefix="".join(f"{folder}/" for folder in folders),
        tag=family.tag,
        digest=digest,
        hex_digest=hex_digest,
        has_empty_tag=family.has_empty_tag,
        affix=family.affix,
        modifier=family.parts.get(_Part.MODIFIER, ("", None))[0],
    ).find(ReferenceKind.IMAGE)


def _is_whole(family: _Family, image: Scalar) -> bool:
    """Return whether a value is a whole reference: other keys, such as ``pullImage``, have words for values."""
    key, _ = family.parts[_Part.IMAGE]
    if is_template(image.value) or key == "name":
        return key == "image" and "{{" not in image.value  # the chart's own templates
    if key.lower().endswith(_ADDRESSES):
        return has_version(image.value)
    return key == "image" or ":" in image.value or "/" in image.value

"""What looks like an image in a document at a place that no rule knows: counted, never found and never pinned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from imagelock.documents.formats.format import Format
from imagelock.documents.formats.format_finder import find_references
from imagelock.documents.formats.place_rules import Inside, Parts, Rule, Text
from imagelock.documents.formats.scalars import found_after_prefix, found_image, may_be_reference
from imagelock.documents.formats.split import has_version
from imagelock.documents.references import Found, Image, Reference, ReferenceKind
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar

_IMAGE_KEY = rb"image(?:name|url|ref)?[\"']?[ \t]*[:=]"
_OPTION = re.compile(r"--?[\w.-]*image[\w-]*=", re.IGNORECASE)
_ARGUMENTS = rb"\bargs[\"']?[ \t]*[:=]"
_SIGNS = {
    "bake": _ARGUMENTS,
    "compose": rb"\bmodel[\"']?[ \t]*:|" + _ARGUMENTS,
    "kubernetes": rb"[\w.-]image(?:name|url|ref)?[\"']?[ \t]*:|\bimage(?:name|url|ref|s)[\"']?[ \t]*:"
    rb"|\bname[\"']?[ \t]*:[ \t]*[\"']?[\w.-]*image|\b(?:repository|tag)[\"']?[ \t]*:"
    rb"|image[\w-]*=",
    "helm-values": rb"\b(?:repository|tag|container|images)[\"']?[ \t]*:",
    **dict.fromkeys(
        ("ansible", "azure", "bitbucket", "buildkite", "circleci", "drone", "github", "gitlab"), _IMAGE_KEY
    ),
    **dict.fromkeys(("kustomization", "nomad", "skaffold", "terraform", "woodpecker"), _IMAGE_KEY),
}
"""What a file of a kind has if it may name images at places that its row does not know."""


def find_overlooked(content: bytes, kind: Format) -> tuple[Reference, ...]:
    """Find the values of a document that look like images, and that no rule of its kind takes."""
    sign = _SIGNS.get(kind.name)
    if sign is None or not re.search(sign, content, re.IGNORECASE):
        return ()
    known = {reference.span for reference in find_references(content, kind).references}
    everything = find_references(content, replace(kind, images=_RULES.get(kind.name, _LOOKS_LIKE_IMAGES)))
    return tuple(each for each in everything.references if each.span not in known and isinstance(each.target, Image))


def _find_named_value(node: Node) -> Iterator[Found]:
    """Find the value of a variable or parameter whose name says that it is an image."""
    if not isinstance(node, Mapping):
        return
    name = node.find_scalar("name")
    value = node.find_scalar("value") or node.find_scalar("default")
    if name and value and "image" in name.value.lower() and may_be_reference(value) and has_version(value.value):
        yield found_image(ReferenceKind.IMAGE, value)


def _find_argument(node: Node) -> Iterator[Found]:
    """Find the value of an option whose name says that it is an image: ``--proxy-image=envoy:1.30``."""
    option = _OPTION.match(node.value) if isinstance(node, Scalar) else None
    if isinstance(node, Scalar) and option and has_version(node.value[option.end() :]):
        found = found_after_prefix(ReferenceKind.IMAGE, node, option[0])
        yield from (found,) if found else ()


_LOOKS_LIKE_IMAGES: tuple[Rule, ...] = (
    Text("**./image(name|url|ref)?$/i", is_sure=False, accepts=has_version),
    Text("**./images$/i[]", is_sure=False, accepts=has_version),
    Inside("**.{env,params,parameters}[]", _find_named_value),
)
_PARTS: tuple[Rule, ...] = (
    Parts("**", name=("repository",), tag=("tag", "imageTag"), digest=("digest",)),
    Parts("**./image$/i", name=("name", "repo"), tag=("tag",), digest=("digest",)),
    Text("**./image$/i.repository", is_sure=False, accepts=has_version),
)
_RULES: dict[str, tuple[Rule, ...]] = {
    "bake": (Text("target.*.args./image|base|from/i", is_sure=False, accepts=has_version),),
    "helm-values": (
        *_PARTS,
        Parts("**./images$/i.*", name=("name", "repo"), tag=("tag",), digest=("digest",)),
        Text("**./^container$/i", is_sure=False, accepts=has_version),
    ),
    "kubernetes": (*_LOOKS_LIKE_IMAGES, *_PARTS, Inside("**.{args,command}[]", _find_argument)),
    "compose": (
        Text("models.*.model", is_sure=False),  # artifacts of a registry, which no lock has
        Text("services.*.build.args./image|base|from/i", is_sure=False, accepts=has_version),
    ),
}
"""Where images may be in kinds whose keys say nothing: arguments of builds replace the defaults in Dockerfiles."""

"""What looks like an image in a document at a place that no rule knows: counted, never found and never pinned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from imagelock.documents.formats.format import Format
from imagelock.documents.formats.format_finder import find_references
from imagelock.documents.formats.place_rules import Inside, Parts, Rule, Text
from imagelock.documents.formats.scalars import found_image, may_be_reference
from imagelock.documents.formats.split import has_registry, has_version
from imagelock.documents.references import Found, Image, Reference, ReferenceKind
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar, ScalarStyle, Sequence, walk
from imagelock.documents.syntax.reader import Syntax

_IMAGE_KEY = rb"(?:image(?:name|url|uri|ref)?|img)s?[\"']?[ \t]*[:=]"
_ARGUMENTS = rb"\b(?:args|build-?args)[\"']?[ \t]*[:=]"
_SIGNS = {
    "bake": _ARGUMENTS + rb"|\bvariable\b",
    "compose": rb"\bmodel[\"']?[ \t]*:|(?:\w_?ima?ge?\w*|\bimage\w+|\b(?-i:IMAGE))[\"']?[ \t]*[:=]|" + _ARGUMENTS,
    "devcontainer": _ARGUMENTS,
    "env": rb"ima?ge?",
    "kubernetes": rb"(?:[\w.-]images?|\bimage(?!PullPolicy|PullSecrets)\w+|\bimg)[\"']?[ \t]*:"
    rb"|\bname[\"']?[ \t]*:[ \t]*[\"']?[\w.-]*image|\b(?:repository|tag|bundle|package)[\"']?[ \t]*:"
    rb"|image[\w-]*=|--?[\w.-]*image",
    "helm-values": rb"\b(?:repository|repo|tag|container|images|img)[\"']?[ \t]*:|\w[Ii]mage[\"']?[ \t]*:",
    "helmfile": rb"image",
    **dict.fromkeys(("ansible", "azure", "bitbucket", "buildkite", "circleci", "drone", "gitlab"), _IMAGE_KEY),
    **dict.fromkeys(("github", "skaffold"), _IMAGE_KEY + b"|" + _ARGUMENTS),
    **dict.fromkeys(("kustomization", "nomad", "woodpecker"), _IMAGE_KEY),
    "terraform": rb"image",
}
"""What a file of a kind has if it may name images at places that its row does not know."""


def find_overlooked(content: bytes, kind: Format) -> tuple[Reference, ...]:
    """Find the values of a document that look like images, and that no rule of its kind takes."""
    sign = _SIGNS.get(kind.name)
    if sign is None or not re.search(sign, content, re.IGNORECASE):
        return ()
    known = {reference.span for reference in find_references(content, kind).references}
    never = _without_deciding(kind.never)
    rules = [_RULES.get(kind.name, _LOOKS_LIKE_IMAGES)]
    if kind.syntax is Syntax.HCL:
        rules.append((Inside("", _find_in_texts),))
    found = {
        each.span: each
        for images in rules
        for each in find_references(content, replace(kind, images=images, never=never)).references
        if each.span not in known and isinstance(each.target, Image)
    }
    return tuple(found[span] for span in sorted(found))


@cache
def _without_deciding(never: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the places that decide about an image; cached, since rules are cached by identity."""
    return tuple(path for path in never if path not in _DECIDES_AN_IMAGE)


def _find_in_texts(root: Node) -> Iterator[Found]:
    """Find the images in expressions and heredocs of HCL: arguments of functions, and documents of other formats."""
    for node in walk(root):
        for key, value in node.entries if isinstance(node, Mapping) else ():
            if isinstance(value, Scalar) and value.style is ScalarStyle.EXPRESSION and re.search(_KEY, key):
                yield from _find_written(value, r'"(?P<reference>[^"$%\s]+)"')
        if isinstance(node, Scalar) and node.style in (ScalarStyle.EXPRESSION, ScalarStyle.HEREDOC):
            yield from _find_written(node, _WRITTEN)


def _find_written(scalar: Scalar, expression: str) -> Iterator[Found]:
    for match in re.finditer(expression, scalar.source.text):
        source = scalar.source.cut(*match.span("reference"))
        written = Scalar(source.text, source, ScalarStyle.QUOTED)
        if has_version(source.text) and may_be_reference(written):
            yield found_image(ReferenceKind.IMAGE, written)


def _names_registry_or_version(text: str) -> bool:
    return has_version(text) or has_registry(text)


def _is_word_of_image(text: str) -> bool:
    """Whether a word may be an image of Docker Hub without a tag, not a choice that a chart gives."""
    return text.lower() not in _CHOICES and re.fullmatch(r"[a-z][a-z0-9._-]+", text) is not None


def _find_set_value(node: Node) -> Iterator[Found]:
    """Find the parts of images that ``set`` blocks, or a list of objects, give to a chart."""
    for block in node.items if isinstance(node, Sequence) else (node,):
        name, value = (block.find_scalar(key) if isinstance(block, Mapping) else None for key in ("name", "value"))
        if name and value and re.search(_SET_NAME, name.value) and may_be_reference(value):
            yield found_image(ReferenceKind.IMAGE, value)


def _find_named_value(node: Node) -> Iterator[Found]:
    """Find the value of a variable or parameter whose name says that it is an image."""
    if not isinstance(node, Mapping):
        return
    name = node.find_scalar("name")
    value = node.find_scalar("value") or node.find_scalar("default")
    if (
        name
        and value
        and re.search(r"(?i)image|^bundle$", name.value)
        and may_be_reference(value)
        and has_version(value.value)
    ):
        yield found_image(ReferenceKind.IMAGE, value)


def _find_arguments(node: Node) -> Iterator[Found]:
    """Find the values of options whose names say that they are images: ``--proxy-image=envoy:1.30``."""
    items = node.items if isinstance(node, Sequence) else (node,)
    scalars = [item for item in items if isinstance(item, Scalar)]
    for index, item in enumerate(scalars):
        yield from _find_written(item, _ASSIGNED)
        if index and re.fullmatch(_OPTION, scalars[index - 1].value):
            yield from _find_written(item, r"\A(?P<reference>\S+)\Z")


def _find_assigned(node: Node) -> Iterator[Found]:
    """Find the value of a variable in an item of a list: ``AGENT_IMAGE=alpine:3``."""
    if isinstance(node, Scalar):
        yield from _find_written(node, _ASSIGNED)


def _find_build_argument(node: Node) -> Iterator[Found]:
    """Find the values of the arguments of a build, in a text of lines or an item of a list: ``BASE=alpine:3``."""
    if isinstance(node, Scalar):
        yield from _find_written(node, _BUILD_ARGUMENT)


def _find_free_form(root: Node) -> Iterator[Found]:
    """Find images in the arguments of a task that are one text: ``docker_container: name=x image=redis:7``."""
    for node in walk(root):
        if isinstance(node, Scalar) and "image=" in node.value:
            yield from _find_written(node, _ASSIGNED)


_CHOICES = frozenset(
    "always any auto both build custom default disabled enabled false global ifnotpresent image inherit latest local"
    " never no none null off on optional private public random remote required true unset yes".split()
)
_KEY = r"(?i)(?:image(?:name|url|uri|ref)?|img)$"
_SET_NAME = r"(?i)image(?:\.(?:tag|repository|name|digest)|tag)?$"
_WRITTEN = (
    r"(?im)(?:^|[\s{,(\"'])[\w.-]*(?:image(?:name|url|uri|ref)?|img)[\"']?[ \t]*[:=][ \t]*[\"']?"
    r"(?P<reference>[a-z0-9][\w./-]*[:@/][\w./:@-]+)"
)
_OPTION = r"(?i)--?[\w.-]*image"
_NO_HOST = "(?!(.*[_.-])?(registry|host|server|port)$)"  # `IMAGE_HOST`, and not `IMAGE_GHOST`
_ASSIGNED = (
    r"(?im)(?:^|[\s\"'])-{0,2}[\w.-]*image(?!(?:[\w-]*[_-])?(?:registry|host|server|port)=)[\w-]*=[\"']?"
    r"(?P<reference>[a-z0-9][\w./:@-]+)"
)
_BUILD_ARGUMENT = _ASSIGNED.replace("image", "(?:image|(?<!data)base|from)")
_DECIDES_AN_IMAGE = ("{Application,ApplicationSet}:**.helm.parameters", "build")
"""Places that are never edited and that decide about an image: a part of it, or an argument of a build."""
_LOOKS_LIKE_IMAGES: tuple[Rule, ...] = (
    Text("**./(image(name|url|uri|ref)?|img)$/i", is_sure=False, accepts=has_version),
    Text("**./^(images?|img)$/i[]", is_sure=False, accepts=has_version),
    Text("**./images$/i[]", is_sure=False, accepts=has_version),
    Text("**./images$/i.*", is_sure=False, accepts=has_version),
    Text("**./image/i.default", is_sure=False, accepts=has_version),
    Inside("**.{env,params,parameters}[]", _find_named_value),
)
_PARTS: tuple[Rule, ...] = (
    Parts("**", name=("repository", "repo"), tag=("tag", "imageTag"), digest=("digest",)),
    Parts("**./image$/i", name=("name", "repo", "path"), tag=("tag", "version"), digest=("digest",)),
    Text("**./image$/i.repository", is_sure=False, accepts=has_version),
)
_RULES: dict[str, tuple[Rule, ...]] = {
    "ansible": (*_LOOKS_LIKE_IMAGES, Inside("", _find_free_form)),
    "bake": (
        Text("target.*.args./image|(?<!data)base|from/i", is_sure=False, accepts=has_version),
        Text("variable./image|img|(?<!data)base|from/i.default", is_sure=False, accepts=has_version),
    ),
    "devcontainer": (Text("build.args./image|(?<!data)base|from/i", is_sure=False, accepts=has_version),),
    "env": (
        Text(f"/(image|img){_NO_HOST}/i", is_sure=False, accepts=has_version),
        Text("/_IMAGE$/i", is_sure=False, accepts=_is_word_of_image),
    ),
    "github": (*_LOOKS_LIKE_IMAGES, Inside("**.{build-args,build_args}", _find_build_argument)),
    "helmfile": (*_LOOKS_LIKE_IMAGES, Inside("releases[].set", _find_set_value)),
    "skaffold": (
        *_LOOKS_LIKE_IMAGES,
        Text("**.buildArgs./image|(?<!data)base|from/i", is_sure=False, accepts=has_version),
    ),
    "helm-values": (
        *_PARTS,
        Text("**./img$/i", is_sure=False, accepts=has_version),
        Text("**./.[iI]mage$/", is_sure=False, accepts=_is_word_of_image),
        Parts("**./images$/i.*", name=("name", "repo"), tag=("tag",), digest=("digest",)),
        Text("**./^container$/i", is_sure=False, accepts=has_version),
    ),
    "terraform": (
        *_LOOKS_LIKE_IMAGES,
        Text("**./image$/i", is_sure=False, accepts=_names_registry_or_version),
        Text("variable./image/i.default", is_sure=False, accepts=has_version),
        Text("variable./image/i.default.*", is_sure=False, accepts=has_version),
        Inside("resource.helm_release.**.{set,set_list,set_sensitive}", _find_set_value),
    ),
    "kubernetes": (
        *_LOOKS_LIKE_IMAGES,
        Text("**./.image$/i", is_sure=False, accepts=_names_registry_or_version),
        Text("**./image(?!.*(registry|host|server|endpoint|address|port)$)/i", is_sure=False, accepts=has_version),
        Text("**.{bundle,package}", is_sure=False, accepts=has_version),  # artifacts of a registry, which no lock has
        *_PARTS,
        Inside("**.{args,command}", _find_arguments),
        Inside("{Application,ApplicationSet}:**.helm.parameters", _find_set_value),
    ),
    "compose": (
        Text("models.*.model", is_sure=False),  # artifacts of a registry, which no lock has
        Text("services.*.build.args./image|(?<!data)base|from/i", is_sure=False, accepts=has_version),
        Text(f"services.*.environment./image{_NO_HOST}/i", is_sure=False, accepts=has_version),
        Inside("services.*.build.args[]", _find_build_argument),
        Inside("services.*.environment[]", _find_assigned),
    ),
}
"""Where images may be in kinds whose keys say nothing: arguments of builds replace the defaults in Dockerfiles."""

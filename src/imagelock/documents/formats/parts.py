"""Images whose parts are under several keys of a mapping, by the rule that names the keys."""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.formats.place_rules import Alone, Parts, Text
from imagelock.documents.formats.scalars import may_be_reference
from imagelock.documents.formats.split import SplitImage, has_registry, has_version
from imagelock.documents.syntax.nodes import Mapping, Scalar
from imagelock.documents.syntax.yaml_types import YamlType

_DIGEST_KEYS = ("digest", "imageDigest")


def parts_of(rule: Parts, mapping: Mapping) -> Iterator[Scalar]:
    """Yield the values that the rule reads as one image."""
    for keys in (rule.name, rule.tag, rule.digest, rule.hex_digest, rule.registry):
        if (part := first_part(mapping, keys)) is not None:
            yield part


def why_doubtful(rule: Text, scalar: Scalar, parent: Mapping) -> tuple[str, str] | None:
    """Return why keys beside a name leave it open which image it is, and a hint."""
    parts = ((key, first_part(parent, (key,))) for key in rule.registry_beside)
    key = next((key for key, part in parts if part and may_be_reference(part)), None)
    if key and not has_registry(scalar.value):
        reason = f"only the program that reads it knows whether `{key}` beside it belongs to its name"
        return reason, "write the registry in front of the name, or list its parts under `[paths]`"
    for key in _DIGEST_KEYS:
        digest = first_part(parent, (key,))
        if digest and digest.value.startswith("sha256:") and "@" not in scalar.value:
            return f"its digest may be that of `{key}` beside it", "write the digest behind the name, or use `[paths]`"
    empty = next((key for key in rule.tag_beside if isinstance(parent.find(key), Scalar)), None)
    if empty and not first_part(parent, rule.tag_beside) and not has_version(scalar.value):
        return f"only the program that reads it knows what the empty `{empty}` beside it means", "write the tag there"
    return None


def split_image(rule: Parts, mapping: Mapping) -> SplitImage | None:
    """Return the image of a mapping; ``None`` if it has no name, or a name alone that is none."""
    name = first_part(mapping, rule.name)
    tag, digest, hex_digest = (first_part(mapping, keys) for keys in (rule.tag, rule.digest, rule.hex_digest))
    if name is None or not may_be_reference(name):
        return None
    is_alone = not (tag or digest or hex_digest)
    affix = next((key for key in rule.affix if is_alone and first_part(mapping, (key,))), "")
    if (
        is_alone
        and not affix
        and (rule.alone is Alone.NEVER or (rule.alone is Alone.WITH_VERSION and not has_version(name.value)))
    ):
        return None
    registry = first_part(mapping, rule.registry)
    return SplitImage(
        name,
        prefix=f"{registry.value.rstrip('/')}/" if registry else "",
        tag=tag,
        digest=_field(mapping, rule.digest),
        hex_digest=_field(mapping, rule.hex_digest),
        tag_takes_digest=rule.tag_takes_digest,
        affix=affix,
        tag_use=rule.tag_use,
    )


def first_part(mapping: Mapping, paths: tuple[str, ...]) -> Scalar | None:
    """Find the first part that has a value."""
    found = (_field(mapping, (path,)) for path in paths)
    return next((part for part in found if part and part.value and part.type is not YamlType.NULL), None)


def _field(mapping: Mapping, paths: tuple[str, ...]) -> Scalar | None:
    """Return the first part that has its key."""
    return next((found for path in paths if isinstance(found := mapping.find_path(path), Scalar)), None)

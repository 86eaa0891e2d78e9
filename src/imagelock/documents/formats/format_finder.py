"""Find every image reference of a document by the row of its format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from imagelock.documents.dockerfile.finder import scan_dockerfile
from imagelock.documents.formats.format import Format
from imagelock.documents.formats.parts import first_part, parts_of, split_image, why_doubtful
from imagelock.documents.formats.paths import parse_place
from imagelock.documents.formats.place_rules import Inside, Match, Parts, Rule, RuleSet, Text
from imagelock.documents.formats.scalars import (
    found_after_prefix,
    found_image,
    is_template,
    may_be_reference,
    not_editable,
    shared,
)
from imagelock.documents.formats.shared_values import leave_shared_values
from imagelock.documents.formats.split import SplitImage
from imagelock.documents.references import (
    CONFLICT,
    DigestField,
    Found,
    HexDigestField,
    Image,
    InlineDigest,
    NotEditable,
    ReferenceKind,
    Scan,
    Unresolved,
    key_of,
    make_scan,
)
from imagelock.documents.spans import Span
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, ScalarStyle, walk
from imagelock.documents.syntax.reader import Syntax, decode, read_documents
from imagelock.model.reference import split_reference

_FLUX_MARK = b'"$imagepolicy"'
_FLUX_WRITES = NotEditable("Flux writes it, by the comment behind it", "remove the comment, or leave it to Flux")


def find_references(content: bytes, kind: Format) -> Scan:
    """Find the image references of a document. No bytes make this raise anything."""
    if kind.syntax is Syntax.DOCKERFILE:
        return scan_dockerfile(content)
    try:
        documents = read_documents(content, kind.syntax)
    except DocumentSyntaxError as error:
        return make_scan(content, (), ((error.offset, error.reason),))
    found = (each for document in documents for each in _find_in_document(document, kind))
    every: Iterable[Found] = tuple(_each_place_once(found))
    if kind.syntax is Syntax.YAML and b"&" in content:
        every = _without_shared(tuple(every), content, kind)
    ordered = sorted(_without_mixtures(tuple(every)), key=key_of)
    return make_scan(content, _without_flux(content, ordered), ())


def _without_shared(every: tuple[Found, ...], content: bytes, kind: Format) -> Iterable[Found]:
    find = partial(_find_in_document, kind=kind)
    return leave_shared_values(every, decode(content), find, gives_every_key_meaning=kind.gives_every_key_meaning)


def _find_in_document(document: Node, kind: Format) -> Iterator[Found]:
    for resource in _resources(document):
        if kind.reads is not None and not kind.reads(resource):
            continue
        found = _find_in_resource(resource, kind)
        if kind.replaced:
            found = (each for each in found if not _is_replaced(each, kind.replaced))
        yield from _without_excluded(found, resource, kind) if kind.excluded else found


def _find_in_resource(resource: Node, kind: Format) -> Iterator[Found]:
    taken: set[int] = set()
    spans: set[Span] = set()
    if kind.images:
        for match in _select(kind.images, kind.never, *_kind_and_group(resource)).find(resource):
            if id(match.node) in taken:
                continue
            for found in _find(match):
                scalars = tuple(_scalars_of(match))
                taken |= {id(match.node), *map(id, scalars)}
                spans |= {scalar.source.span for scalar in scalars}
                yield found
    if kind.find is not None:
        yield from (found for found in kind.find(resource) if found.span not in spans)


def _scalars_of(match: Match) -> Iterable[Scalar]:
    """Return what a match reads: no later rule, and no function of the format, takes it for something else."""
    match match.rule, match.node:
        case Parts() as rule, Mapping() as mapping:
            return parts_of(rule, mapping)
        case _, Scalar() as scalar:
            return (scalar,)
        case _:
            return ()


def _is_replaced(found: Found, names: frozenset[str]) -> bool:
    return isinstance(found.target, Image) and split_reference(found.target.text).name in names


def _without_excluded(every: Iterable[Found], resource: Node, kind: Format) -> Iterator[Found]:
    place = _kind_and_group(resource)
    rules = tuple(Text(path) for path in kind.excluded if parse_place(path).is_in(*place))
    spans = {
        node.source.span
        for match in RuleSet(rules).find(resource)
        for node in walk(match.node)
        if isinstance(node, Scalar)
    }
    for found in every:
        if not any(span.start <= found.span.start <= found.span.end <= span.end for span in spans):
            yield found


def _resources(document: Node) -> Iterator[Node]:
    """Yield a document, or its items if it is a Kubernetes list."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        kind, _ = _kind_and_group(node)
        if kind.endswith("List") and isinstance(node, Mapping) and node.find("items") is not None:
            waiting.extend(_typed(item, node) for item in reversed(node.find_sequence("items").items))
        else:
            yield node


def _typed(item: Node, every: Mapping) -> Node:
    """Return an item of a ``PodList`` or the like with the type that the list has for all of them."""
    kind, version = every.find_scalar("kind"), every.find_scalar("apiVersion")
    if not isinstance(item, Mapping) or item.find("kind") or kind is None or version is None or kind.value == "List":
        return item
    own = Scalar(kind.value.removesuffix("List"), kind.source, ScalarStyle.ESCAPED)
    return Mapping((("apiVersion", version), ("kind", own), *item.entries))


def _kind_and_group(node: Node) -> tuple[str, str]:
    if not isinstance(node, Mapping):
        return "", ""
    kind, version = node.find_scalar("kind"), node.find_scalar("apiVersion")
    if kind is None or version is None:
        return "", ""
    return kind.value, version.value.rpartition("/")[0]


_selected: dict[tuple[int, int, str, str], tuple[object, RuleSet]] = {}
_MAX_SELECTED = 1000


def _select(rules: tuple[Rule, ...], never: tuple[str, ...], kind: str, group: str) -> RuleSet:
    """Return the rules for documents of one kind; cached by identity, since a hash of all rules takes too long."""
    key = (id(rules), id(never), kind, group)
    if key not in _selected:
        if len(_selected) >= _MAX_SELECTED:
            _selected.clear()
        wanted = tuple(rule for rule in rules if parse_place(rule.path).is_in(kind, group))
        excluded = tuple(place.steps for place in map(parse_place, never) if place.is_in(kind, group))
        _selected[key] = ((rules, never), RuleSet(wanted, excluded))
    return _selected[key][1]


def _find(match: Match) -> Iterator[Found]:
    match match.rule, match.node:
        case Text() as rule, Scalar() as scalar:
            found = _find_text(rule, scalar, match.parent)
            if found is not None:
                yield shared(found) if match.is_shared else found
        case Parts() as rule, Mapping() as mapping:
            if (split := split_image(rule, mapping)) is not None:
                yield split.find(ReferenceKind.IMAGE)
        case Inside(find=find), node:
            yield from find(node)
        case _:
            return


def _find_text(rule: Text, scalar: Scalar, parent: Node) -> Found | None:
    prefix = rule.prefix or next(filter(scalar.value.startswith, rule.strips), "")
    if prefix:
        return found_after_prefix(rule.kind, scalar, prefix, rule.tag_use)
    if not may_be_reference(scalar) or (rule.accepts is not None and not rule.accepts(scalar.value)):
        return None
    if isinstance(parent, Mapping) and any(parent.find(key) for key in rule.output_beside):
        return None
    if isinstance(parent, Mapping) and (rule.tag_beside or rule.registry_beside):
        if told := why_doubtful(rule, scalar, parent):
            return Found.at(rule.kind, scalar.source, Unresolved(scalar.value, *told))
        if tag := first_part(parent, rule.tag_beside):
            return SplitImage(scalar, tag=tag, is_of_chart=False, tag_use=rule.tag_use).find(rule.kind)
    found = found_image(rule.kind, scalar, rule.tag_use)
    if rule.is_sure or isinstance(found.target, Image) or is_template(scalar.value):
        return found
    return None


def _each_place_once(every: Iterable[Found]) -> Iterator[Found]:
    """Drop repetitions by an alias or a merge key: the file has the text once, and it is edited once."""
    seen: set[tuple[Span, Span, str]] = set()
    for found in every:
        if (key := key_of(found)) not in seen:
            seen.add(key)
            yield found


def _without_mixtures(every: tuple[Found, ...]) -> Iterator[Found]:
    """Refuse edits that would write the digest or tag of one image to another: an alias or ``<<`` gives it to both."""
    digests: dict[Span, set[str]] = defaultdict(set)
    uses: dict[Span, set[tuple[Span | None, str]]] = defaultdict(set)
    for found in every:
        span, image = _span_of_digest(found), _canonical(found)
        uses[found.span].add((span, image))
        if span is not None:
            digests[span].add(image)
    for found in every:
        span = _span_of_digest(found)
        if span is not None and len(digests[span]) > 1:
            yield not_editable(found, CONFLICT)
        else:
            yield _with_fixed_text(found) if len(uses[found.span]) > 1 else found


def _canonical(found: Found) -> str:
    """Return one text for all spellings of an image."""
    image = found.target
    return str(image.reference) if isinstance(image, Image) else image.text


def _with_fixed_text(found: Found) -> Found:
    """Let a text stay that several references have: a digest in it, or another tag, may not be meant for all."""
    image = found.target
    match image:
        case Image(editing=InlineDigest()):
            return not_editable(found, CONFLICT)
        case Image(editing=DigestField() | HexDigestField() as editing):
            return replace(found, target=replace(image, editing=replace(editing, tag=None)))
        case _:
            return found


def _span_of_digest(found: Found) -> Span | None:
    editing = found.target.editing if isinstance(found.target, Image) else None
    return None if editing is None or isinstance(editing, NotEditable) else editing.span


def _without_flux(content: bytes, every: Iterable[Found]) -> Iterator[Found]:
    """Refuse edits of what Flux writes: https://fluxcd.io/flux/guides/image-update/#configure-image-update-for-custom-resources."""
    has_marks = _FLUX_MARK in content
    for found in every:
        end = content.find(b"\n", found.span.end) if has_marks else -1
        is_marked = has_marks and _FLUX_MARK in content[found.span.end : end if end >= 0 else len(content)]
        yield not_editable(found, _FLUX_WRITES) if is_marked else found

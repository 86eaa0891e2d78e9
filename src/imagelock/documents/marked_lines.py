"""What a marked line must hold: one reference of the image that the marker names, or else one digest, or its tag."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagelock.documents.digest_position import find_position_in_text
from imagelock.documents.edits import Change, digest_edits, tag_suffix
from imagelock.documents.locked_references import LockedReferences, NamedImage
from imagelock.documents.pin_plan import RENDER_HINT, FindingKind, PinStep, PinStyle
from imagelock.documents.references import Marked, NotEditable, Reference
from imagelock.documents.spans import Edit, SourceText
from imagelock.errors import ImagelockError, InvalidReferenceError, did_you_mean
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, PinnedReference, UnnormalizedReference, split_reference

_RUN = re.compile(r"[\w.\-/:@+]+", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
_COMPUTED_BEFORE = frozenset("$%}\\~*^&")
_COMPUTED_AFTER = frozenset("$%{\\~*^&")
"""Next to one of these, a text is a part of something that another program computes."""
_DIGEST = r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
_BARE_DIGEST = re.compile(_DIGEST)
_TAG = re.compile(rf"(?P<tag>\w[\w.-]{{0,127}})(?:@(?P<digest>{_DIGEST}))?", re.ASCII)
_PLATFORMS = "platforms."
_DIGEST_SUFFIX = ".digest"
_FIELDS = ("digest", "tag", "pinned", "platforms.linux/amd64")
_WITHOUT_DIGEST = ("repository", "registry")


@frozen
class _ReferenceText:
    source: SourceText
    written: UnnormalizedReference


@frozen
class _DigestText:
    source: SourceText


@frozen
class _TagText:
    source: SourceText
    tag: str


_Place = _ReferenceText | _DigestText | _TagText


@frozen
class _Problem:
    reason: str
    hint: str | None = None


def decide_marked(reference: Reference, marked: Marked, locked: LockedReferences, style: PinStyle) -> PinStep:
    """Decide about a marked line by the image that its marker names."""
    image = locked.named.get(marked.name)
    if image is None:
        return _bad(reference, f"unknown image `{marked.name}`{did_you_mean(marked.name, locked.named)}")
    if image.reference is None:
        return _bad(reference, f"`{marked.name}` comes from an OCI layout, which files cannot refer to")
    try:
        digest = _wanted_digest(marked, image, image.reference)
    except ImagelockError as error:
        return _bad(reference, error.message)
    match _find_place(marked, image, image.reference):
        case _Problem(reason, hint):
            return _bad(reference, reason, hint)
        case _DigestText(source):
            return _replace(reference, marked, source, str(digest), "it is another digest than that of images.lock")
        case _TagText(source) if style is PinStyle.DIGEST_ONLY:
            return PinStep.found(
                FindingKind.NOT_PINNABLE,
                reference,
                f"a digest alone cannot take the place of the tag `{source.text}`",
                "list the file under `pin.files`",
            )
        case _TagText(source):
            text = f"{image.reference.tag}@{digest}"
            return _replace(reference, marked, source, text, f"it is not `{image.reference.tag}` with its digest")
        case _ReferenceText() as place:
            drops_tag = style is PinStyle.DIGEST_ONLY or marked.field == "pinned"
            return _decide_reference(reference, marked, place, image, digest, drops_tag=drops_tag)


def unpin_marked(reference: Reference, marked: Marked, locked: LockedReferences) -> Change | NotEditable | None:
    """Take the digest off a marked line; None where it has none."""
    pinned = [run for run in _runs(marked.source) if _DIGEST_SUFFIX_OF.search(run.text)]
    digests = [run for run in _runs(marked.source) if _BARE_DIGEST.fullmatch(run.text)]
    if len(pinned) > 1:
        return NotEditable("its line has several digests", "take them out by hand")
    if not pinned:
        return NotEditable("nothing valid would remain without the digest", "take it out by hand") if digests else None
    (run,) = pinned
    kept, _, _ = run.text.partition("@")
    added = _tag_to_restore(run, locked)
    edit = Edit(run.cut(len(kept)).span, added.encode())
    return Change(reference, (edit,), _with(marked, run, f"{kept}{added}"))


def _tag_to_restore(run: SourceText, locked: LockedReferences) -> str:
    try:
        written = split_reference(run.text)
    except InvalidReferenceError:
        return ""
    if written.tag or not isinstance(written.meaning, PinnedReference):
        return ""
    tag = locked.find_tag(written.meaning)
    return "" if tag in (None, DEFAULT_TAG) else tag_suffix(tag)


_DIGEST_SUFFIX_OF = re.compile(rf".@(?:{_DIGEST})\Z")


def _wanted_digest(marked: Marked, image: NamedImage, reference: PinnedReference) -> Digest:
    """Return the digest that a marker's field means; ``ImagelockError`` if there is no such field or platform."""
    field = marked.field
    if field.startswith(_PLATFORMS):
        return image.find_platform(field.removeprefix(_PLATFORMS).removesuffix(_DIGEST_SUFFIX))
    if field in _WITHOUT_DIGEST:
        raise ImagelockError(f"`{marked.name}.{field}` has no digest that could be pinned")
    if field and field not in _FIELDS:
        raise ImagelockError(f"unknown field `{field}` of the image `{marked.name}`{did_you_mean(field, _FIELDS)}")
    if field == "tag" and reference.tag is None:
        raise ImagelockError(f"`{marked.name}` is declared by its digest and has no tag")
    return reference.digest


def _find_place(marked: Marked, image: NamedImage, reference: PinnedReference) -> _Place | _Problem:
    """Find the one place of an image in a line: a reference, else a digest, else, for ``.tag``, its tag."""
    runs = tuple(_runs(marked.source))
    found = [place for run in runs if (place := _as_reference(run, reference))]
    tags = [
        _TagText(run, match["tag"]) for run in runs if (match := _TAG.fullmatch(run.text)) and _is_tag(match, image)
    ]
    for places in (
        [place for place in found if place.written.tag or place.written.digest],
        found,
        [_DigestText(run) for run in runs if _BARE_DIGEST.fullmatch(run.text)],
        tags if marked.field == "tag" else [],
    ):
        if len(places) == 1:
            return places[0]
        if places:
            return _Problem(f"its line has {len(places)} places for `{marked.name}`", "write one of them to a line")
    if tags:
        return _Problem(f"its line has only the tag of `{marked.name}`", f"write `imagelock: {marked.name}.tag`")
    return _Problem(f"its line has no reference to {reference.repository}")


def _runs(source: SourceText) -> Iterator[SourceText]:
    """Split a line into the texts that may be references: nothing beside them is computed."""
    for run in _RUN.finditer(source.text):
        start, end = run.span()
        scheme = _SCHEME.match(run[0])
        if scheme:
            start += scheme.end()
        before, after = source.text[max(run.start() - 1, 0) : run.start()], source.text[end : end + 1]
        if start < end and before not in _COMPUTED_BEFORE and after not in _COMPUTED_AFTER:
            yield source.cut(start, end)


def _as_reference(run: SourceText, reference: PinnedReference) -> _ReferenceText | None:
    try:
        written = split_reference(run.text)
    except InvalidReferenceError:
        return None
    return _ReferenceText(run, written) if written.repository == reference.repository else None


def _is_tag(match: re.Match[str], image: NamedImage) -> bool:
    tag = match["tag"]
    return image.reference is not None and (tag == image.reference.tag or image.accepts_tag(tag))


def _decide_reference(
    reference: Reference, marked: Marked, place: _ReferenceText, image: NamedImage, digest: Digest, *, drops_tag: bool
) -> PinStep:
    written = place.written
    tag = None if drops_tag else _tag_to_write(written, image)
    if not drops_tag and not _is_meant(written, image):
        wanted = image.reference.tag if image.reference else None
        reason = f"its tag is `{written.tag or DEFAULT_TAG}`, and `{marked.name}` is locked for `{wanted}`"
        return _bad(reference, reason, f"write `{wanted}`, or run `imagelock render --retag`")
    text = f"{written.name}{tag_suffix(tag)}@{digest}"
    if text == place.source.text:
        return PinStep(reference)
    edits = digest_edits(find_position_in_text(place.source), digest, tag=tag, moves_tag=tag != written.tag)
    if isinstance(edits, NotEditable):
        return PinStep.found(FindingKind.NOT_PINNABLE, reference, edits.reason, edits.hint)
    kind, reason = _difference(written, tag, digest)
    return PinStep.found(
        kind, reference, reason, RENDER_HINT, Change(reference, edits, _with(marked, place.source, text))
    )


def _is_meant(written: UnnormalizedReference, image: NamedImage) -> bool:
    """Whether the tag of a reference is the locked one, or one that its range takes, or no tag is locked."""
    locked_tag = image.reference.tag if image.reference else None
    if locked_tag is None or image.retags or (written.digest and not written.tag):
        return True
    tag = written.tag or DEFAULT_TAG
    return tag == locked_tag or image.accepts_tag(tag)


def _tag_to_write(written: UnnormalizedReference, image: NamedImage) -> str | None:
    """Return the tag for a reference: the one that it has, or where a range moved, that of the lock."""
    moves = written.tag or (image.retags and not written.digest)
    return image.reference.tag if moves and image.reference and image.reference.tag else written.tag


def _difference(written: UnnormalizedReference, tag: str | None, digest: Digest) -> tuple[FindingKind, str]:
    if written.digest is None:
        return FindingKind.NO_DIGEST, "it has no digest"
    if tag is None and written.tag:
        return FindingKind.TAG_BESIDE_DIGEST, f"the tag `{written.tag}` is beside the digest"
    if tag != written.tag:
        return FindingKind.RANGE_MOVED, f"its range gives `{tag}` now"
    reason = f"it has {written.digest.short}, images.lock has {digest.short}"
    return FindingKind.DIGEST_DIFFERS, reason


def _replace(reference: Reference, marked: Marked, source: SourceText, text: str, reason: str) -> PinStep:
    if source.text == text:
        return PinStep(reference)
    change = Change(reference, (Edit(source.span, text.encode()),), _with(marked, source, text))
    return PinStep.found(FindingKind.DIGEST_DIFFERS, reference, reason, RENDER_HINT, change)


def _with(marked: Marked, source: SourceText, text: str) -> str:
    """Return the line with other text in one place."""
    start = marked.source.offsets.index(source.offsets[0])
    return f"{marked.text[:start]}{text}{marked.text[start + len(source) :]}"


def _bad(reference: Reference, reason: str, hint: str | None = None) -> PinStep:
    return PinStep.found(FindingKind.BAD_MARKER, reference, reason, hint)

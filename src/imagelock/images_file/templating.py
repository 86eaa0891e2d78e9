"""Makes a template from a document. It renders to the same bytes, with a digest for each image."""

from __future__ import annotations

from imagelock.documents.edits import Change, apply_all, split_conflicts
from imagelock.documents.formats import table
from imagelock.documents.references import DigestField, HexDigestField, Image, InlineDigest, NotEditable, Reference
from imagelock.documents.spans import Edit
from imagelock.images_file.discovery import FoundImage, ScannedDocument, Survey, Unlockable
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, split_reference

TEMPLATE_SUFFIX = ".in"
_CONFLICT = "another reference needs another digest in the same place"
_NO_DIGITS = "no placeholder gives the digits of a digest alone"


@frozen
class Template:
    """A template, and the images for which it has no placeholder."""

    content: bytes
    remaining: tuple[Unlockable, ...]


def make_template(document: ScannedDocument, survey: Survey) -> Template:
    """Return a template in which a placeholder replaces each image, or only its digest."""
    changes: list[Change] = []
    remaining: list[Unlockable] = []
    for reference, image in document.images():
        found = survey.find(image)
        if found is None:
            continue
        edit = _edit(document, reference, image, found)
        if isinstance(edit, Edit):
            changes.append(Change(reference, (edit,), image.text))
        else:
            remaining.append(_obstacle(document, reference, edit))
    kept, conflicts = split_conflicts(changes)
    remaining += (_obstacle(document, change.reference, _CONFLICT) for change in conflicts)
    return Template(apply_all(document.content, kept), tuple(remaining))


def _obstacle(document: ScannedDocument, reference: Reference, reason: str) -> Unlockable:
    return Unlockable(document.path, reference.position, reference.text, reason)


def _edit(document: ScannedDocument, reference: Reference, image: Image, found: FoundImage) -> Edit | str:
    """Return the edit for one image, or the reason why there is none."""
    match image.editing:
        case NotEditable(reason):
            return reason
        case HexDigestField():
            return _NO_DIGITS
        case DigestField(span):
            return Edit(span, _placeholder(found, "digest"))
        case InlineDigest() if _is_plain_word(document, reference, image, found):
            return Edit(reference.span, _placeholder(found))
        case InlineDigest(span):
            return Edit(span, b"@" + _placeholder(found, "digest"))


def _is_plain_word(document: ScannedDocument, reference: Reference, image: Image, found: FoundImage) -> bool:
    """Whether a placeholder can replace the whole reference, since the image is rendered in the same spelling.

    Never in YAML, where a value without quotes cannot begin with a brace.
    """
    written = split_reference(image.text)
    return (
        document.kind is table.DOCKERFILE
        and reference.span.of(document.content) == image.text.encode()
        and (written.name, written.tag or DEFAULT_TAG) == (found.name, found.tag or DEFAULT_TAG)
        and (written.tag is not None or written.digest is None)
    )


def _placeholder(found: FoundImage, field: str = "") -> bytes:
    return f"{{{{images.{found.alias}{f'.{field}' if field else ''}}}}}".encode()

"""A template renders to the same document: the same images, with digests, and nothing else."""

from __future__ import annotations

from hypothesis import given

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.references import Image
from imagelock.images_file.discovery import ScannedDocument, Survey, survey
from imagelock.images_file.templating import make_template
from imagelock.model.reference import PinnedReference
from imagelock.rendering.template import find_placeholders
from tests.property.test_documents import DOCKERFILES, SERVICES

_DIGEST = f"sha256:{'d' * 64}"


@given(DOCKERFILES)
def test_a_dockerfile_keeps_its_images_and_gets_their_digests(text: str) -> None:
    _check(text.encode(), table.DOCKERFILE)


@given(SERVICES)
def test_a_compose_file_keeps_its_images_and_gets_their_digests(text: str) -> None:
    _check(text.encode(), table.COMPOSE)


def _check(content: bytes, kind: Format) -> None:
    document = ScannedDocument("document", kind, content, find_references(content, kind))
    if document.scan.problems:
        return
    found = survey([document])
    template = make_template(document, found)
    remaining = {obstacle.position for obstacle in template.remaining}
    rendered = find_references(_render(template.content, found), kind)
    for before, after in zip(document.scan.references, rendered.references, strict=True):
        if isinstance(before.target, Image) and before.position not in remaining:
            assert isinstance(after.target, Image)
            assert isinstance(after.target.reference, PinnedReference)
            assert str(after.target.reference.digest) == _DIGEST
            assert after.target.reference.repository == before.target.reference.repository
            assert after.target.reference.tag in (before.target.reference.tag, None)
        elif not isinstance(before.target, Image):
            assert type(after.target) is type(before.target)


def _render(content: bytes, found: Survey) -> bytes:
    pieces, end = [], 0
    for placeholder in find_placeholders(content):
        image = next(image for image in found.images if image.alias == placeholder.alias)
        text = _DIGEST if placeholder.field == "digest" else f"{image.name}:{image.tag or 'latest'}@{_DIGEST}"
        pieces += [content[end : placeholder.start], text.encode()]
        end = placeholder.end
    return b"".join([*pieces, content[end:]])

"""Images that have a tag in common, by an alias or a merge key, and digests of their own."""

from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.locked_references import LockedReferences, Retag
from imagelock.documents.pin_decisions import check
from imagelock.documents.pinning import pin, unpin
from imagelock.model.reference import PinnedReference, parse_reference
from tests.support.documents import DIGEST, OLD_DIGEST

_OTHER_DIGEST = f"sha256:{'9' * 64}"


def _locked(*images: str, retag: Retag | None = None) -> LockedReferences:
    found = [parse_reference(f"{image}@{DIGEST}") for image in images]
    references = [each for each in found if isinstance(each, PinnedReference)]
    return LockedReferences(references, names=dict.fromkeys(references, "name"), retag=retag)


def _values(first: str, second: str) -> str:
    return f"tag: &t v1\na: {{repository: a, tag: *t, digest: '{first}'}}\nb: {{tag: *t, {second}}}\n"


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize(
    ("first", "second"), [("", ""), (OLD_DIGEST, ""), ("", OLD_DIGEST), (OLD_DIGEST, _OTHER_DIGEST)]
)
def test_images_with_one_tag_get_a_digest_each(name: str, first: str, second: str) -> None:
    document = _values(first, f"repository: {name}, digest: '{second}'").encode()
    locked = _locked("a:v1", "b:v1")
    assert len(check(document, table.HELM_VALUES, locked)) == 2
    pinned = pin(document, table.HELM_VALUES, locked)
    assert pinned.content.decode() == _values(DIGEST, f"repository: {name}, digest: '{DIGEST}'")
    assert check(pinned.content, table.HELM_VALUES, locked) == ()
    assert unpin(pinned.content, table.HELM_VALUES).content.decode() == _values("", f"repository: {name}, digest: ''")


def test_an_image_without_a_place_is_told_beside_one_with_a_place() -> None:
    document = _values("", "repository: a").encode()
    pinned = pin(document, table.HELM_VALUES, _locked("a:v1"))
    assert pinned.content.decode() == _values(DIGEST, "repository: a")
    assert [refusal.reason for refusal in pinned.refused] == ["only the chart knows where its digest goes"]


_BASE = "base: &b {tag: v1}\n"


@pytest.mark.parametrize("other", ["b", "a"])
@pytest.mark.parametrize("beside", [f", digest: {_OTHER_DIGEST}", ""])
def test_a_tag_of_two_references_does_not_move_with_one_of_them(other: str, beside: str) -> None:
    moving = f"x: {{<<: *b, repository: a, digest: {OLD_DIGEST}}}\n"
    document = f"{_BASE}{moving}y: {{<<: *b, repository: {other}{beside}}}\n"
    pinned = pin(document.encode(), table.HELM_VALUES, _locked("a:v2", "b:v1", retag=Retag()))
    after = document.replace(_OTHER_DIGEST, DIGEST) if other == "b" else document
    assert pinned.content.decode() == after
    assert "its tag and its digest are in two places" in [refusal.reason for refusal in pinned.refused]


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (table.HELM_VALUES, "a: &a {image: 'a:v1'}\nb: {<<: *a, tag: ''}\n"),
        (table.KUSTOMIZATION, "images: [{name: a, newTag: &t v1}, {name: a, newTag: *t, digest: ''}]\n"),
    ],
)
def test_a_digest_is_put_in_no_text_that_another_reference_has(kind: Format, document: str) -> None:
    pinned = pin(document.encode(), kind, _locked("a:v1"))
    assert "another reference needs another digest in the same place" in [each.reason for each in pinned.refused]
    assert pinned.content.decode() == document.replace("digest: ''", f"digest: '{DIGEST}'")


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ("tag: v1", "a:v1"),
        (f"tag: v1, digest: {OLD_DIGEST}", "a:v1"),
        (f"tag: v1@{OLD_DIGEST}", f"a:v1@{OLD_DIGEST}"),
        (f"digest: {OLD_DIGEST}", OLD_DIGEST),
    ],
)
def test_messages_name_the_image_of_a_tag(parts: str, shown: str) -> None:
    document = f"image: {{repository: a, {parts}}}\n".encode()
    (reference,) = find_references(document, table.HELM_VALUES).references
    assert reference.shown == shown

from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.locked_references import LockedReferences, RangeTags, Retag
from imagelock.documents.pin_decisions import check
from imagelock.documents.pin_plan import FindingKind, PinStyle
from imagelock.documents.pinning import pin, unpin
from imagelock.documents.references import Reference
from imagelock.model.reference import PinnedReference, parse_reference
from tests.support.documents import DIGEST, OLD_DIGEST, lock_of, pin_all

_DOCKERFILE = table.DOCKERFILE
_COMPOSE = table.COMPOSE
_KUSTOMIZATION = table.KUSTOMIZATION
_HELM = table.HELM_VALUES
_DIGEST_ONLY = PinStyle.DIGEST_ONLY


def _texts(references: tuple[Reference, ...]) -> list[str]:
    return [reference.text for reference in references]


def test_each_reference_is_changed_right_already_refused_or_not_locked() -> None:
    document = (
        f"ARG V=1\nFROM a:1 AS a\nFROM b:1@{DIGEST}\nFROM c:$V\nFROM $NOTHING\nFROM d:1\nFROM a\nFROM scratch\n"
    ).encode()
    pinned = pin(document, _DOCKERFILE, lock_of("a:1", "b:1", "c:1"))
    assert pinned.content == document.replace(b"a:1", f"a:1@{DIGEST}".encode())
    assert _texts(pinned.changed) == ["a:1"]
    assert _texts(pinned.unchanged) == [f"b:1@{DIGEST}"]
    assert _texts(pinned.not_locked) == ["d:1"]
    assert [(refusal.reference.text, refusal.reason, refusal.hint) for refusal in pinned.refused] == [
        (
            "c:$V",
            "a variable decides the tag",
            "let one ARG hold the whole reference, or use a template with {{images.NAME}}",
        ),
        ("$NOTHING", "the variable has no value here", "give the ARG a default before the first FROM"),
    ]


@pytest.mark.parametrize(
    ("style", "before", "after"),
    [
        (PinStyle.TAG_AND_DIGEST, "FROM a:1", f"FROM a:1@{DIGEST}"),
        (PinStyle.TAG_AND_DIGEST, "FROM a", f"FROM a@{DIGEST}"),
        (PinStyle.TAG_AND_DIGEST, f"FROM a:1@{OLD_DIGEST}", f"FROM a:1@{DIGEST}"),
        (PinStyle.TAG_AND_DIGEST, f"FROM a@{OLD_DIGEST}", f"FROM a@{DIGEST}"),
        (_DIGEST_ONLY, "FROM a:1", f"FROM a@{DIGEST}"),
        (_DIGEST_ONLY, "FROM r.io:5000/a:1", f"FROM r.io:5000/a@{DIGEST}"),
        (_DIGEST_ONLY, "FROM a", f"FROM a@{DIGEST}"),
        (_DIGEST_ONLY, f"FROM a:1@{OLD_DIGEST}", f"FROM a@{DIGEST}"),
        (_DIGEST_ONLY, f"FROM a:1@{DIGEST}", f"FROM a@{DIGEST}"),
        (_DIGEST_ONLY, "FROM ${R:-r.io}/a:1", f"FROM ${{R:-r.io}}/a@{DIGEST}"),
    ],
)
def test_both_styles_and_doing_it_again_changes_nothing(style: PinStyle, before: str, after: str) -> None:
    once = pin_all(before, style=style)
    assert once.content.decode() == after
    again = pin_all(once.content, style=style)
    assert (again.content, again.changed) == (once.content, ())


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ('FROM a:"1"@' + OLD_DIGEST, _DOCKERFILE),
        ("images: [{name: a, newTag: '1'}]", _KUSTOMIZATION),
        (f"images: [{{name: a, newTag: '1', digest: {OLD_DIGEST}}}]", _KUSTOMIZATION),
    ],
)
def test_a_tag_that_stands_apart_can_not_be_taken_out(document: str, kind: Format) -> None:
    pinned = pin_all(document, kind, style=_DIGEST_ONLY)
    assert pinned.content == document.encode()
    assert [refusal.reason for refusal in pinned.refused] == ["its tag and its digest are in two places"]


def test_external_names_are_no_images() -> None:
    document = "FROM php-base\nFROM golang-base:latest\nFROM a:1\n"
    pinned = pin_all(document, external=("php-base", "golang-base"))
    assert pinned.content.decode() == document.replace("a:1", f"a:1@{DIGEST}")


def test_a_file_that_can_not_be_read_is_left_alone() -> None:
    document = b"FROM a:1\nFROM b # c\n"
    pinned = pin(document, _DOCKERFILE, lock_of("a:1"))
    assert pinned.content == document
    assert [problem.reason for problem in pinned.problems] == [
        "FROM takes one word, or three as in `FROM IMAGE AS NAME`"
    ]


def test_two_digests_for_one_tag_are_refused() -> None:
    locked = lock_of(f"a:1@{DIGEST}", f"a:1@{OLD_DIGEST}")
    (refusal,) = pin(b"FROM a:1\n", _DOCKERFILE, locked).refused
    assert refusal.reason == "the lockfile has several digests for it: 1"


def test_what_unpin_can_not_take_out_it_reports() -> None:
    document = f"ARG D={OLD_DIGEST}\nFROM a@$D\nFROM b:1@{OLD_DIGEST[:9]}'{OLD_DIGEST[9:]}'\nFROM $X\n".encode()
    unpinned = unpin(document, _DOCKERFILE)
    assert unpinned.content == document
    assert [refusal.reason for refusal in unpinned.refused] == [
        "nothing valid would remain without the digest",
        "quotes or escapes stand inside the reference",
    ]


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ("# syntax=docker/dockerfile:1\r\nARG I='a:1'\r\nFROM $I\r\nFROM b\r\nCOPY --from=c:1 / /", _DOCKERFILE),
        ("\ufeffFROM a", _DOCKERFILE),
        ("services: {a: {image: 'b'}, c: {image: \"${D:-e:1}\"}}\n", _COMPOSE),
        ("images: [{name: a, newTag: '1'}]", _KUSTOMIZATION),
        ("image: {repository: a, tag: v1, digest: ''}\n", _HELM),
        ('image: {repository: a, tag: v1, sha: ""}\n', _HELM),
    ],
)
def test_pin_and_unpin_give_the_original_bytes(document: str, kind: Format) -> None:
    pinned = pin_all(document, kind)
    assert pinned.content != document.encode()
    assert unpin(pinned.content, kind).content == document.encode()


def test_unpin_restores_the_tag_that_the_lock_knows() -> None:
    locked = lock_of(f"go:1.22@{DIGEST}", f"b:latest@{OLD_DIGEST}")
    document = f"FROM go@{DIGEST}\nFROM b@{OLD_DIGEST}\nFROM c@{DIGEST}\nFROM d:1\n".encode()
    assert unpin(document, _DOCKERFILE, locked=locked).content == b"FROM go:1.22\nFROM b\nFROM c\nFROM d:1\n"


@pytest.mark.parametrize(
    ("document", "kind", "without"),
    [
        (
            "image:\n  repository: a\n  tag: v1\n  digest: {0}  # why\n",
            _HELM,
            'image:\n  repository: a\n  tag: v1\n  digest: ""  # why\n',
        ),
        ("image: {{repository: a, digest: {0}, tag: v1}}\n", _HELM, 'image: {repository: a, digest: "", tag: v1}\n'),
        ("image: {{repository: a, tag: v1, sha: {1}}}\n", _HELM, 'image: {repository: a, tag: v1, sha: ""}\n'),
        (
            "image: {{repository: a, tag: v1, digest: &d {0}}}\n",
            _HELM,
            'image: {repository: a, tag: v1, digest: &d ""}\n',
        ),
        (
            "images:\n- name: a\n  newTag: v1\n  digest: {0}",
            _KUSTOMIZATION,
            'images:\n- name: a\n  newTag: v1\n  digest: ""',
        ),
    ],
)
def test_a_digest_without_quotes_leaves_empty_ones(document: str, kind: Format, without: str) -> None:
    pinned = document.format(DIGEST, DIGEST.removeprefix("sha256:"))
    assert pin_all(document.format(OLD_DIGEST, OLD_DIGEST.removeprefix("sha256:")), kind).content.decode() == pinned
    unpinned = unpin(pinned.encode(), kind)
    assert (unpinned.content.decode(), unpinned.refused) == (without, ())
    again = pin_all(without, kind).content
    assert unpin(again, kind).content.decode() == without


def test_a_digest_alone_in_its_field_stays_since_nothing_would_remain() -> None:
    document = f"images: [{{name: a, digest: '{OLD_DIGEST}'}}]".encode()
    unpinned = unpin(document, _KUSTOMIZATION)
    assert unpinned.content == document
    assert [refusal.reason for refusal in unpinned.refused] == ["nothing valid would remain without the digest"]


def test_nothing_locked_changes_nothing() -> None:
    document = b"FROM a:1\n"
    assert pin(document, _DOCKERFILE, LockedReferences(())).content == document


def _lock_with_range() -> LockedReferences:
    newest = parse_reference(f"node:20.3-slim@{DIGEST}")
    assert isinstance(newest, PinnedReference)
    tags = RangeTags(lambda tag: tag.startswith("20."), lambda tag: tag.endswith("-slim"))
    return LockedReferences([newest], ranges={newest: tags})


def test_a_pinned_reference_follows_its_range_and_a_plain_one_does_not() -> None:
    document = f'FROM "node:20.1-slim@{OLD_DIGEST}"\nFROM node:20.1-slim\nFROM node:18-slim@{OLD_DIGEST}\n'.encode()
    pinned = pin(document, _DOCKERFILE, _lock_with_range())
    assert pinned.content == document.replace(f"20.1-slim@{OLD_DIGEST}".encode(), f"20.3-slim@{DIGEST}".encode(), 1)
    assert [each.text for each in pinned.not_locked] == ["node:20.1-slim", f"node:18-slim@{OLD_DIGEST}"]
    assert pin(pinned.content, _DOCKERFILE, _lock_with_range()).content == pinned.content


def test_a_tag_beside_the_right_digest_follows_its_range_too() -> None:
    document = f"FROM node:20.1-slim@{DIGEST}\n".encode()
    assert pin(document, _DOCKERFILE, _lock_with_range()).content == f"FROM node:20.3-slim@{DIGEST}\n".encode()


@pytest.mark.parametrize(
    ("tag", "digest"),
    [("20.1-slim", OLD_DIGEST), ("'20.1-slim'", OLD_DIGEST), ("20.1-slim", f"'{OLD_DIGEST}'")],
)
def test_a_tag_apart_from_its_digest_follows_its_range(tag: str, digest: str) -> None:
    document = f"images:\n- name: node\n  newTag: {tag}\n  digest: {digest}\n"
    pinned = pin(document.encode(), table.KUSTOMIZATION, _lock_with_range())
    assert pinned.content.decode() == document.replace("20.1", "20.3").replace(OLD_DIGEST, DIGEST)
    assert pin(pinned.content, table.KUSTOMIZATION, _lock_with_range()).content == pinned.content


def test_a_tag_in_a_value_with_its_digest_follows_its_range() -> None:
    document = f"image: {{repository: node, tag: 20.1-slim@{OLD_DIGEST}}}\n".encode()
    pinned = pin(document, table.HELM_VALUES, _lock_with_range())
    assert pinned.content == f"image: {{repository: node, tag: 20.3-slim@{DIGEST}}}\n".encode()


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        ("'1.9'", "1.10", "'1.10'"),
        ("1.9", "1.10", '"1.10"'),  # without quotes, YAML reads 1.1
        ("1.9", "1.11", "1.11"),
        ("1.9-alpine", "1.10-alpine", "1.10-alpine"),
        ("v9", "2024-01-01", '"2024-01-01"'),
        ("v9", "10", '"10"'),  # kustomize refuses a number
        ("1.9-alpine", "1.11", '"1.11"'),
        ("16", "17-alpine", '"17-alpine"'),  # JSON has no text without quotes
        ("!!str 1.9", "1.10", '!!str "1.10"'),
    ],
)
def test_a_moved_tag_stays_text(old: str, new: str, written: str) -> None:
    moved = parse_reference(f"a:{new}@{DIGEST}")
    assert isinstance(moved, PinnedReference)
    locked = LockedReferences([moved], names={moved: "a"}, retag=Retag())
    document = f"image: {{repository: a, tag: {old}, digest: {OLD_DIGEST}}}\n"
    pinned = pin(document.encode(), table.HELM_VALUES, locked)
    assert pinned.content.decode() == f"image: {{repository: a, tag: {written}, digest: {DIGEST}}}\n"


def test_a_tag_with_an_anchor_does_not_follow_its_range() -> None:
    images = f"[{{name: node, newTag: &tag 20.1-slim, digest: {OLD_DIGEST}}}]"
    document = f"images: {images}\ncommonLabels: {{version: *tag}}\n".encode()
    pinned = pin(document, table.KUSTOMIZATION, _lock_with_range())
    assert pinned.content == document
    assert [refusal.reason for refusal in pinned.refused] == ["its tag and its digest are in two places"]


@pytest.mark.parametrize(
    ("pinned", "after"),
    [
        (f"1.20@{OLD_DIGEST}", '"1.20"'),
        (f"&tag 1.21@{OLD_DIGEST}", '&tag "1.21"'),
        (f"2024-01-01@{OLD_DIGEST}", '"2024-01-01"'),
        (f"1.20-slim@{OLD_DIGEST}", "1.20-slim"),
        (f"'1.20@{OLD_DIGEST}'", "'1.20'"),
        (f"!!str 1.20@{OLD_DIGEST}", "!!str 1.20"),
    ],
)
def test_a_tag_that_loses_its_digest_stays_text(pinned: str, after: str) -> None:
    document = f"images: [{{name: node, newTag: {pinned}}}]\n"
    unpinned = unpin(document.encode(), table.KUSTOMIZATION).content.decode()
    assert unpinned == f"images: [{{name: node, newTag: {after}}}]\n"


def test_two_ranges_that_take_one_tag_are_told() -> None:
    first, second = (parse_reference(f"node:20.{minor}@sha256:{minor * 64}") for minor in "34")
    assert isinstance(first, PinnedReference)
    assert isinstance(second, PinnedReference)
    locked = LockedReferences([first, second], ranges=dict.fromkeys([first, second], RangeTags(bool, bool)))
    pinned = pin(f"FROM node:20.1@{OLD_DIGEST}\n".encode(), _DOCKERFILE, locked)
    assert [refusal.reason for refusal in pinned.refused] == ["the lockfile has several digests for it: 20.3, 20.4"]


_TWO_PARTS_OF_ONE_TEXT = "{repository: &a nginx, image: *a}"
_UNSAFE = "with a digest there, the file would be read in another way"


@pytest.mark.parametrize(
    "place", ["a: {0}\nb: {{image: c:1}}\n", "b: {{image: c:1}}\na: {0}\n", "a: {0}\nb: {0}\nc: {{image: c:1}}\n"]
)
def test_an_edit_that_changes_more_is_refused_alone(place: str) -> None:
    document = place.format(_TWO_PARTS_OF_ONE_TEXT)
    locked = lock_of("nginx/nginx", "c:1")
    pinned = pin(document.encode(), _HELM, locked)
    assert pinned.content.decode() == document.replace("c:1", f"c:1@{DIGEST}")
    assert {(each.reference.shown, each.reason, each.hint) for each in pinned.refused} == {
        ("nginx/nginx", _UNSAFE, "write the reference in one place, without anchors and aliases, or use a template")
    }
    assert len(pinned.refused) == document.count("nginx, image")
    findings = check(pinned.content, _HELM, locked)
    assert [(finding.kind, finding.position) for finding in findings] == [
        (FindingKind.NOT_PINNABLE, each.reference.position) for each in pinned.refused
    ]
    assert unpin(pinned.content, _HELM, locked=locked).content.decode() == document


def test_many_edits_beside_a_few_that_are_refused() -> None:
    lines = [f"a{number}: {{image: c:1}}\n" for number in range(60)]
    for number in (0, 17, 18, 59):
        lines[number] = f"a{number}: {_TWO_PARTS_OF_ONE_TEXT}\n"
    document = "".join(lines)
    pinned = pin(document.encode(), _HELM, lock_of("nginx/nginx", "c:1"))
    assert pinned.content.decode() == document.replace("c:1", f"c:1@{DIGEST}")
    assert [each.reference.position.line for each in pinned.refused] == [1, 18, 19, 60]


def test_a_removal_that_changes_more_is_refused_alone() -> None:
    shared = f"x: {{image: &t 'y:1@{DIGEST}'}}\nz: {{repository: *t, digest: ''}}\n"
    unpinned = unpin(f"{shared}b: {{image: 'c:1@{DIGEST}'}}\n".encode(), _HELM)
    assert unpinned.content.decode() == f"{shared}b: {{image: 'c:1'}}\n"
    assert _UNSAFE in [each.reason for each in unpinned.refused]

from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.locked_references import LockedReferences, RangeTags, Retag
from imagelock.documents.pin_decisions import check, plan_pins
from imagelock.documents.pin_plan import Finding, FindingKind, PinStyle
from imagelock.documents.spans import Position
from imagelock.images_file.external import ExternalDeclaration
from imagelock.model.reference import PinnedReference, parse_reference
from tests.support.documents import DIGEST, OLD_DIGEST, lock_of

_DOCKERFILE = table.DOCKERFILE
_RENDER = "run `imagelock render`"


@pytest.mark.parametrize(
    ("text", "kind", "reason", "hint"),
    [
        ("go:1.22", FindingKind.NO_DIGEST, "it has no digest", _RENDER),
        (
            f"go:1.22@{OLD_DIGEST}",
            FindingKind.DIGEST_DIFFERS,
            "it has 000000000000, images.lock has dddddddddddd",
            _RENDER,
        ),
        (
            f"go:1.21@{DIGEST}",
            FindingKind.STALE_TAG,
            "the digest is locked for the tag `1.22`, and registries ignore the tag beside a digest",
            "write `1.22`",
        ),
        (
            "go:1.21",
            FindingKind.NOT_LOCKED,
            "images.lock does not have it; of its repository there is `1.22`",
            "run `imagelock add go:1.21`, or take the reference out",
        ),
        (
            "ruby:3",
            FindingKind.NOT_LOCKED,
            "images.lock does not have it",
            "run `imagelock add ruby:3`, or take the reference out",
        ),
        (
            "twice:1",
            FindingKind.LOCKED_TWICE,
            "the lockfile has several digests for it: 1",
            "write the tag",
        ),
        (
            "go:1.$MINOR",
            FindingKind.NOT_PINNABLE,
            "a variable decides the tag",
            "let one ARG hold the whole reference, or use a template with {{images.NAME}}",
        ),
        (
            "$NOTHING",
            FindingKind.UNRESOLVED,
            "the variable has no value here",
            "give the ARG a default before the first FROM",
        ),
    ],
)
def test_each_reference_that_is_not_as_locked_is_found_with_place_reason_and_hint(
    text: str, kind: FindingKind, reason: str, hint: str
) -> None:
    locked = lock_of(f"go:1.22@{DIGEST}", f"twice:1@{DIGEST}", f"twice:1@{OLD_DIGEST}")
    document = f"ARG MINOR=22\nFROM scratch\n  FROM {text} AS x\nFROM x\n".encode()
    assert check(document, _DOCKERFILE, locked) == (Finding(kind, Position(3, 8), text, reason, hint),)


def test_what_is_as_locked_or_external_is_no_finding() -> None:
    document = f"FROM go:1.22@{DIGEST}\nFROM mine\n".encode()
    assert check(document, _DOCKERFILE, lock_of("go:1.22"), external=ExternalDeclaration(names=("mine",)).covers) == ()


def test_a_tag_beside_the_digest_is_found_where_only_digests_may_stand() -> None:
    document = f"FROM go:1.22@{DIGEST}\nFROM go@{DIGEST}\n".encode()
    (finding,) = check(document, _DOCKERFILE, lock_of("go:1.22"), style=PinStyle.DIGEST_ONLY)
    assert (finding.kind, finding.position.line) == (FindingKind.TAG_BESIDE_DIGEST, 1)


def test_a_file_without_references_is_a_finding_never_silent_success() -> None:
    finding = Finding(FindingKind.NO_REFERENCE, Position(1, 1), "", "the compose file names no image", None)
    assert check(b"a: 1\n", table.COMPOSE, lock_of()) == (finding,)


def test_a_file_that_can_not_be_read_is_a_finding() -> None:
    finding = Finding(FindingKind.UNREADABLE, Position(1, 1), "", "there is no FROM in it", None)
    assert check(b"", _DOCKERFILE, lock_of()) == (finding,)


def test_a_tag_that_can_not_follow_its_range_is_not_sent_to_render() -> None:
    newest = parse_reference(f"node:20.3@{DIGEST}")
    assert isinstance(newest, PinnedReference)
    locked = LockedReferences([newest], ranges={newest: RangeTags(lambda tag: tag.startswith("20."), lambda _: True)})
    images = f"[{{name: node, newTag: &tag '20.1', digest: {OLD_DIGEST}}}]"
    document = f"images: {images}\ncommonLabels: {{version: *tag}}\n".encode()
    (finding,) = check(document, table.KUSTOMIZATION, locked)
    assert (finding.kind, finding.reason) == (FindingKind.NOT_PINNABLE, "its tag and its digest are in two places")


def _lock_with_range(retag: Retag | None = None) -> LockedReferences:
    newest = parse_reference(f"node:20.3-slim@{DIGEST}")
    assert isinstance(newest, PinnedReference)
    tags = RangeTags(lambda tag: tag.startswith("20.") and tag.endswith("-slim"), lambda tag: tag.endswith("-slim"))
    return LockedReferences([newest], ranges={newest: tags}, names={newest: "node"}, retag=retag)


_LEFT = "the range of `node` gives `20.3-slim`, and does not take this tag"
_RETAG = "run `imagelock render --retag`"
_TO_TAKE_ITS_OWN = "and run `imagelock lock` to take its own"


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        (f"node:18.1-slim@{OLD_DIGEST}", _LEFT, _RETAG),
        ("node:18.1-slim", _LEFT, _RETAG),
        (
            f"node:21.0-slim@{OLD_DIGEST}",
            _LEFT,
            f"change `version` of `node` in images.toml to take the file's tag, or {_RETAG} to give it `20.3-slim`",
        ),
        (
            f"node:20.1-alpine@{OLD_DIGEST}",
            _LEFT,
            f"{_RETAG} to give it `20.3-slim`, or run `imagelock add node:20.1-alpine` to have both",
        ),
        ("node:20.1-slim", "images.toml has the tag `20.3-slim` of it, as `node`", _RETAG),
        (
            "node:20.4-slim",
            "images.toml has the tag `20.3-slim` of it, as `node`",
            "run `imagelock update node --to 20.4-slim`",
        ),
    ],
)
def test_what_follows_the_only_range_of_its_repository_is_never_declared_twice(
    text: str, reason: str, hint: str
) -> None:
    content = f"FROM {text}\n".encode()
    (finding,) = check(content, _DOCKERFILE, _lock_with_range())

    assert (finding.kind, finding.reason, finding.hint) == (FindingKind.OTHER_TAG, reason, hint)
    assert plan_pins(content, _DOCKERFILE, _lock_with_range(Retag())).edited == (
        f"FROM node:20.3-slim@{DIGEST}\n".encode()
    )


def _one(reference: str, *, is_frozen: bool = False, retag: Retag | None = None) -> LockedReferences:
    locked = parse_reference(reference)
    assert isinstance(locked, PinnedReference)
    return LockedReferences([locked], names={locked: "go"}, frozen_names={"go"} if is_frozen else (), retag=retag)


@pytest.mark.parametrize(
    ("text", "locked", "reason", "hint"),
    [
        (
            f"go@{OLD_DIGEST}",
            _one(f"go@{DIGEST}"),
            "images.toml has another digest of it, as `go`",
            f"{_RETAG} to give it the locked digest, or write `go@{OLD_DIGEST}` in images.toml {_TO_TAKE_ITS_OWN}",
        ),
        (
            "go:1.23",
            _one(f"go@{DIGEST}"),
            "images.toml has another digest of it, as `go`",
            "run `imagelock update go --to 1.23`",
        ),
        (
            f"go@{OLD_DIGEST}",
            _one(f"go:1.22@{DIGEST}"),
            "images.toml has the tag `1.22` of it, as `go`",
            f"{_RETAG} to give it `1.22`, or run `imagelock add go@{OLD_DIGEST}` to have both",
        ),
        (
            "go:1.23",
            _one(f"go:1.22@{DIGEST}", is_frozen=True),
            "images.toml has the tag `1.22` of it, as `go`, which is frozen",
            _RETAG,
        ),
        (
            f"go@{OLD_DIGEST}",
            _one(f"go@{DIGEST}", is_frozen=True),
            "images.toml has another digest of it, as `go`, which is frozen",
            _RETAG,
        ),
        (
            "go:1.23",
            _one(f"go@{DIGEST}", is_frozen=True),
            "images.toml has another digest of it, as `go`, which is frozen",
            "write the locked digest there, without the tag",
        ),
    ],
)
def test_what_follows_a_digest_or_a_frozen_image_has_a_hint_that_works(
    text: str, locked: LockedReferences, reason: str, hint: str
) -> None:
    (finding,) = check(f"FROM {text}\n".encode(), _DOCKERFILE, locked)
    assert (finding.kind, finding.reason, finding.hint) == (FindingKind.OTHER_TAG, reason, hint)


def test_a_digest_follows_as_it_was_written_and_no_tag_gets_the_digest_of_another() -> None:
    document = f"FROM go@{OLD_DIGEST}\nFROM go:1.23\n".encode()
    plan = plan_pins(document, _DOCKERFILE, _one(f"go@{DIGEST}", retag=Retag()))
    assert plan.edited == document.replace(OLD_DIGEST.encode(), DIGEST.encode())


def test_a_plain_tag_of_one_of_several_images_follows_the_range_that_takes_it() -> None:
    newest, other = (parse_reference(f"node:{tag}@{DIGEST}") for tag in ("20.3-slim", "20-alpine"))
    assert isinstance(newest, PinnedReference)
    assert isinstance(other, PinnedReference)
    tags = RangeTags(lambda tag: tag.startswith("20.") and tag.endswith("-slim"), lambda tag: tag.endswith("-slim"))
    names = {newest: "node", other: "alpine"}
    locked = LockedReferences([other, newest], ranges={newest: tags}, names=names)
    findings = check(b"FROM node:20.1-slim\nFROM node:18.1-slim\n", _DOCKERFILE, locked)

    assert [(each.kind, each.hint) for each in findings] == [
        (FindingKind.OTHER_TAG, _RETAG),
        (FindingKind.NOT_LOCKED, "run `imagelock add node:18.1-slim`, or take the reference out"),
    ]


def test_a_plain_tag_of_another_variant_is_another_image() -> None:
    (finding,) = check(b"FROM node:20.1-alpine\n", _DOCKERFILE, _lock_with_range())
    assert (finding.kind, finding.hint) == (
        FindingKind.NOT_LOCKED,
        "run `imagelock add node:20.1-alpine`, or take the reference out",
    )


def test_references_that_need_different_digests_in_one_place_are_not_sent_to_render() -> None:
    other = f"sha256:{'e' * 64}"
    images = f"[{{name: a, newTag: '1', digest: &d {OLD_DIGEST}}}, {{name: b, newTag: '1', digest: *d}}]"
    plan = plan_pins(f"images: {images}\n".encode(), table.KUSTOMIZATION, lock_of("a:1", f"b:1@{other}"))
    assert [finding.kind for finding in plan.findings] == [FindingKind.NOT_PINNABLE] * 2
    assert {finding.reason for finding in plan.findings} == {"another reference needs another digest in the same place"}
    assert plan.changes == ()


def test_a_matrix_value_is_external_with_the_expression_that_uses_it() -> None:
    job = "jobs: {a: {strategy: {matrix: {image: ['go:1.22']}}, container: '${{ matrix.image }}'}}\n"
    external = ExternalDeclaration(names=("${{ matrix.image }}", "other"))
    plan = plan_pins(job.encode(), table.GITHUB, lock_of("go:1.22"), external=external.covers)
    assert plan.findings == ()
    assert external.unused_names(plan.external_texts) == ("other",)
    assert len(plan_pins(job.encode(), table.GITHUB, lock_of("go:1.22")).findings) == 1

"""Which lines markers mark, and what becomes of these lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.locked_references import LockedReferences, NamedImage
from imagelock.documents.pin_decisions import plan_pins
from imagelock.documents.pin_plan import FindingKind, PinStyle
from imagelock.documents.pinning import pin, unpin
from imagelock.errors import ImagelockError
from imagelock.model.digest import Digest
from imagelock.model.reference import PinnedReference, parse_reference
from tests.support.documents import DIGEST, OLD_DIGEST, describe

_TEXT = table.BY_NAME["text"]
_RETAG = ", or run `imagelock render --retag`"
_PLATFORM_DIGEST = f"sha256:{'a' * 64}"


def _find_platform(text: str) -> Digest:
    if text != "linux/arm64":
        raise ImagelockError(f"not locked for {text}")
    return Digest.parse(_PLATFORM_DIGEST)


def _named(text: str, *, tags: tuple[str, ...] = ()) -> NamedImage:
    reference = parse_reference(text)
    assert isinstance(reference, PinnedReference)
    return NamedImage(reference=reference, accepts_tag=lambda tag: tag in tags, find_platform=_find_platform)


_NAMED = {
    "go": _named(f"golang:1.22@{DIGEST}"),
    "node": _named(f"node:20.3@{DIGEST}", tags=("20.1", "20.2", "20.3")),
    "last": _named(f"ghcr.io/a/b:latest@{DIGEST}"),
    "fixed": _named(f"fixed@{DIGEST}"),
    "layout": NamedImage(reference=None, accepts_tag=lambda _: False, find_platform=_find_platform),
}
_LOCKED = LockedReferences((each.reference for each in _NAMED.values() if each.reference), named=_NAMED)


def _found(content: str, kind: Format) -> list[str]:
    return [f"{each.position.line}: {describe(each)}" for each in find_references(content.encode(), kind).references]


def _pinned(content: str, kind: Format = _TEXT, style: PinStyle = PinStyle.TAG_AND_DIGEST) -> str:
    """Pin, see that check is content with what could be pinned, and pin again."""
    plan = plan_pins(content.encode(), kind, _LOCKED, style=style)
    pinned = pin(content.encode(), kind, _LOCKED, style=style).content
    again = plan_pins(pinned, kind, _LOCKED, style=style)
    assert again.changes == ()
    assert len(again.findings) == sum(1 for step in plan.steps if step.finding and not step.change)
    return pinned.decode().replace(DIGEST, "D").replace(_PLATFORM_DIGEST, "A")


def _problem(content: str, kind: Format = _TEXT, style: PinStyle = PinStyle.TAG_AND_DIGEST) -> str:
    (finding,) = plan_pins(content.encode(), kind, _LOCKED, style=style).findings
    assert pin(content.encode(), kind, _LOCKED, style=style).content == content.encode()
    hint = f"; {finding.hint}" if finding.hint else ""
    return f"{finding.kind} {finding.position.line}:{finding.position.column} {finding.reason}{hint}"


@pytest.mark.parametrize(
    ("content", "kind", "found"),
    [
        ("# imagelock: go\nX = golang:1.22\n", _TEXT, ["2: marked X = golang:1.22 (go)"]),
        ("X = golang:1.22  # imagelock: go.tag\n", _TEXT, ["1: marked X = golang:1.22 (go.tag)"]),
        ("// imagelock:go\r\n\timage 'golang'\r\n", _TEXT, ["2: marked image 'golang' (go)"]),
        ("-- imagelock: go\nx golang", _TEXT, ["2: marked x golang (go)"]),
        ("x golang ; imagelock: go", _TEXT, ["1: marked x golang (go)"]),
        ("<!-- imagelock: go.pinned -->\n<i>golang:1</i>", _TEXT, ["2: marked <i>golang:1</i> (go.pinned)"]),
        ("## imagelock: go.platforms.linux/arm64.digest\nx", _TEXT, ["2: marked x (go.platforms.linux/arm64.digest)"]),
        ("\ufeff# imagelock: go\nx", _TEXT, ["2: marked x (go)"]),
        ("ä # imagelock: go\nü x # imagelock: go\n", _TEXT, ["1: marked ä (go)", "2: marked ü x (go)"]),
        ("# imagelock: go\nFROM golang\n", table.DOCKERFILE, ["2: marked FROM golang (go)"]),
        ("FROM a\n# imagelock: ignore\nFROM b\n", table.DOCKERFILE, ["1: from a"]),
        ("a: {image: a} # imagelock: ignore\nb: {image: b}\n", table.GITLAB, ["2: image b"]),
        (
            "a: {image: a} # imagelock: go\nb: {image: b}\n",
            table.GITLAB,
            ["1: marked a: {image: a} (go)", "2: image b"],
        ),
        ("a:\n  # imagelock: go\n  image: a\n", table.GITLAB, ["3: marked image: a (go)"]),
        ("# imagelock: go\nA_IMAGE=a:1\n", table.DOTENV, ["2: marked A_IMAGE=a:1 (go)"]),
        ("# imagelock: these lines are pinned\nX = golang:1.22 # see imagelock: go there\n", _TEXT, []),
        (
            "X = '# imagelock: go'\n#imagelock: go-\n# imagelock:\n# ximagelock: go\n",
            _TEXT,
            ["3: marked # imagelock: (go-)"],
        ),
    ],
)
def test_a_marker_is_above_its_line_or_ends_it(content: str, kind: Format, found: list[str]) -> None:
    assert _found(content, kind) == found


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("FROM a\nRUN x # imagelock: go\n", table.DOCKERFILE),
        ("X=golang # imagelock: go\n", table.DOTENV),
        ("[Container]\nImage=golang:1.22 # imagelock: go\n", table.QUADLET),
        ('{"image": "golang"} // imagelock: go\n', table.DEVCONTAINER),
    ],
)
def test_a_marker_after_text_is_refused_where_no_comment_is(content: str, kind: Format) -> None:
    reasons = [finding.reason for finding in plan_pins(content.encode(), kind, _LOCKED).findings]
    assert "after other text it is no comment" in reasons


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("x\n# imagelock: go\n", "2:1 no line follows it; put it directly above a line"),
        ("# imagelock: go\n# imagelock: node\nnode:20.3", "1:1 no line follows it; put it directly above a line"),
        ("# imagelock: go\ngolang # imagelock: go", "2:8 its line has two markers; remove one of them"),
    ],
)
def test_a_marker_without_a_line_of_its_own_is_told(content: str, reason: str) -> None:
    findings = plan_pins(content.encode(), _TEXT, _LOCKED).findings
    assert reason in [f"{each.position.line}:{each.position.column} {each.reason}; {each.hint}" for each in findings]


@pytest.mark.parametrize(
    ("line", "pinned"),
    [
        ("GO ?= golang:1.22", "GO ?= golang:1.22@D"),
        (f"GO ?= golang:1.22@{OLD_DIGEST}", "GO ?= golang:1.22@D"),
        (f"GO ?= golang@{OLD_DIGEST}", "GO ?= golang@D"),
        (
            "docker run --rm docker.io/library/golang:1.22 go version",
            "docker run --rm docker.io/library/golang:1.22@D go version",
        ),
        ("x('docker://golang:1.22', \"y\")", "x('docker://golang:1.22@D', \"y\")"),
        ("--from=golang:1.22,x", "--from=golang:1.22@D,x"),
        ("golang = golang:1.22", "golang = golang:1.22@D"),
        ("größe: golang:1.22 # ü", "größe: golang:1.22@D # ü"),
        (f"digest = {OLD_DIGEST}", "digest = D"),
    ],
)
def test_the_reference_or_the_digest_of_a_marked_line_is_pinned(line: str, pinned: str) -> None:
    assert _pinned(f"# imagelock: go\n{line}\nnext golang:1.22\n") == f"# imagelock: go\n{pinned}\nnext golang:1.22\n"


@pytest.mark.parametrize(
    ("marker", "line", "pinned"),
    [
        ("go.tag", "TAG=1.22", "TAG=1.22@D"),
        ("go.tag", f'TAG="1.22@{OLD_DIGEST}"', 'TAG="1.22@D"'),
        ("node.tag", f"TAG=20.1@{OLD_DIGEST}", "TAG=20.3@D"),
        ("node", "image: node:20.1", "image: node:20.3@D"),
        ("node", f"image: node:20.1@{OLD_DIGEST}", "image: node:20.3@D"),
        ("go.pinned", "golang:1.22", "golang@D"),
        ("go.digest", "golang:1.22", "golang:1.22@D"),
        ("go.digest", f"x {OLD_DIGEST}", "x D"),
        ("go.platforms.linux/arm64", "golang:1.22", "golang:1.22@A"),
        ("go.platforms.linux/arm64.digest", f"x {OLD_DIGEST}", "x A"),
        ("last", "ghcr.io/a/b", "ghcr.io/a/b@D"),
        ("fixed", "fixed:7", "fixed:7@D"),
    ],
)
def test_a_field_says_which_digest_and_where(marker: str, line: str, pinned: str) -> None:
    assert _pinned(f"{line} # imagelock: {marker}\n") == f"{pinned} # imagelock: {marker}\n"


def test_a_file_for_digests_alone_gets_no_tags() -> None:
    assert _pinned("# imagelock: go\nx golang:1.22\n", style=PinStyle.DIGEST_ONLY) == "# imagelock: go\nx golang@D\n"
    assert _problem("# imagelock: go.tag\nTAG=1.22\n", style=PinStyle.DIGEST_ONLY) == (
        "not-pinnable 2:1 a digest alone cannot take the place of the tag `1.22`; list the file under `pin.files`"
    )


@pytest.mark.parametrize(
    ("marker", "line", "problem"),
    [
        ("goo", "golang:1.22", "unknown image `goo`; did you mean `go`?"),
        ("go.digset", "golang:1.22", "unknown field `digset` of the image `go`; did you mean `digest`?"),
        ("go.repository", "golang:1.22", "`go.repository` has no digest that could be pinned"),
        ("go.platforms.linux/s390x", "golang:1.22", "not locked for linux/s390x"),
        ("fixed.tag", "TAG=7", "`fixed` is declared by its digest and has no tag"),
        ("layout", "golang:1.22", "`layout` comes from an OCI layout, which files cannot refer to"),
        ("go", "TAG=1.22", "its line has only the tag of `go`; write `imagelock: go.tag`"),
        ("go", "", "its line has no reference to docker.io/library/golang"),
        ("go", "ghcr.io/golang:1.22", "its line has no reference to docker.io/library/golang"),
        ("go", "$REGISTRY/golang:1.22", "its line has no reference to docker.io/library/golang"),
        ("go", "golang:${V} golang$X", "its line has no reference to docker.io/library/golang"),
        ("go", "golang:1.22 golang:1.22", "its line has 2 places for `go`; write one of them to a line"),
        ("go", f"{DIGEST} {OLD_DIGEST}", "its line has 2 places for `go`; write one of them to a line"),
        ("go.tag", "1.22 1.22", "its line has 2 places for `go`; write one of them to a line"),
        (
            "go",
            "golang:1.21",
            "its tag is `1.21`, and `go` is locked for `1.22`; write `1.22`" + _RETAG,
        ),
        (
            "go",
            "golang",
            "its tag is `latest`, and `go` is locked for `1.22`; write `1.22`" + _RETAG,
        ),
        (
            "node",
            "node:18",
            "its tag is `18`, and `node` is locked for `20.3`; write `20.3`" + _RETAG,
        ),
    ],
)
def test_a_line_that_has_not_exactly_one_place_is_told(marker: str, line: str, problem: str) -> None:
    assert _problem(f"# imagelock: {marker}\n{line}\n") == f"bad-marker 2:1 {problem}"


def test_what_uses_a_marked_line_is_pinned_with_it() -> None:
    document = "# imagelock: go.tag\nARG V=1.22\n# imagelock: node\nARG I=node:20.3\nFROM golang:$V\nFROM $I\n"
    plan = plan_pins(document.encode(), table.DOCKERFILE, _LOCKED)
    assert [(each.kind, each.position.line) for each in plan.findings] == [
        (FindingKind.DIGEST_DIFFERS, 2),
        (FindingKind.NO_DIGEST, 4),
        (FindingKind.NO_DIGEST, 6),
    ]
    assert _pinned(document, table.DOCKERFILE) == document.replace("V=1.22", "V=1.22@D").replace("20.3", "20.3@D")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("# imagelock: go\nGO ?= golang:1.22\n", _TEXT),
        ("TAG=1.22 # imagelock: go.tag\n", _TEXT),
        ("# imagelock: go.tag\nARG V=1.22\nFROM golang:$V\n", table.DOCKERFILE),
        ("# imagelock: go\nARG I=golang:1.22\nFROM $I\n", table.DOCKERFILE),
        ("a: {image: golang:1.22} # imagelock: go\n", table.GITLAB),
    ],
)
@pytest.mark.parametrize("locked", [_LOCKED, None])
def test_unpin_gives_the_bytes_before(content: str, kind: Format, locked: LockedReferences | None) -> None:
    pinned = pin(content.encode(), kind, _LOCKED).content
    assert pinned != content.encode()
    unpinned = unpin(pinned, kind, locked=locked)
    assert (unpinned.content, unpinned.refused) == (content.encode(), ())


def test_unpin_restores_a_tag_and_refuses_what_would_be_empty() -> None:
    assert unpin(f"x golang@{DIGEST} # imagelock: go".encode(), _TEXT, locked=_LOCKED).content == (
        b"x golang:1.22 # imagelock: go"
    )
    for line, reason in (
        (f"x {DIGEST}", "nothing valid would remain without the digest"),
        (f"a:1@{DIGEST} b:1@{DIGEST}", "its line has several digests"),
    ):
        unpinned = unpin(f"{line} # imagelock: go".encode(), _TEXT)
        assert [each.reason for each in unpinned.refused] == [reason]


def test_a_file_that_can_not_be_read_stays_unread() -> None:
    (finding,) = plan_pins(b"# imagelock: go\na: [golang:1.22\n", table.GITLAB, _LOCKED).findings
    assert finding.kind is FindingKind.UNREADABLE


@pytest.mark.parametrize("line", ["GO = golang:1.21", f"GO = golang:1.21@{OLD_DIGEST}", "GO = golang"])
def test_retagging_gives_a_reference_the_locked_tag(line: str) -> None:
    named = replace(_NAMED["go"], retags=True)
    locked = LockedReferences((), named={"go": named})
    pinned = pin(f"{line} # imagelock: go\n".encode(), _TEXT, locked)
    assert pinned.content == f"GO = golang:1.22@{DIGEST} # imagelock: go\n".encode()


@pytest.mark.parametrize(
    "comment",
    [
        "/* %s */",
        "/** %s **/",
        "{# %s #}",
        "{{/* %s */}}",
        "{{- /* %s */ -}}",
        "(* %s *)",
        "%% %s",
        "REM %s",
        ":: %s",
        "dnl %s",
    ],
)
def test_markers_are_read_in_the_comments_of_other_languages(comment: str) -> None:
    marker = comment % "imagelock: go"
    assert _pinned(f"{marker}\nx = golang:1.22\n") == f"{marker}\nx = golang:1.22@D\n"


def test_block_comments_mark_lines_of_json_and_hcl() -> None:
    dev_container = '{\n/* imagelock: go */\n"x": "golang:1.22"\n}\n'
    assert _pinned(dev_container, table.DEVCONTAINER) == dev_container.replace("1.22", "1.22@D")
    bake = 'target "a" {\n/* imagelock: go */\nargs = { GO = "golang:1.22" }\n}\n'
    assert _pinned(bake, table.BAKE) == bake.replace("1.22", "1.22@D")

"""What must hold for documents of every shape, most of which nobody would write."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelock.documents.dockerfile.finder import scan_dockerfile
from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.pin_decisions import plan_pins
from imagelock.documents.pin_plan import PinStyle
from imagelock.documents.pinning import pin, unpin
from imagelock.documents.references import Image, NotEditable
from imagelock.model.reference import PinnedReference
from tests.support.documents import lock_of, pin_all

_NAMES = st.sampled_from(["alpine:3", "golang:1.22", "ghcr.io/a/b", "scratch", "base", "Build", "localhost:5000/x:1"])
_VARIABLES = st.sampled_from(["$A", "${A}", "${B:-c:1}", "${A-$B}", "${A:+x}", "${A%:*}", "${A/a/b}", "$TARGETARCH"])
_WORDS = st.one_of(
    _NAMES,
    _NAMES.map('"{}"'.format),
    _NAMES.map("'{}'".format),
    _VARIABLES,
    st.builds("{}{}".format, _VARIABLES, st.sampled_from([":3", "/x:1", ""])),
    st.builds("{}{}".format, _NAMES, _VARIABLES),
)
_BLANKS = st.sampled_from([" ", "  ", "\t", " \\\n  ", " \\\n# note\n\n "])
_INSTRUCTIONS = st.one_of(
    st.builds("FROM{}{}".format, _BLANKS, _WORDS),
    st.builds("from{}{} AS base".format, _BLANKS, _WORDS),
    st.builds("ARG{}{}={}".format, _BLANKS, st.sampled_from("AB"), _WORDS),
    st.builds("COPY{}--from={} /x /y".format, _BLANKS, _WORDS),
    st.builds("RUN{}--mount=from={},target=/x ls".format, _BLANKS, _WORDS),
    st.builds("ONBUILD COPY{}--from={} /x /y".format, _BLANKS, _WORDS),
    st.sampled_from(["RUN <<EOF\nFROM hidden\nEOF", "# note", "", "RUN echo it's", "ENV A=b"]),
)
_DIRECTIVES = st.sampled_from(["", "# syntax=docker/dockerfile:1\n", "# escape=`\n", "# check=skip=all\n"])
DOCKERFILES = st.builds(
    lambda directive, arguments, instructions: f"{directive}{arguments}FROM a:1\n" + "\n".join(instructions) + "\n",
    _DIRECTIVES,
    st.sampled_from(["", "ARG A=golang:1.22\n", "ARG A=x\nARG B=$A:1\n", 'ARG A="alpine:3"\nARG B\n']),
    st.lists(_INSTRUCTIONS, max_size=6),
)
_SCALARS = st.one_of(_NAMES, _NAMES.map('"{}"'.format), _NAMES.map("'{}'".format), st.just("|\n      a:1"))
SERVICES = st.lists(_SCALARS, max_size=5).map(
    lambda images: "services:\n" + "".join(f"  s{n}:\n    image: {image}\n" for n, image in enumerate(images))
)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode), DOCKERFILES.map(str.encode)))
@pytest.mark.parametrize("kind", table.FORMATS)
def test_no_bytes_make_a_scan_raise(kind: Format, content: bytes) -> None:
    for reference in find_references(content, kind).references:
        assert 0 <= reference.span.start <= reference.span.end <= len(content)


@given(st.text(alphabet="FROM ARGCPY--from=$Aa:{}<\"'\\`#\n\r\t /,1\u00a0\ufeff", max_size=120))
def test_no_text_of_the_language_makes_a_scan_raise(text: str) -> None:
    scan_dockerfile(f"FROM a\n{text}".encode())
    scan_dockerfile(text.encode())


@given(DOCKERFILES)
def test_the_text_of_a_span_without_continuations_is_the_reference(document: str) -> None:
    content = document.encode()
    for reference in scan_dockerfile(content).references:
        lines = reference.span.of(content).decode().split("\\\n")
        kept = [line for part in lines for line in part.split("\n") if not line.lstrip().startswith("#")]
        assert "".join(kept).strip() == reference.text


@given(DOCKERFILES, st.sampled_from(PinStyle))
def test_an_edit_changes_only_the_references_it_was_meant_for(document: str, style: PinStyle) -> None:
    content = document.encode()
    pinned = pin_all(content, style=style)
    before, after = (scan_dockerfile(each).references for each in (content, pinned.content))
    for old, new in zip(before, after, strict=True):
        if old in pinned.changed:
            assert isinstance(new.target, Image)
            assert isinstance(new.target.reference, PinnedReference)
        else:
            assert new.target.text == old.target.text
    assert pin_all(pinned.content, style=style).content == pinned.content


@given(DOCKERFILES)
def test_pin_and_unpin_give_the_original_bytes(document: str) -> None:
    content = document.encode()
    assert unpin(pin_all(content).content, table.DOCKERFILE).content == content


@given(SERVICES)
def test_pin_and_unpin_give_the_original_bytes_of_compose_files(document: str) -> None:
    content = document.encode()
    assert unpin(pin_all(content, table.COMPOSE).content, table.COMPOSE).content == content


@given(DOCKERFILES)
def test_every_image_is_pinned_or_refused_with_a_reason(document: str) -> None:
    content = document.encode()
    pinned = pin_all(content)
    seen = {*pinned.changed, *pinned.unchanged, *(refusal.reference for refusal in pinned.refused)}
    for reference in scan_dockerfile(content).references if not pinned.problems else ():
        if isinstance(reference.target, Image):
            assert reference in seen
            assert isinstance(reference.target.editing, NotEditable) == (reference not in pinned.changed)


@given(DOCKERFILES)
@settings(max_examples=200)
def test_line_ends_and_byte_order_marks_change_no_reference(document: str) -> None:
    seen = [
        [
            (reference.kind, reference.text, type(reference.target), reference.target.text, reference.position)
            for reference in scan_dockerfile(content).references
        ]
        for content in (
            document.encode(),
            document.replace("\n", "\r\n").encode(),
            b"\xef\xbb\xbf" + document.encode(),
        )
    ]
    assert seen[0] == seen[1] == seen[2]


@given(DOCKERFILES, st.sampled_from(PinStyle), st.data())
def test_check_finds_after_render_what_render_could_not_put_right(
    document: str, style: PinStyle, data: st.DataObject
) -> None:
    content = document.encode()
    locked = lock_of(*data.draw(st.lists(st.sampled_from(["alpine:3", "golang:1.22", "ghcr.io/a/b", "a:1", "c:1"]))))
    plan = plan_pins(content, table.DOCKERFILE, locked, style=style)
    pinned = pin(content, table.DOCKERFILE, locked, style=style)
    again = plan_pins(pinned.content, table.DOCKERFILE, locked, style=style)
    left = [(step.reference.text, step.finding.kind) for step in plan.steps if step.finding and not step.change]
    assert [(finding.text, finding.kind) for finding in again.findings if not plan.problems] == left
    assert again.changes == ()
    assert all(step.change for step in plan.steps if step.finding and step.finding.kind.is_mended_by_render)

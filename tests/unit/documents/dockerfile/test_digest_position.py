"""Where a digest goes: the classes of references, and what is refused with a way out."""

from __future__ import annotations

import pytest

from tests.support.documents import OLD_DIGEST, pin_all, pinned_text, refusals


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM alpine:3 AS a\n", "FROM alpine:3@D AS a\n"),
        ("FROM alpine\n", "FROM alpine@D\n"),
        ('FROM "alpine:3"\n', 'FROM "alpine:3@D"\n'),
        ("FROM alpine:'3'\n", "FROM alpine:'3@D'\n"),
        ("FROM al\\pine:3\n", "FROM al\\pine:3@D\n"),
        ("FROM alp\\\nine:3\n", "FROM alp\\\nine:3@D\n"),
        ("FROM \\\n# note\n  alpine:3 \\\n  AS a\n", "FROM \\\n# note\n  alpine:3@D \\\n  AS a\n"),
        (f"FROM alpine:3@{OLD_DIGEST}\n", "FROM alpine:3@D\n"),
        (f"FROM alp\\\nine:3@{OLD_DIGEST}\n", "FROM alp\\\nine:3@D\n"),
        (f'FROM "alpine"@{OLD_DIGEST}\n', 'FROM "alpine"@D\n'),
        ("# syntax=docker/dockerfile:1 x\nFROM scratch\n", "# syntax=docker/dockerfile:1@D x\nFROM scratch\n"),
        ("FROM scratch\nCOPY --from=a:1 / /\n", "FROM scratch\nCOPY --from=a:1@D / /\n"),
        ('FROM scratch\nCOPY --from="a:1" / /\n', 'FROM scratch\nCOPY --from="a:1@D" / /\n'),
        ("FROM scratch\nRUN --mount=from=a:1,target=/x ls\n", "FROM scratch\nRUN --mount=from=a:1@D,target=/x ls\n"),
        ("FROM scratch\nONBUILD COPY --from=a:1 / /\n", "FROM scratch\nONBUILD COPY --from=a:1@D / /\n"),
    ],
)
def test_a_literal_reference_is_edited_where_it_stands(before: str, after: str) -> None:
    assert pinned_text(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ARG REPO=a/b\nFROM $REPO:8.0\n", "ARG REPO=a/b\nFROM $REPO:8.0@D\n"),
        ("ARG REG=r.io\nFROM ${REG}/a\n", "ARG REG=r.io\nFROM ${REG}/a@D\n"),
        ("FROM ${REG:-r.io}/a:1\n", "FROM ${REG:-r.io}/a:1@D\n"),
        ("ARG D=docker\nFROM ${D}.io/library/${D}:29\n", "ARG D=docker\nFROM ${D}.io/library/${D}:29@D\n"),
    ],
)
def test_a_digest_follows_a_literal_tag_whatever_variables_stand_before(before: str, after: str) -> None:
    assert pinned_text(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ARG I=a:1\nFROM $I\n", "ARG I=a:1@D\nFROM $I\n"),
        ('ARG I="a:1"\nFROM "${I}" AS b\n', 'ARG I="a:1@D"\nFROM "${I}" AS b\n'),
        ("ARG I=a:1\nFROM $I AS x\nFROM ${I}\n", "ARG I=a:1@D\nFROM $I AS x\nFROM ${I}\n"),
        ("ARG V=1\nARG I=r.io/a:1\nFROM $I\n", "ARG V=1\nARG I=r.io/a:1@D\nFROM $I\n"),
        ("ARG R=r.io\nARG I=$R/a:1\nFROM $I\n", "ARG R=r.io\nARG I=$R/a:1@D\nFROM $I\n"),
        ("ARG A=a:1\nARG I=$A\nFROM $I\n", "ARG A=a:1@D\nARG I=$A\nFROM $I\n"),
        ("ARG A=a:1\nARG I=$A\nARG A=b:1\nFROM $I\n", "ARG A=a:1@D\nARG I=$A\nARG A=b:1\nFROM $I\n"),
        ("ARG I\nFROM ${I:-a:1}\n", "ARG I\nFROM ${I:-a:1@D}\n"),
        ("ARG I=b:2\nFROM ${I:-a:1}\n", "ARG I=b:2@D\nFROM ${I:-a:1}\n"),
        ("ARG I=\nFROM ${I:-a:1}\n", "ARG I=\nFROM ${I:-a:1@D}\n"),
        ("FROM ${I-${J:-a:1}}\n", "FROM ${I-${J:-a:1@D}}\n"),
        ("ARG I=a:1\nFROM ${I:?unset}\n", "ARG I=a:1@D\nFROM ${I:?unset}\n"),
        ("ARG I=${I:-ubuntu:noble}\nFROM ${I}\n", "ARG I=${I:-ubuntu:noble@D}\nFROM ${I}\n"),
        (f'ARG I=${{I:-"a:1@{OLD_DIGEST}"}}\nFROM $I\n', 'ARG I=${I:-"a:1@D"}\nFROM $I\n'),
    ],
)
def test_a_variable_that_is_the_whole_reference_is_edited_where_its_text_lives(before: str, after: str) -> None:
    assert pinned_text(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"ARG D={OLD_DIGEST}\nFROM alpine@${{D}}\n", "ARG D=D\nFROM alpine@${D}\n"),
        (f'ARG H="@{OLD_DIGEST}"\nARG T=22\nFROM node:${{T}}${{H}}\n', 'ARG H="@D"\nARG T=22\nFROM node:${T}${H}\n'),
        (f"ARG T=14\r\nFROM app:$T@{OLD_DIGEST}\r\n", "ARG T=14\r\nFROM app:$T@D\r\n"),
        (f"ARG E\nFROM a@{OLD_DIGEST}$E\n", "ARG E\nFROM a@D$E\n"),
    ],
)
def test_a_digest_is_replaced_where_it_stands(before: str, after: str) -> None:
    assert pinned_text(before) == after


@pytest.mark.parametrize(
    ("document", "refusal"),
    [
        ("ARG V=1\nFROM a:$V\n", "a:1: a variable decides the tag"),
        ("ARG V=1\nFROM a:${V}-alpine\n", "a:1-alpine: a variable decides the tag"),
        ("FROM a:1$SUFFIX\n", "a:1: a variable decides the tag"),
        ("ARG N=a\nFROM r/${N}\n", "r/a: a variable decides the tag"),
        ("ARG V=1\nARG I=a:$V\nFROM $I\n", "a:1: a variable decides the tag"),
        ("FROM a-$TARGETARCH:1\n", "a-amd64:1: the platform or the target of the build decides the image"),
        ("ARG I=a-$TARGETOS:1\nFROM $I\n", "a-linux:1: the platform or the target of the build decides the image"),
        ("ARG I=a:1\nFROM $I\nFROM x/$I-y\n", "a:1: `I` is a part of another text, too"),
        ("ARG I=a:1\nARG J=$I\nFROM $I\nFROM x/$J\n", "a:1: `I` is a part of another text, too"),
        ("ARG I=ab:1\nFROM ${I#a}\n", "b:1: `#` computes the reference"),
        (
            f"ARG E={OLD_DIGEST}\nARG D=$E\nFROM a@$D\n",
            f"a@{OLD_DIGEST}: quotes or escapes stand inside the reference",
        ),
        ("FROM a\nONBUILD COPY --from=b / /\n", "b: it may be a stage of the build that this image is the base of"),
        (
            f"FROM a@{OLD_DIGEST[:9]}'{OLD_DIGEST[9:]}'\n",
            f"a@{OLD_DIGEST}: quotes or escapes stand inside the reference",
        ),
        (
            f"ARG D={OLD_DIGEST}\nFROM a@$D\nFROM b:1@$D\n",
            f"a@{OLD_DIGEST}: `D` is a part of another text, too",
        ),
    ],
)
def test_what_can_not_be_edited_safely_is_refused(document: str, refusal: str) -> None:
    assert refusals(document)[0] == refusal
    changed = pin_all(document).changed
    assert refusal.partition(": ")[0] not in [reference.target.text for reference in changed]

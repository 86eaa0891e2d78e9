"""Lines, directives, heredocs, flags and stages, as BuildKit reads them."""

from __future__ import annotations

import pytest

from tests.support.documents import problems, references
from tests.support.effort import bounded_effort


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("From redis\n", ["from redis"]),
        ("from redis as c\n", ["from redis"]),
        ("FROM --platform=$BUILDPLATFORM redis:7\n", ["from redis:7"]),
        ("FROM redis:7 \\\n\n  # FROM a\n AS c\n", ["from redis:7"]),
        ("FROM \\ \nnginx:1.27", ["from nginx:1.27"]),
        ("# escape=`\nFROM ` \n nginx:1.27", ["from nginx:1.27"]),
        ("# hi\n# escape=`\nFROM \\\nnginx:1.27", ["from nginx:1.27"]),
        ("  # escape=`\nFROM `\na\n", ["from a"]),
        ("\\\nFROM a\n", ["from a"]),
        ("FROM a\nRUN x \\", ["from a"]),
        ("FROM a\nRUN x \\\n# FROM b\n\nCOPY --from=c / /\n", ["from a"]),
        ("FROM a\n# FROM b\nRUN echo FROM c\n", ["from a"]),
        ("\ufeffFROM a\r\n", ["from a"]),
        ("FROM a\r\nRUN x \\\r\n y\r\nFROM b\r\n", ["from a", "from b"]),
    ],
)
def test_lines(document: str, found: list[str]) -> None:
    assert references(document) == found


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("#  SynTax = acme/frontend:1 extra\nFROM a\n", ["syntax acme/frontend:1", "from a"]),
        ("# check=skip=all\n# syntax=x/y\nFROM a\n", ["syntax x/y", "from a"]),
        (" # syntax=x/y:1\nFROM a\n", ["from a"]),
        ("FROM a\n# syntax=x/y:1\n", ["from a"]),
        ("# other=1\n# syntax=x/y:1\nFROM a\n", ["from a"]),
        ("#!/usr/bin/env x\n# syntax=a/b:1\nFROM c\n", ["syntax a/b:1", "from c"]),
        ("// syntax=a/b:1\nimport x\n", ["syntax a/b:1"]),
        ('{"syntax": "a/b:1", "x": []}\n', ["syntax a/b:1"]),
        ('{"syntax": "a/b:1", not json\n', []),
        ('{"x": {"syntax": "a/b:1"}}\n', []),
        ("// syntax=a/b:1\n// syntax=c/d\n", ["syntax a/b:1"]),
        ("# check=a\n# check=b\n// syntax=a/b\nFROM c\n", []),
        ("# syntax=A/b\nFROM c\n", ["syntax A/b: `A/b`: `b` is not a repository path", "from c"]),
    ],
)
def test_syntax_directives(document: str, found: list[str]) -> None:
    seen = references(document)
    assert [each.partition(": ")[0] for each in seen] == [each.partition(": ")[0] for each in found]


@pytest.mark.parametrize(
    ("opening", "body", "is_heredoc"),
    [
        ("RUN <<EOF", "EOF", True),
        ("COPY <<-EOF /x", "\t\tEOF", True),
        ("ADD <<'E F' /x", "E F", True),
        ('RUN <<E"O"F cat', "EOF", True),
        ("RUN << EOF", "EOF", True),
        ("RUN 3<<EOF", "EOF", True),
        ("RUN <<\\EOF", "EOF", True),
        ("RUN ${X:-a} <<EOF", "EOF", True),
        ("RUN ${X:0:1} <<$A", "$A", True),
        ("RUN <<${A}", "${A}", True),
        ("RUN cat \\\n <<EOF", "EOF", True),
        ('RUN "a\\"b" <<EOF', "EOF", True),
        ("RUN [NaN] <<EOF", "EOF", True),
        ("ONBUILD RUN <<EOF", "EOF", True),
        ("RUN x<<EOF", "EOF", False),
        ("RUN <<<EOF", "EOF", False),
        ('RUN <<""', "", False),
        ("RUN '<<EOF'", "EOF", False),
        ("RUN \\<<EOF", "EOF", False),
        ("RUN $((1<<2))", "2))", False),
        ("RUN it's <<EOF", "EOF", False),
        ('RUN ["x", "<<EOF"]', "EOF", False),
        ("CMD <<EOF", "EOF", False),
    ],
)
def test_heredocs_hide_what_stands_in_them(opening: str, body: str, is_heredoc: bool) -> None:  # noqa: FBT001  a table
    seen = references(f"FROM a\n{opening}\nFROM hidden\n{body}\nFROM b\n")
    assert seen == (["from a", "from b"] if is_heredoc else ["from a", "from hidden", "from b"])


def test_an_array_that_is_no_json_may_have_heredocs() -> None:
    assert references('FROM a\nRUN ["x" <<EOF\nFROM b\nEOF\n') == ["from a"]


@pytest.mark.parametrize(
    ("instruction", "found"),
    [
        ("COPY --link --from=ghcr.io/a/uv:0.8 /uv /bin/", ["copy-from ghcr.io/a/uv:0.8"]),
        ("COPY --chown=1:1 --from=redis:7 a b", ["copy-from redis:7"]),
        ("COPY --from='redis:7' a b", ["copy-from redis:7"]),
        ("COPY --fr\\om=redis:7 a b", ["copy-from redis:7"]),
        ("COPY -- --from=redis a b", []),
        ("COPY --from= a b", []),
        ("COPY --from=a:1 --", ["copy-from a:1"]),
        ("COPY --from='a:1\\\\", ["copy-from a:1\\: BuildKit expands no variables in --from"]),
        ("COPY --From=redis a b", []),
        ("ADD --from=redis a b", []),
        ("COPY --chown=\u00e0 --from=redis a b", ["copy-from redis"]),
        ("COPY --chown=\u0820x --from=redis a b", []),
        ("COPY --from=0 a b", ["copy-from 0 (stage)"]),
        ("COPY --from=+0 a b", ["copy-from +0 (stage)"]),
        ("COPY --from=-1 a b", ["copy-from -1: there is no stage number -1"]),
        ("COPY --from=BASE a b", ["copy-from BASE (stage)"]),
        ("COPY --from=scratch a b", ["copy-from scratch (scratch)"]),
        ("COPY --from=${I} a b", ["copy-from ${I}: BuildKit expands no variables in --from"]),
        ("RUN --mount=from=a:1,target=/x --mount=type=cache,from=b,dst=/y c", ["mount-from a:1", "mount-from b"]),
        ("RUN --mount=from=a,FROM=b x", ["mount-from b"]),
        ("RUN --mount=from=a,from= x", []),
        ("RUN --mount='\"from=a:1\",ro' x", ["mount-from a:1"]),
        ('RUN --mount=\'ro,"from=a""b"\' x', ['mount-from a"b: `a"b`: `library/a"b` is not a repository path']),
        ("RUN --mount=from=a:1,target=<<EOF", ["mount-from a:1"]),
        ("COPY --from='\"a\\\\' x y", ['copy-from "a\\: BuildKit expands no variables in --from']),
        ("RUN --mount=from=0 x", ["mount-from 0"]),
        ("RUN --mount=from=Base x", ["mount-from Base (stage)"]),
        ("RUN --mount=from=$I,ro x", ["mount-from $I: BuildKit expands no variables in from="]),
        ("RUN --mount=target=$D,from=a x", ["mount-from a"]),
        ("ONBUILD COPY --from=a:1 x y", ["onbuild-copy-from a:1"]),
        ("ONBUILD RUN --mount=from=a:1 x", ["onbuild-mount-from a:1"]),
        ("ONBUILD RUN --mount= x", []),
        ("ONBUILD ADD x y", []),
    ],
)
def test_sources_beside_from(instruction: str, found: list[str]) -> None:
    assert references(f"FROM x AS base\n{instruction}\n") == ["from x", *found]


def test_a_stage_is_known_to_from_after_it_and_to_copy_everywhere() -> None:
    document = "FROM late\nCOPY --from=late / /\nFROM a AS Late\nFROM late\nFROM late:1\n"
    assert references(document) == ["from late", "copy-from late (stage)", "from a", "from late (stage)", "from late:1"]


def test_scratch_may_come_from_a_variable() -> None:
    assert references("ARG I=scratch\nFROM $I\n") == ["from $I (scratch)"]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("", "1:1 there is no FROM in it"),
        ("# nothing\n", "1:1 there is no FROM in it"),
        ("ARG\nARG A=1  B=2\n", "1:1 there is no FROM in it"),
        ("FROM\n", "1:1 FROM takes one word, or three as in `FROM IMAGE AS NAME`"),
        ("ARG A\nFROM a AS\n", "2:1 FROM takes one word, or three as in `FROM IMAGE AS NAME`"),
        ("FROM a # go\n", "1:1 FROM takes one word, or three as in `FROM IMAGE AS NAME`"),
        ("FROM a AS 1st\n", "1:11 `1st` is not a name for a build stage"),
        ("RUN x\nFROM a\n", "1:1 RUN before the first FROM"),
        ("FROM a\nRUN <<EOF\n", "2:1 a heredoc is not terminated"),
        ("FROM a\nRUN <<EOF\n\tEOF\n", "2:1 a heredoc is not terminated"),
        ("FROM a\nRUN <<${X:-a b}\n", "2:1 the name of a heredoc can't be read: `}` is missing"),
        ("# escape=x\nFROM a\n", "1:10 the escape character must be \\ or `, not x"),
        ("# check=a\n# check=b\nFROM a\n", "2:1 only one check parser directive can be used"),
        ("FROM a\nCOPY --from=b --from=c x y\n", "2:22 --from is given twice"),
        ("FROM a\nCOPY --from b c\n", "2:6 --from has no value"),
        ("FROM a\nRUN --mount= x\n", "2:13 --mount is empty"),
        ("FROM a\nRUN --mount='a\"b' x\n", "2:14 a quote inside a field of --mount"),
        ("FROM a\nRUN --mount='\"a' x\n", "2:14 a quoted field of --mount does not end"),
        ("FROM a\nRUN " + "x" * 65532 + "\n", "2:1 a line is longer than 65535 bytes"),
    ],
)
def test_a_file_that_buildkit_refuses_has_one_problem_and_no_references(document: str, problem: str) -> None:
    assert problems(document) == [problem]
    assert references(document) == []


def test_an_unknown_instruction_is_a_problem_once() -> None:
    document = "FROM a\n{{ if x }}\nFROM b\n{{ end }}\n"
    assert problems(document) == ["2:1 unknown instruction {{"]
    assert references(document) == ["from a", "from b"]


def test_a_line_of_65535_bytes_is_read() -> None:
    assert references("FROM a\nRUN " + "x" * 65531) == ["from a"]


@pytest.mark.parametrize(
    "document",
    [
        "FROM a\n" + "RUN x \\\n" * 20_000,
        "FROM a\n" * 20_000,
        "ARG A=1\n" * 10_000 + "FROM $A\n",
        "".join(f"ARG A{n + 1}=$A{n}\n" for n in range(10_000)) + "FROM ${A10000:-a}\n",
        "FROM a\nRUN " + '"' * 60_000 + "<<\n",
        "FROM a\nRUN <<EOF\n" + "x\n" * 50_000,
        "FROM " + "${A:-" * 12_000,
        "FROM a\nRUN " + "[" * 60_000 + "<<EOF\n",
        "FROM a\nCOPY --from=" + "\\x" * 30_000 + " a b\n",
    ],
)
def test_large_files_take_time_in_proportion(document: str) -> None:
    with bounded_effort():
        references(document)

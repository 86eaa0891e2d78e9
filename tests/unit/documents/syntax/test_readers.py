"""The readers of JSON, HCL, INI and ``.env``: which values they find, and which bytes those are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Node, Scalar, Sequence
from imagelock.documents.syntax.reader import Syntax, read_documents


def _paths(node: Node, path: str = "") -> Iterator[tuple[str, Scalar]]:
    match node:
        case Scalar():
            yield path, node
        case Sequence(items=items):
            for item in items:
                yield from _paths(item, f"{path}[]")
        case Mapping():
            for key, value in node.items():
                yield from _paths(value, f"{path}.{key}")


def _read(content: bytes, syntax: Syntax) -> dict[str, str]:
    """Read the scalars by path; what is not plain is marked, and what is plain must be the bytes of its span."""
    found: dict[str, str] = {}
    for document in read_documents(content, syntax):
        for path, scalar in _paths(document):
            if scalar.is_plain:
                assert scalar.source.span.of(content) == scalar.value.encode()
            found[path] = scalar.value + ("" if scalar.is_plain else " (not plain)")
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "b:1"}', {".a": "b:1"}),
        ('\ufeff{"a" /* c */ : ["x", "y",], // d\n\t"b": {"c": null,},}', {".a[]": "y", ".b.c": "null"}),
        (
            '{"u": "http://x//y", "e": "a\\/b", "é": "ü"}',
            {".u": "http://x//y", ".e": "a/b (not plain)", ".é": "ü (not plain)"},
        ),
        ('"a"', {"": "a"}),
        ("", {}),
        ("{}", {}),
    ],
)
def test_json_with_comments_and_trailing_commas(text: str, found: dict[str, str]) -> None:
    assert _read(text.encode(), Syntax.JSON) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a" "b"}', "a `:` is missing"),
        ('{"a": }', "`}` comes where a value belongs"),
        ('["a" "b"]', "a `,` is missing"),
        ('["a"', "a `,` is missing"),
        ('["a",', "the end of a value is missing"),
        ("[}", "`}` comes where a value belongs"),
        ("{} {}", "something follows the value"),
        ('"a\\x"', "an escape is not JSON's"),
        ('"a', "it is not JSON"),
        ("[" * 201, "it is more than 200 levels deep"),
        ("[" * 50_000, "it is more than 200 levels deep"),
    ],
)
def test_what_is_no_json_is_told(text: str, problem: str) -> None:
    with pytest.raises(DocumentSyntaxError, match=problem):
        read_documents(text.encode(), Syntax.JSON)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a = "b:1" # c\n', {".a": "b:1"}),
        ('a "b" c {\n  d = "e"\n}\n', {".a.b.c.d": "e"}),
        ('a "b" { x = "1" }\na "c" { x = "2" }\na "b" { x = "3" }', {".a.b[].x": "3", ".a.c.x": "2"}),
        ('a { x = "1" }\na { x = "2" }', {".a[].x": "2"}),
        ('a = { b = "1", "c" : "2"\n d = "3" }', {".a.b": "1", ".a.c": "2", ".a.d": "3"}),
        ('a = ["1", "2",\n "3"]', {".a[]": "3"}),
        ('a = "${b}-x"', {".a": "${b}-x"}),
        ('a = "${f("x}", { y = "z" })}"\nb = "1"', {".a": '${f("x}", { y = "z" })}', ".b": "1"}),
        ('a = "$${b}"', {".a": "$${b} (not plain)"}),
        ('a = "x\\"y"', {".a": 'x\\"y (not plain)'}),
        ('a = b ? "x" : "y"\nc = "z"', {".a": 'b ? "x" : "y" (not plain)', ".c": "z"}),
        ('a = f({ image = "x" },\n  2)\nc = "z"', {".a": 'f({ image = "x" },\n  2) (not plain)', ".c": "z"}),
        ('a = [for x in y : "z"]\nc = "z"', {".a": '[for x in y : "z"] (not plain)', ".c": "z"}),
        ('a = {\n  for x in y :\n  x => "z"\n}', {".a": '{\n  for x in y :\n  x => "z"\n} (not plain)'}),
        ('a = <<E\n x\n  y\nE\nb = "1"', {".a": " x\n  y\n", ".b": "1"}),
        ("a = <<-E\n  x\n    y\n  E\n", {".a": "x\n  y\n (not plain)"}),
        ("a = <<E\nE\n", {".a": ""}),
        ('/* x */ a = "1" // y\n', {".a": "1"}),
        ("", {}),
    ],
)
def test_hcl(text: str, found: dict[str, str]) -> None:
    assert _read(text.encode(), Syntax.HCL) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a b", "neither a block nor an attribute"),
        ("a {", "`{` is not closed"),
        ("}", "`}` closes nothing"),
        ('a = "b', "the end of a string is missing"),
        ("a = <<E\nb", "the end `E` is missing"),
        ("/*" * 100_000, "the end of a comment is missing"),
        ("a {\n" * 300, "more than 200 levels deep"),
        ("a = " + "[" * 50_000, "more than 200 levels deep"),
        ("a = [1, )", "is not closed"),
        ("a = [x ) ] b", "is not closed"),
        ("a = [ { b = [ } ]", "is not closed"),
    ],
)
def test_what_is_no_hcl_is_told(text: str, problem: str) -> None:
    with pytest.raises(DocumentSyntaxError, match=problem):
        read_documents(text.encode(), Syntax.HCL)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[A]\nb=c d\n", {".A.b": "c d"}),
        ("[A]\r\nb = c \r\n", {".A.b": "c"}),
        ("[A]\nb=1\nb=2\n[B]\nb=3\n[A]\nc=4", {".A.b": "2", ".A.c": "4", ".B.b": "3"}),
        ("[A]\n# b=1\n; b=2\n#b=3\\\nb=4 # 5\n", {".A.b": "4 # 5"}),
        ("[A]\nb=1 \\\n  2\nc=3\n", {".A.b": "1    2 (not plain)", ".A.c": "3"}),
        ("b=1\n[A]\nb\n=2\nB=\n", {".A.B": ""}),
    ],
)
def test_ini(text: str, found: dict[str, str]) -> None:
    assert _read(text.encode(), Syntax.INI) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=b\nexport C = d\nE: f\n", {".A": "b", ".C": "d", ".E": "f"}),
        ("A=b # c\nB=b#c\nC=# d\nD= \n", {".A": "b", ".B": "b#c", ".C": "", ".D": ""}),
        ("A='b # c' # d\nB=\"x\" # y\n", {".A": "b # c", ".B": "x"}),
        ('A="b\\nc"\n', {".A": "b\\nc (not plain)"}),
        ("A='1\n2'\nB=3\n", {".A": "1\n2", ".B": "3"}),
        ("# A=b\n\n  # x\n=\n1=2\nA=1\nA=2", {".A": "2"}),
        ("\ufeffA=b\r\nC=d\r\n", {".A": "b", ".C": "d"}),
    ],
)
def test_dotenv(text: str, found: dict[str, str]) -> None:
    assert _read(text.encode(), Syntax.DOTENV) == found


def test_a_quote_that_is_not_closed_is_told() -> None:
    with pytest.raises(DocumentSyntaxError, match="a quote is not closed"):
        read_documents(b"A='b\n", Syntax.DOTENV)


def test_a_file_in_utf_16_is_told_to_be_one() -> None:
    with pytest.raises(DocumentSyntaxError, match="it is UTF-16; only UTF-8 is read"):
        read_documents("a: b\n".encode("utf-16"), Syntax.YAML)

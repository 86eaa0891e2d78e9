from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Mapping, Scalar, Sequence, walk
from imagelock.documents.syntax.reader import Syntax, read_documents
from tests.support.documents import pinned_text, problems

_COMPOSE = table.COMPOSE


def _scalars(content: bytes) -> list[tuple[str, bytes, bool]]:
    return [
        (node.value, node.source.span.of(content), node.is_plain)
        for document in read_documents(content, Syntax.YAML)
        for node in walk(document)
        if isinstance(node, Scalar)
    ]


def test_scalars_know_the_bytes_of_their_text_without_quotes_anchors_and_tags() -> None:
    content = "é: x\na: &n !!str  'q'\nb: \"d\"\nc: !t p\nd: |\n  k\n".encode()
    assert _scalars(content) == [
        ("x", b"x", True),
        ("q", b"q", True),
        ("d", b"d", True),
        ("p", b"p", True),
        ("k\n", b"|\n  k\n", False),
    ]


def test_text_with_escapes_or_line_breaks_is_not_plain() -> None:
    content = b"- 'it''s'\n- \"a\\tb\"\n- a\n  b\n- 'plain'\n- \xc3\xa9\n"
    assert [is_plain for _, _, is_plain in _scalars(content)] == [False, False, False, True, False]


def test_a_byte_order_mark_moves_no_span() -> None:
    assert _scalars(b"\xef\xbb\xbfa: b\n") == [("b", b"b", True)]


def test_an_alias_is_the_same_node_and_an_unfinished_one_is_empty() -> None:
    (document,) = read_documents(b"a: &x 1\nb: *x\nc: &y [*y]\n", Syntax.YAML)
    assert isinstance(document, Mapping)
    assert document.find("a") is document.find("b")
    assert [type(item) for item in document.find_sequence("c").items] == [Sequence]


def test_merged_mappings_are_searched_after_the_mapping_itself() -> None:
    (document,) = read_documents(b"x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y, *x], a: 0}\n", Syntax.YAML)
    assert isinstance(document, Mapping)
    merged = document.find_mapping("z")
    assert merged.find("d") is None
    assert [scalar.value for key in "abc" if (scalar := merged.find_scalar(key))] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: [", "1:5 it is not YAML: did not find expected node content"),
        (b"a: \xff", "1:4 it is not UTF-8"),
        (b"a: \x00", "1:1 it is not YAML: unacceptable character #x0000: control characters are not allowed"),
        (b"{{ x }}: y\n- b", "2:1 it is not YAML: did not find expected key"),
        (b"[" * 201, "1:201 it is more than 200 levels deep"),
    ],
)
def test_what_is_no_yaml_has_one_problem_at_its_place(content: bytes, problem: str) -> None:
    assert problems(content, _COMPOSE) == [problem]


@pytest.mark.parametrize("opening", [b"[", b"- ", b"{a: ", b"? "])
def test_deep_nesting_crashes_nothing(opening: bytes) -> None:
    with pytest.raises(DocumentSyntaxError, match="it is more than 200 levels deep"):
        read_documents(opening * 50_000, Syntax.YAML)


def test_aliases_that_multiply_are_walked_once() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(40))]
    (document,) = read_documents("\n".join(lines).encode(), Syntax.YAML)
    assert len(list(walk(document))) == 43


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("services: {a: {image: nginx}}\n", "services: {a: {image: nginx@D}}\n"),
        ("services:\r\n  a:\r\n    image: 'nginx:1' # x\r\n", "services:\r\n  a:\r\n    image: 'nginx:1@D' # x\r\n"),
        (
            "services:\n  a: {image: &i nginx}\n  b: {image: *i}\n",
            "services:\n  a: {image: &i nginx@D}\n  b: {image: *i}\n",
        ),
        (
            "x-a: &a\n  image: nginx:1\nservices:\n  a: {<<: *a}\n  b: *a\n",
            "x-a: &a\n  image: nginx:1@D\nservices:\n  a: {<<: *a}\n  b: *a\n",
        ),
        ("\ufeffservices: {ä: {image: nginx:1}}", "\ufeffservices: {ä: {image: nginx:1@D}}"),
        (
            "services: {a: {image: b}}\n---\nservices: {a: {image: c}}\n",
            "services: {a: {image: b@D}}\n---\nservices: {a: {image: c@D}}\n",
        ),
    ],
)
def test_edits_change_only_the_bytes_of_the_reference(before: str, after: str) -> None:
    assert pinned_text(before, _COMPOSE) == after

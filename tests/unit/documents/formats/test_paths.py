from __future__ import annotations

import pytest

from imagelock.documents.formats.paths import PathError, parse_path, parse_place
from imagelock.documents.formats.place_rules import Inside, RuleSet, Text
from imagelock.documents.syntax.nodes import Node, Scalar
from imagelock.documents.syntax.reader import Syntax, read_documents


def _found(document: str, *paths: str, never: tuple[str, ...] = ()) -> list[str]:
    (root,) = read_documents(document.encode(), Syntax.YAML)
    matches = RuleSet(tuple(map(Text, paths)), tuple(map(parse_path, never))).find(root)
    return [match.node.value for match in matches if isinstance(match.node, Scalar)]


_DOCUMENT = "a: {b: 1, c: {b: 2}, d: [{b: 3}, {b: 4}]}\nb: 5\n'x.y': 6\nSideImage: 7\n"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", ["1"]),
        ("a.*.b", ["2"]),
        ("a.d[].b", ["3", "4"]),
        ("**.b", ["1", "2", "3", "4", "5"]),
        ("a.**.b", ["1", "2", "3", "4"]),
        ("a.{b,c}", ["1"]),
        ("a.{c, d}.b", ["2"]),
        ('"x.y"', ["6"]),
        ("/image$/i", ["7"]),
        ("/Image$/", ["7"]),
        ("/image$/", []),
        ("a.d.b", []),
        ("**.d[].**.b", ["3", "4"]),
    ],
)
def test_paths_lead_to_nodes(path: str, found: list[str]) -> None:
    assert sorted(_found(_DOCUMENT, path)) == found


def test_what_is_below_a_place_of_never_is_left_out_and_a_scalar_that_an_alias_puts_there_is_marked() -> None:
    assert sorted(_found(_DOCUMENT, "**.b", never=("a.c", "a.d"))) == ["1", "5"]
    (root,) = read_documents(b"a: &x 1\nb: *x\n", Syntax.YAML)
    (match,) = RuleSet((Text("a"),), (parse_path("b"),)).find(root)
    assert match.is_shared


def test_merged_mappings_are_followed_and_nodes_found_once() -> None:
    document = "x: &x {image: a}\nw: {one: {<<: *x}, two: {<<: [*x], image: b}, three: *x}\n"
    assert _found(document, "w.*.image") == ["a", "b"]


def test_nothing_is_found_below_a_part_with_rules_of_its_own() -> None:
    (root,) = read_documents(b"a: {image: b}\nimage: c\n", Syntax.YAML)

    def nothing(_: Node) -> list[None]:
        return []

    matches = RuleSet((Inside("a", nothing), Text("**.image"))).find(root)  # type: ignore[arg-type]
    assert [match.node.value for match in matches if isinstance(match.node, Scalar)] == ["c"]


def test_a_place_may_be_in_some_kinds_of_resources_only() -> None:
    place = parse_place("{Cluster,Pooler}.postgresql.cnpg.io:spec.imageName")
    assert place.is_in("Cluster", "postgresql.cnpg.io")
    assert not place.is_in("Cluster", "kind.x-k8s.io")
    assert not place.is_in("Pod", "postgresql.cnpg.io")
    assert parse_place("Pod:spec").is_in("Pod", "")
    assert parse_place("a:b").kinds == frozenset()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "it is empty"),
        ("a..b", "no key, `*`, `**`, `[]`, `{…}` or `/…/` at `.b`"),
        ("a.", "a `.` is missing before `.`"),
        ("a.{b,}", "a key is missing in `{b,}`"),
        ("a*", "a `.` is missing before `*`"),
        ("/(/", "`/(/` is not a regular expression: missing ), unterminated subpattern at position 0"),
        ("a[0]", "no key, `*`, `**`, `[]`, `{…}` or `/…/` at `[0]`"),
        ("a b", "a `.` is missing before ` b`"),
    ],
)
def test_what_is_no_path_is_told(path: str, problem: str) -> None:
    with pytest.raises(PathError) as caught:
        parse_path(path)
    assert str(caught.value) == problem

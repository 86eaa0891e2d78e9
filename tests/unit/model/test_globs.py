from __future__ import annotations

import pytest

from imagelock.model.globs import compile_glob, escape_glob, is_wild, split_fixed


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("Dockerfile", "Dockerfile", True),
        ("Dockerfile", "a/Dockerfile", False),
        ("*.yaml", "a.yaml", True),
        ("*.yaml", ".yaml", True),
        ("*.yaml", "k8s/a.yaml", False),
        ("*.yaml", "a.yaml\n", False),
        ("k8s/*.yaml", "k8s/a.yaml", True),
        ("k8s/*.yaml", "k8s/base/a.yaml", False),
        ("k8s/**/*.yaml", "k8s/a.yaml", True),
        ("k8s/**/*.yaml", "k8s/base/eu/a.yaml", True),
        ("k8s/**/*.yaml", "k8sx/a.yaml", False),
        ("**/Dockerfile", "Dockerfile", True),
        ("**/Dockerfile", "a/b/Dockerfile", True),
        ("**/Dockerfile", "a/NotDockerfile", False),
        ("deploy/**", "deploy/a/b", True),
        ("deploy/**", "deploy", False),
        ("**", "a/b", True),
        ("Dockerfile.?", "Dockerfile.a", True),
        ("Dockerfile.?", "Dockerfile/a", False),
        ("a[0-9].yaml", "a7.yaml", True),
        ("a[!0-9].yaml", "a7.yaml", False),
        ("a[!0-9].yaml", "ab.yaml", True),
        ("a[!0]b", "a/b", False),
        ("a[]]b", "a]b", True),
        ("a[b", "a[b", True),
        ("a[z-a]", "az", False),
        ("a+(b).yaml", "a+(b).yaml", True),
        (r"a\*", "a*", True),
        (r"a\*", "ab", False),
    ],
)
def test_a_star_stays_in_its_folder_and_two_go_through_all(pattern: str, path: str, *, matches: bool) -> None:
    assert bool(compile_glob(pattern).fullmatch(path)) is matches


def test_an_escaped_path_means_only_itself() -> None:
    pattern = compile_glob(escape_glob(r"a[b]*?\c"))
    assert pattern.fullmatch(r"a[b]*?\c")
    assert not pattern.fullmatch(r"abxx\c")


@pytest.mark.parametrize(
    ("pattern", "fixed", "rest"),
    [
        ("deploy/**/*.yaml", "deploy", "**/*.yaml"),
        ("../a/b?/c", "../a", "b?/c"),
        ("*.yaml", "", "*.yaml"),
        ("a/b.yaml", "a", "b.yaml"),
    ],
)
def test_a_walk_begins_where_the_first_wildcard_stands(pattern: str, fixed: str, rest: str) -> None:
    assert split_fixed(pattern) == (fixed, rest)


def test_names_with_wildcards_are_told_from_plain_names() -> None:
    assert [is_wild(pattern) for pattern in ("a/b.yaml", "*", "a?", "a[b]")] == [False, True, True, True]

from __future__ import annotations

import pytest

from imagelock.documents.variables import replace_all, replace_first, without_prefix, without_suffix
from tests.support.effort import bounded_effort


@pytest.mark.parametrize(
    ("value", "pattern", "shortest", "longest"),
    [
        ("abab", "a*b", "ab", ""),
        ("abab", "*", "abab", ""),
        ("abab", "?", "bab", "bab"),
        ("abab", "", "abab", "abab"),
        ("abab", "b", "abab", "abab"),
        ("a*b", "a\\*", "b", "b"),
        ("a\\b", "a\\\\", "b", "b"),
        ("a/b", "a\\/", "b", "b"),
        ("xaxbxaxb", "x*a*b", "xaxb", ""),
    ],
)
def test_prefixes(value: str, pattern: str, shortest: str, longest: str) -> None:
    assert without_prefix(value, pattern, is_greedy=False) == shortest
    assert without_prefix(value, pattern, is_greedy=True) == longest


@pytest.mark.parametrize(
    ("value", "pattern", "shortest", "longest"),
    [
        ("1.22.3", ".*", "1.22", "1"),
        ("abab", "a*b", "ab", ""),
        ("ab*", "\\*", "ab", "ab"),
        ("abc", "d", "abc", "abc"),
    ],
)
def test_suffixes(value: str, pattern: str, shortest: str, longest: str) -> None:
    assert without_suffix(value, pattern, is_greedy=False) == shortest
    assert without_suffix(value, pattern, is_greedy=True) == longest


@pytest.mark.parametrize(
    ("value", "pattern", "first", "every"),
    [
        ("banana", "an", "b-ana", "b--a"),
        ("banana", "a*a", "b-", "b-"),
        ("banana", "", "-banana", "-b-a-n-a-n-a-"),
        ("banana", "*", "-", "-"),
        ("", "*", "-", "-"),
        ("banana", "?", "-anana", "------"),
        ("banana", "x*y", "banana", "banana"),
    ],
)
def test_replacements(value: str, pattern: str, first: str, every: str) -> None:
    assert replace_first(value, pattern, "-") == first
    assert replace_all(value, pattern, "-") == every


def test_many_stars_take_no_time() -> None:
    with bounded_effort():
        assert replace_all("a" * 4000, "*a" * 50 + "b", "-") == "a" * 4000

from __future__ import annotations

import pytest

from imagelock.errors import InvalidSelectorError
from imagelock.model.tags.specifier import Clause, dump_specifier, parse_specifier


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        (">=20.11,<21", "<21,>=20.11"),
        ("  >= 20.11 , < 21 ", "<21,>=20.11"),
        (">=1,>=1", ">=1"),
        ("*", "*"),
        (" * ", "*"),
        (">=v1.29", ">=v1.29"),
        ("==3.12.*", "==3.12.*"),
        ("!=3.12.*", "!=3.12.*"),
        ("~=3.12", "~=3.12"),
        (">=3.13.0b1", ">=3.13.0b1"),
        (">=1.0-RC.1", ">=1.0-RC.1"),
        ("==8.7+923.1669829893", "==8.7+923.1669829893"),
    ],
)
def test_a_specifier_is_written_sorted_without_blanks_and_doubles(written: str, normalised: str) -> None:
    assert dump_specifier(parse_specifier(written)) == normalised


def _refusal(text: str) -> tuple[str, str, tuple[str, ...], str | None]:
    with pytest.raises(InvalidSelectorError) as caught:
        parse_specifier(text)
    return caught.value.field, caught.value.message, caught.value.details, caught.value.hint


@pytest.mark.parametrize(
    ("text", "suggestions"),
    [
        ("3.12", ("`==3.12.*` any 3.12 release", "`~=3.12`   3.12 or later, below 4", "`==3.12`   exactly 3.12")),
        ("3", ("`==3.*` any 3 release", "`>=3`   3 or later", "`==3`   exactly 3")),
        ("v3.9", ("`==3.9.*` any 3.9 release", "`~=3.9`   3.9 or later, below 4", "`==3.9`   exactly 3.9")),
        (
            "3.12.4",
            (
                "`==3.12.4.*` any 3.12.4 release",
                "`~=3.12.4`   3.12.4 or later, below 3.13",
                "`==3.12.4`   exactly 3.12.4",
            ),
        ),
        ("3.13rc1", ("`~=3.13rc1` 3.13rc1 or later, below 4", "`==3.13rc1` exactly 3.13rc1")),
    ],
)
def test_a_bare_number_gets_the_operators_that_it_may_mean(text: str, suggestions: tuple[str, ...]) -> None:
    assert _refusal(text) == ("version", f"`{text}` has no operator", suggestions, None)


HOW_TO = "a clause is one of `==`, `!=`, `>=`, `>`, `<=`, `<`, `~=` and a version; commas join clauses"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("^1.2.3", "write `>=1.2.3,<2`"),
        ("^0.4.2", "write `>=0.4.2,<0.5`"),
        ("^0", "write `>=0,<1`"),
        ("~1.2.3", "write `~=1.2.3`"),
        ("~1.2", "write `==1.2.*`"),
        ("~=3", "`~=` needs two numbers: write `==3.*`"),
        ("=3.12", "write `==3.12`"),
        ("3.12.*", "write `==3.12.*`"),
        ("3.x", "write `==3.*`"),
        ("==3.X", "write `==3.*`"),
        (">=3.*", "write `>=3`"),
        (">=3+5", "only `==` and `!=` can name a build"),
        ("===3", "`==` compares versions; for one text, give it as an exact `tag`"),
        (">=3 <4", "write `>=3,<4`"),
        (">= 3 and < 4", "write `>= 3,< 4`"),
        (">=3 && <4", "write `>=3,<4`"),
        (">=3.12-slim", HOW_TO),
        (">=1!3", HOW_TO),
        ("latest", HOW_TO),
        (">=\u0663", HOW_TO),
        ("==1.0rc1.*", "write `==1.0.*`"),
    ],
)
def test_habits_of_other_tools_are_translated(text: str, hint: str) -> None:
    assert _refusal(text) == ("version", f"`{text}` is not a PEP 440 clause", (), hint)


def test_any_version_stands_alone() -> None:
    hint = "`*` takes no other clause beside it"

    assert _refusal("*,<4") == ("version", "`*` is not a PEP 440 clause", (), hint)


@pytest.mark.parametrize("text", ["", "  ", ">=3,", ",<4", ">=3,,<4"])
def test_no_clause_is_empty(text: str) -> None:
    hint = "`*` takes any version; commas go only between clauses"

    assert _refusal(text) == ("version", "a clause is empty", (), hint)


def test_a_specifier_has_a_length_that_people_write() -> None:
    assert _refusal(">=" + "1" * 255) == ("version", "is longer than 256 characters", (), None)


def test_a_clause_that_was_never_parsed_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="`nonsense` was never parsed"):
        _ = Clause(">=", "nonsense").is_serial

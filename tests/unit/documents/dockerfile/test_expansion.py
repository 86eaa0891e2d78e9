"""Every expansion form that BuildKit has, and those that it refuses; checked against BuildKit's own parser."""

from __future__ import annotations

import pytest

from tests.support.documents import references

_ARGS = "ARG V=1.22.3\nARG E=\nARG N=alpine\nARG P=a/b/c\nARG U\nARG S=*x\n"


def _expand(word: str) -> str:
    (found,) = references(f"{_ARGS}FROM {word}\n")
    return found.removeprefix("from ").removeprefix(word).removeprefix(" = ").removeprefix(": ")


@pytest.mark.parametrize(
    ("word", "expanded"),
    [
        ("a:$V", "a:1.22.3"),
        ("a:${V}", "a:1.22.3"),
        ("${N}$E:3", "alpine:3"),
        ("a${UNKNOWN}:1", "a:1"),
        ("${U:-x:1}", "x:1"),
        ("${U-x:1}", "x:1"),
        ("${E:-x:1}", "x:1"),
        ("x${E-y}:1", "x:1"),
        ("${N:-x}", "alpine"),
        ("a${V:+:$V}", "a:1.22.3"),
        ("a${V+:2}", "a:2"),
        ("a${E:+:2}", "a"),
        ("a${E+:2}", "a:2"),
        ("a${U:+:2}", "a"),
        ("${N:?no}", "alpine"),
        ("${N?no}", "alpine"),
        ("x${E?no}", "x"),
        ("a:${V#*.}", "a:22.3"),
        ("a:${V##*.}", "a:3"),
        ("a:${V%.*}", "a:1.22"),
        ("a:${V%%.*}", "a:1"),
        ("a:${V#?.}", "a:22.3"),
        ("a:${V#9}", "a:1.22.3"),
        ("a:${V/2/x}", "a:1.x2.3"),
        ("a:${V//2/x}", "a:1.xx.3"),
        ("a:${V//./-}", "a:1-22-3"),
        ("a:${V//*/x}", "a:x"),
        ("a${E//*/x}", "ax"),
        ("a:${V/.*./-}", "a:1-3"),
        ("a:${V//q/x}", "a:1.22.3"),
        ("${P//\\//-}", "a-b-c"),
        ("a:x${S#\\*}", "a:xx"),
        ("a:${V//2*3/x}", "a:1.x"),
        ("${U:-${E:-$N}}:3", "alpine:3"),
        ('"$N:3"', "alpine:3"),
        ('"${U:-"a:1"}"', "a:1"),
        ("al\\pine", "alpine"),
        ('"al\\pine"', '"al\\pine": `"al'),
        ("'a'\"b\"c:1", "abc:1"),
        ("a$", "`a$`: `library/a$` is not a repository path"),
        ("a$1:3", "a:3"),
        ("a$@:3", "a:3"),
        ("a$-:3", "a:3"),
        ("${@:-a:1}", "a:1"),
        ("${+a}b", "b"),
    ],
)
def test_a_word_comes_to(word: str, expanded: str) -> None:
    if expanded.startswith('"'):
        assert "is not a repository path" in _expand(word)
    else:
        assert _expand(word) == expanded


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("a:${V:0:3}", "`:0` is not supported in a variable"),
        ("a:${V^}", "`^` is not supported in a variable"),
        ("a:${V:#1}", "`:#` is not supported in a variable"),
        ("a:${!V}", "`V` is not supported in a variable"),
        ("a:${}", "a variable has no name"),
        ("a:${:x}", "a variable has no name"),
        ("a:${", "a variable has no name"),
        ("a:${V", "`` is not supported in a variable"),
        ("a:${V:-x", "`}` is missing"),
        ("a:${V/x", "`/` is missing"),
        ("a:${V/x/y", "`}` is missing"),
        ("a:${U:?}", "U: must be set"),
        ("a:${U?need-it}", "U: need-it"),
        ("a:${V#\\x}", "`\\x` is no escape in a pattern"),
        ("a:${V//2/'$'}", "a `$` in the replacement of `//` is not supported"),
        ("'a", "a single quote is not closed"),
        ('"a', "a double quote is not closed"),
        ("$E", "the variable has no value here"),
        ("${U:-" * 51 + "a" + "}" * 51, "variables are nested more than 50 deep"),
    ],
)
def test_a_word_that_can_not_be_expanded_is_unresolved(word: str, reason: str) -> None:
    assert references(f"{_ARGS}FROM {word}\n") == [f"from {word}: {reason}"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("redis:$E", "redis:$E = redis:: `E` has no value here"),
        ("redis:${NOTHING}", "redis:${NOTHING} = redis:: `NOTHING` has no value here"),
        ("redis:${NOTHING:+x}", "redis:${NOTHING:+x} = redis:: `NOTHING` has no value here"),
        ("redis@${NOTHING:-}", "redis@${NOTHING:-} = redis@: `NOTHING` has no value here"),
        ("$NOTHING/redis:7", "$NOTHING/redis:7 = /redis:7: `NOTHING` has no value here"),
        ("redis:", "redis:: `redis:`: the tag after the `:` is missing"),
        ("redis:${N#alpine}", "redis:${N#alpine} = redis:: `redis:`: the tag after the `:` is missing"),
    ],
)
def test_a_variable_without_a_value_is_the_reason_for_what_it_leaves(word: str, found: str) -> None:
    assert references(f"{_ARGS}FROM {word}\n") == [f"from {found}"]


def test_a_value_that_grows_without_end_is_unresolved() -> None:
    doubling = "".join(f"ARG A{n + 1}=$A{n}$A{n}\n" for n in range(40))
    assert references(f"ARG A0=aa\n{doubling}FROM $A40\n") == ["from $A40: it expands to more than 4096 characters"]


def test_only_args_before_the_first_from_count_and_they_see_only_earlier_ones() -> None:
    document = "ARG A=$B\nARG B=b:1\nFROM x$A\nARG B=c:1\nENV B=d:1\nFROM $B\n"
    assert references(document) == ["from x$A = x", "from $B = b:1"]


def test_an_arg_without_value_leaves_what_was_there() -> None:
    assert references("ARG A=a:1\nARG A\nFROM $A\n") == ["from $A = a:1"]


def test_several_args_on_one_line_are_split_outside_quotes() -> None:
    document = 'ARG A=1 B=\'x y\' C="2\\" 3" D=a\\ b E=5\nFROM app:$A.$E\n'
    assert references(document) == ["from app:$A.$E = app:1.5"]


def test_arg_with_a_blank_for_the_equals_sign_declares_two_names_without_values() -> None:
    assert references("ARG L ubuntu\nFROM x:1-${L}y\n") == ["from x:1-${L}y = x:1-y"]


def test_a_declared_platform_argument_overrides_the_automatic_one() -> None:
    assert references("ARG TARGETARCH=mine\nFROM a:$TARGETARCH\n") == ["from a:$TARGETARCH = a:mine"]


def test_the_escape_character_of_the_directive_escapes_in_words() -> None:
    assert references("# escape=`\nFROM al`pine:3\n") == ["from al`pine:3 = alpine:3"]

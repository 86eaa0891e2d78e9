from __future__ import annotations

from typing import Any

import pytest

from imagelock.errors import InvalidSelectorError
from imagelock.model.tags.pattern import TagPattern
from imagelock.model.tags.specifier import Clause
from imagelock.model.tags.version_range import VersionRange, parse_version_range, range_fields, with_upper_bound


def _parse(**keys: Any) -> VersionRange:  # noqa: ANN401  the keys differ in type
    wanted = parse_version_range(**keys)
    assert wanted is not None
    return wanted


@pytest.mark.parametrize("keys", [{}, {"tag": "3.12"}, {"tag": "3.12", "prereleases": False}])
def test_an_exact_tag_is_no_range(keys: dict[str, Any]) -> None:
    assert parse_version_range(**keys) is None


def test_a_range_holds_parsed_clauses_and_a_pattern() -> None:
    assert _parse(version=">=20.11,<21", variant="slim", precision=2, prereleases=True) == VersionRange(
        clauses=(Clause("<", "21"), Clause(">=", "20.11")),
        pattern=TagPattern("{version}-slim"),
        precision=2,
        prereleases=True,
    )


@pytest.mark.parametrize(
    ("typed", "shown"),
    [(">=20.11,<21", ">=20.11,<21"), (" >= 3 ,\n <4", ">= 3 , <4"), ("<4,>=3,<4", "<4,>=3,<4"), ("*", "*")],
)
def test_messages_show_a_range_as_typed_and_compare_it_by_its_meaning(typed: str, shown: str) -> None:
    wanted, stored = _parse(version=typed), _parse(version=_parse(version=typed).version)

    assert str(wanted) == f"version `{shown}`"
    assert wanted == stored
    assert hash(wanted) == hash(stored)


def test_a_range_that_is_computed_is_shown_as_it_is_stored() -> None:
    assert str(_parse(version=">=3, <4").without_end) == "version `>=3`"
    assert str(with_upper_bound(_parse(version=">= 3"), version="3.1")) == "version `<4,>=3`"


def test_a_range_without_a_version_is_shown_as_any() -> None:
    assert str(_parse(variant="slim")) == "version `*` as `{version}-slim`"


def test_a_variant_is_short_for_a_pattern() -> None:
    assert _parse(version=">=3", variant="slim") == _parse(version=">=3", tag="{version}-slim")


@pytest.mark.parametrize("keys", [{"variant": "slim"}, {"tag": "{version}-slim"}])
def test_a_range_without_a_version_takes_any(keys: dict[str, str]) -> None:
    assert _parse(**keys) == _parse(version="*", variant="slim")


@pytest.mark.parametrize(
    ("keys", "fields"),
    [
        ({"version": ">=20.11,<21", "variant": "slim"}, {"version": "<21,>=20.11", "tag": "{version}-slim"}),
        ({"version": ">= 3"}, {"version": ">=3", "tag": "{version}"}),
        (
            {"version": "*", "precision": 2, "prereleases": True},
            {"version": "*", "tag": "{version}", "precision": 2, "prereleases": True},
        ),
    ],
)
def test_declared_fields_are_normalised_and_read_back(keys: dict[str, Any], fields: dict[str, Any]) -> None:
    wanted = _parse(**keys)

    assert range_fields(wanted) == fields
    assert _parse(**fields) == wanted


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"version": "<4"}, "version `<4`"),
        ({"version": "<4", "variant": "slim"}, "version `<4` as `{version}-slim`"),
        (
            {"version": "*", "precision": 2, "prereleases": True},
            "version `*`, precision 2, with pre-releases",
        ),
    ],
)
def test_a_range_reads_well_in_a_sentence(keys: dict[str, Any], text: str) -> None:
    assert str(_parse(**keys)) == text


@pytest.mark.parametrize(
    ("version", "is_unbounded"),
    [
        ("*", True),
        (">=3", True),
        (">3,!=4.*", True),
        (">=3,<4", False),
        ("<=4", False),
        ("==3.*", False),
        ("~=3.1", False),
    ],
)
def test_a_range_without_an_upper_bound_can_be_told(version: str, is_unbounded: bool) -> None:  # noqa: FBT001  a table
    assert _parse(version=version).is_unbounded == is_unbounded


EXACT = "goes with a version range, and this is an exact tag"


@pytest.mark.parametrize(
    ("keys", "field", "message", "hint"),
    [
        ({"precision": 2}, "precision", EXACT, "give a `version`, such as `>=3.12,<4`"),
        ({"tag": "3", "prereleases": True}, "prereleases", EXACT, "give a `version`, such as `>=3.12,<4`"),
        (
            {"version": ">=3", "tag": "3.12"},
            "version",
            "cannot go with the exact tag `3.12`, which leaves nothing to choose",
            'remove `version`, or give a pattern such as `tag = "{version}-slim"`',
        ),
        (
            {"variant": "slim", "tag": "{version}"},
            "variant",
            'is short for `tag = "{version}-slim"`, and `tag` is there too: keep one of the two',
            None,
        ),
        ({"variant": "a{b"}, "variant", "`a{b` cannot be the end of a tag", None),
        ({"variant": ""}, "variant", "`` cannot be the end of a tag", None),
        ({"version": "*", "precision": 0}, "precision", "is 0, and a version has at least 1 number", None),
    ],
)
def test_an_error_names_the_key_to_mend(keys: dict[str, Any], field: str, message: str, hint: str | None) -> None:
    with pytest.raises(InvalidSelectorError) as caught:
        parse_version_range(**keys)

    assert (caught.value.field, caught.value.message, caught.value.hint) == (field, message, hint)

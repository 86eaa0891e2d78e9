from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from imagelock.model.reference import parse_repository
from imagelock.model.tags.selection import Chosen, TagMatch, accepts, choose_tag, review_tags, sort_tags
from imagelock.model.tags.version_range import VersionRange, parse_version_range


def _range(version: str, **keys: Any) -> VersionRange:  # noqa: ANN401  the keys differ in type
    wanted = parse_version_range(version=version, **keys)
    assert wanted is not None
    return wanted


def _choose(version: str, tags: str, **keys: Any) -> Chosen:  # noqa: ANN401  the keys differ in type
    return choose_tag(_range(version, **keys), tags.split(), repository=parse_repository("example"))


@pytest.mark.parametrize(
    ("tags", "keys", "chosen"),
    [
        ("22.04 24.04", {}, Chosen("24.04", "24.04")),
        ("v1.2 v1.3", {}, Chosen("v1.3", "1.3")),
        ("17.0.2_8 17.0.2_10", {"tag": "{version}_{build}"}, Chosen("17.0.2_10", "17.0.2+10")),
        ("R.2024-06-13 R.20240614", {"tag": "R.{date}"}, Chosen("R.20240614", "2024.6.14")),
    ],
)
def test_the_version_of_the_choice_can_stand_in_a_specifier(tags: str, keys: dict[str, str], chosen: Chosen) -> None:
    assert _choose("*", tags, **keys) == chosen
    assert _choose(f"=={chosen.version}", tags, **keys) == chosen


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        ("1.2 1.2.0", "1.2.0"),
        ("v1.2.3 1.2.3", "1.2.3"),
        ("v1.2.3 v1.2.03", "v1.2.3"),
        ("1.2.0rc1 1.2.0-rc1", "1.2.0rc1"),
        ("1.2.0-rc1 1.2.0.rc1", "1.2.0-rc1"),
    ],
)
def test_of_equal_versions_the_plainest_tag_is_chosen(tags: str, chosen: str) -> None:
    assert _choose("*", tags, prereleases=True).tag == chosen


@pytest.mark.parametrize(
    ("version", "tags", "chosen"),
    [
        ("*", "20240606 3.20.1", "3.20.1"),
        (">=3", "20240606 3.20.1", "3.20.1"),
        (">=20240101", "20240606 3.20.1", "20240606"),
        ("*", "20240606 20240605", "20240606"),
        ("*", "99999 100000", "99999"),
        ("*", "1a23456 1.0", "1.0"),
    ],
)
def test_versions_serial_numbers_and_commits_never_mix(version: str, tags: str, chosen: str) -> None:
    assert _choose(version, tags).tag == chosen


@pytest.mark.parametrize(
    ("version", "tags", "chosen"),
    [
        ("*", "5.0-20260727 5.0-7", "5.0-7"),
        ("*", "5.0-20260727 5.0-20260601", "5.0-20260727"),
        ("==5.0+20260601", "5.0-20260727 5.0-20260601 5.0-7", "5.0-20260601"),
        ("!=5.0+7", "5.0-20260727 5.0-7 5.0-6", "5.0-6"),
    ],
)
def test_builds_and_serial_numbers_of_builds_never_mix(version: str, tags: str, chosen: str) -> None:
    assert _choose(version, tags, tag="{version}-{build}").tag == chosen


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        ("3.12 3.12.4 3", "3.12.4"),
        ("3.13 3.12.4 3.12", "3.13"),
        ("3.13 3.13.0b2", "3.13"),
        ("3.13 3.13.0", "3.13.0"),
        ("3.1 3.12", "3.12"),
    ],
)
def test_a_tag_floats_if_a_release_of_the_same_kind_continues_it(tags: str, chosen: str) -> None:
    assert _choose("*", tags).tag == chosen


def test_precision_takes_floating_tags() -> None:
    assert _choose("*", "3.12 3.12.4 3.11", precision=2).tag == "3.12"


@pytest.mark.parametrize(
    ("version", "keys", "chosen"),
    [
        (">=3", {}, "3.12"),
        (">=3", {"prereleases": True}, "3.13rc2"),
        (">=3.12rc1", {}, "3.13rc2"),
        ("!=3.13rc2", {}, "3.12"),
    ],
)
def test_a_prerelease_is_chosen_only_if_somebody_asks(version: str, keys: dict[str, bool], chosen: str) -> None:
    assert _choose(version, "3.12 3.13rc1 3.13rc2", **keys).tag == chosen


def test_a_post_release_is_no_prerelease() -> None:
    assert _choose(">=3.12.post0", "3.12 3.12.post1 3.13rc1").tag == "3.12.post1"


@pytest.mark.parametrize(
    ("tag", "is_accepted"),
    [
        ("3.12.4-slim", True),
        ("3.12-slim", True),
        ("20240606-slim", False),
        ("3.13-slim", False),
        ("3.12.4", False),
        ("3.12.5rc1-slim", False),
        ("latest", False),
    ],
)
def test_a_locked_tag_is_kept_while_the_range_takes_it(tag: str, is_accepted: bool) -> None:  # noqa: FBT001  a table
    assert accepts(_range(">=3.12,<3.13", variant="slim"), tag) == is_accepted


def test_any_version_keeps_a_locked_serial_number() -> None:
    assert accepts(_range("*"), "20240606")


def test_precision_decides_whether_a_locked_tag_is_kept() -> None:
    assert [accepts(_range("*", precision=2), tag) for tag in ("3.12", "3.12.4")] == [True, False]


def test_a_review_lists_every_tag_and_what_speaks_against_it() -> None:
    tags = ["3.12.4", "3.12", "3.11.9", "3.13.0b2", "3.10.1", "20240606", "3.12.4-slim", "latest", "3.12.3"]

    assert review_tags(_range(">=3.11,<3.13"), tags) == (
        TagMatch("20240606", "20240606", ("is a serial number, not a version",)),
        TagMatch("3.13.0b2", "3.13.0b2", ("is excluded by `<3.13`", "is a pre-release")),
        TagMatch("3.12.4", "3.12.4", ()),
        TagMatch("3.12.3", "3.12.3", ()),
        TagMatch("3.12", "3.12", ("floats (3.12.4 is more exact)",)),
        TagMatch("3.11.9", "3.11.9", ()),
        TagMatch("3.10.1", "3.10.1", ("is below `>=3.11`",)),
        TagMatch("3.12.4-slim", None, ("does not fit `{version}`",)),
        TagMatch("latest", None, ("does not fit `{version}`",)),
    )


def test_a_review_knows_all_reasons() -> None:
    assert review_tags(_range("<5,!=4.2.1", tag="{version}-{build}", precision=3), ["4.2.1-20240606", "4.2-7"]) == (
        TagMatch("4.2.1-20240606", "4.2.1+20240606", ("has a serial number as its build", "is excluded by `!=4.2.1`")),
        TagMatch("4.2-7", "4.2+7", ("has 2 numbers, not 3",)),
    )


def test_a_named_serial_build_speaks_against_plain_builds() -> None:
    assert review_tags(_range("==4.2+20240606", tag="{version}-{build}"), ["4.2-7"]) == (
        TagMatch("4.2-7", "4.2+7", ("has no serial number as its build", "is below `==4.2+20240606`")),
    )


def test_tags_are_sorted_by_version_then_by_date_then_by_name() -> None:
    tags = "latest 3.9 3.10-slim bookworm-20240612 3.10 edge bookworm-20240701 3.10.1rc1 v3.9.0-177-ged5bcde".split()

    assert sort_tags(tags) == (
        "3.10.1rc1",
        "3.10",
        "3.10-slim",
        "3.9",
        "bookworm-20240701",
        "bookworm-20240612",
        "edge",
        "latest",
        "v3.9.0-177-ged5bcde",
    )


def test_packaging_is_not_imported_before_a_range_has_to_choose() -> None:
    code = (
        "import sys; from imagelock.model.tags import selection, version_range;"
        "version_range.parse_version_range(version='>=3,<4', variant='slim');"
        "print('packaging' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"

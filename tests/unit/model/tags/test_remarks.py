"""What is told of the tag that a range takes: variants that have ended, and pre-releases that float."""

from __future__ import annotations

import pytest

from imagelock.model.reference import parse_repository
from imagelock.model.tags.remarks import find_remarks
from imagelock.model.tags.selection import choose_tag
from imagelock.model.tags.version_range import VersionRange, parse_version_range
from tests.support.effort import bounded_effort

NODE = (
    "20.15.0-buster 20.14.0-buster 20.15.0-bookworm 20.20.2-bookworm 20.20.2-trixie 20.20.2 20.15.0 20 latest buster"
    " 22.1.0-bookworm 22.1.0"
).split()


def remarks(tags: list[str], **fields: object) -> tuple[str, ...]:
    wanted = parse_version_range(**{"version": None, "variant": None, "tag": None, **fields})  # type: ignore[arg-type]
    assert isinstance(wanted, VersionRange)
    chosen = choose_tag(wanted, tags, repository=parse_repository("node"))
    return find_remarks(wanted, chosen.tag, tags)


def test_a_variant_that_has_ended_is_told() -> None:
    [remark] = remarks(NODE, version=">=20,<21", variant="buster")
    assert remark == (
        "20.15.0-buster is the newest of `{version}-buster`, and other variants go on to 20.20.2:"
        " 20.20.2, 20.20.2-trixie, 20.20.2-bookworm"
    )


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ({"version": ">=20,<21", "variant": "bookworm"}, NODE),
        ({"version": ">=20,<20.16", "variant": "buster"}, NODE),
        ({"version": ">=20,<21"}, NODE),
        # One other variant alone may be a nightly build.
        ({"version": ">=1", "variant": "slim"}, ["1.0-slim", "1.1-nightly"]),
        ({"version": ">=1", "variant": "slim"}, ["1.0-slim", "1.1rc1", "1.1rc1-alpine"]),
        # Fewer numbers float, and other products of a repository have versions of their own.
        ({"version": ">=1", "variant": "slim"}, ["1.0.0-slim", "2", "2-alpine", "2.1", "2.1-alpine"]),
        ({"version": ">=1", "tag": "web-{version}-slim"}, ["web-1.0-slim", "2.0", "api-2.0", "2.0-alpine"]),
        ({"version": ">=2024.1", "tag": "{date}-slim"}, ["2024.01.02-slim", "2024.02.02", "2024.02.02-x"]),
    ],
)
def test_what_is_no_end_of_a_variant_is_not_told(fields: dict[str, object], tags: list[str]) -> None:
    assert remarks(tags, **fields) == ()


def test_two_other_variants_without_a_plain_one_are_enough() -> None:
    [remark] = remarks(["1.0-jre8", "1.1-jre17", "1.1-jre21"], version=">=1", variant="jre8")
    assert "other variants go on to 1.1: 1.1-jre17, 1.1-jre21" in remark


@pytest.mark.parametrize(
    ("chosen", "others", "words"),
    [
        ("3.14-rc", ["3.13.1"], "3.14-rc is a floating tag of a pre-release: the next one may be pushed under it"),
        ("2.0.0-beta", ["1.0.0"], "2.0.0-beta is a floating tag of a pre-release"),
    ],
)
def test_a_floating_prerelease_is_told(chosen: str, others: list[str], words: str) -> None:
    [remark] = remarks([chosen, *others], version=">=1", prereleases=True)
    assert remark.startswith(words)


def test_a_locked_prerelease_that_floats_by_now_is_told() -> None:
    wanted = parse_version_range(version=">=3", variant=None, tag=None, precision=None, prereleases=True)
    assert isinstance(wanted, VersionRange)
    [remark] = find_remarks(wanted, "3.14-rc1", ["3.14.0-rc1"])
    assert remark == "3.14-rc1 is a floating tag of a pre-release: 3.14.0-rc1 is more exact"


@pytest.mark.parametrize("tag", ["3.14.0-rc1", "3.14.0a2", "3.14.0"])
def test_a_numbered_prerelease_does_not_float(tag: str) -> None:
    assert remarks([tag], version=">=3", prereleases=True) == ()


def test_ten_thousand_tags_are_no_matter() -> None:
    tags = [f"1.{minor}.{patch}-v{kind}" for minor in range(50) for patch in range(20) for kind in range(10)]
    with bounded_effort():
        assert remarks(tags, version=">=1", variant="v1") == ()


def test_a_tag_that_does_not_fit_has_no_remarks() -> None:
    wanted = parse_version_range(version=">=3", variant=None, tag=None, precision=None, prereleases=False)
    assert isinstance(wanted, VersionRange)
    assert find_remarks(wanted, "latest", ["latest"]) == ()

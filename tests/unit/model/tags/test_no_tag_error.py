from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imagelock.errors import ImageNotFoundError, NoTagError, NoTagReason
from imagelock.model.reference import parse_repository
from imagelock.model.tags.selection import choose_tag
from imagelock.model.tags.version_range import parse_version_range

TAG_LISTS = json.loads((Path(__file__).parents[3] / "vectors" / "versions.json").read_text("utf-8"))["tag-lists"]
PYTHON, NODE = TAG_LISTS["PY"], TAG_LISTS["NODE"]
LIST = "run `imagelock tags docker.io/library/x`"


def _refusal(tags: list[str], version: str, **keys: Any) -> NoTagError:  # noqa: ANN401  the keys differ in type
    wanted = parse_version_range(version=version, **keys)
    assert wanted is not None
    with pytest.raises(NoTagError) as caught:
        choose_tag(wanted, tags, repository=parse_repository("x"))
    return caught.value


def _whole(error: NoTagError) -> tuple[NoTagReason, str, tuple[str, ...], str | None]:
    return error.reason, error.message, error.details, error.hint


def test_no_tag_in_a_range_shows_the_newest_below_and_above() -> None:
    assert _whole(_refusal(NODE, ">=20.15.1,<21.7")) == (
        NoTagReason.NONE,
        "no tag of docker.io/library/x is in `>=20.15.1,<21.7` (of 19 tags, 7 fit `{version}`)",
        ("22.4.0 is above `<21.7`", "21.7.3 is above `<21.7`", "20.15.0 is below `>=20.15.1`"),
        LIST,
    )


def test_the_newest_below_are_full_releases() -> None:
    assert _whole(_refusal(PYTHON, ">=4")) == (
        NoTagReason.NONE,
        "no tag of docker.io/library/x is in `>=4` (of 22 tags, 8 fit `{version}`)",
        ("3.12.4 is below `>=4`", "3.12.3 is below `>=4`", "3.11.9 is below `>=4`"),
        LIST,
    )


def test_tags_with_more_against_them_fill_the_three_places() -> None:
    assert _whole(_refusal(["3.12.4", "3.12", "3.13rc1"], "==3.11.*,!=3.9")) == (
        NoTagReason.NONE,
        "no tag of docker.io/library/x is in `==3.11.*,!=3.9` (of 3 tags, 3 fit `{version}`)",
        (
            "3.13rc1 is above `==3.11.*` and is a pre-release",
            "3.12.4 is above `==3.11.*`",
            "3.12 is above `==3.11.*` and floats (3.12.4 is more exact)",
        ),
        LIST,
    )


def test_precision_is_part_of_the_range() -> None:
    assert _whole(_refusal(["3.12.4"], ">=3", precision=2)) == (
        NoTagReason.NONE,
        "no tag of docker.io/library/x is in `>=3` with precision 2 (of 1 tag, 1 fits `{version}`)",
        ("3.12.4 has 3 numbers, not 2",),
        LIST,
    )


def test_dates_taken_for_serial_numbers_are_explained() -> None:
    assert _whole(_refusal(["jammy-20240530", "jammy"], ">=2024", tag="jammy-{version}")) == (
        NoTagReason.NONE,
        "no tag of docker.io/library/x is in `>=2024` (of 2 tags, 1 fits `jammy-{version}`)",
        ("jammy-20240530 is a serial number, not a version",),
        'use `tag = "jammy-{date}"` to read dates, as in `version = ">=2024.6"`',
    )


def test_serial_numbers_written_for_dates_are_explained() -> None:
    assert _whole(_refusal(["20240530"], ">=20240101", tag="{date}")) == (
        NoTagReason.NONE,
        "no tag of docker.io/library/x is in `>=20240101` (of 1 tag, 1 fits `{date}`)",
        ("20240530 is version 2024.5.30, not a serial number",),
        "write dates in `version` as 2024.5.30, which `{date}` reads from 20240530",
    )


def test_only_prereleases_in_the_range() -> None:
    assert _whole(_refusal(PYTHON, ">=3.12.5")) == (
        NoTagReason.PRERELEASE,
        "only pre-releases of docker.io/library/x are in `>=3.12.5`",
        ("3.13.0b2 is a pre-release", "3.13-rc is a pre-release and floats (3.13.0b2 is more exact)"),
        "set `prereleases = true` to allow them",
    )


def test_only_floating_tags_in_the_range() -> None:
    assert _whole(_refusal(PYTHON, "==3.12")) == (
        NoTagReason.FLOATING,
        "only floating tags of docker.io/library/x are in `==3.12`",
        ("3.12 floats (3.12.4 is more exact)",),
        "write `==3.12.*` for the newest of them, or `precision = 2` to lock floating tags",
    )


def test_a_misspelled_variant_gets_the_nearest() -> None:
    assert _whole(_refusal(PYTHON, ">=3", variant="slim-bookwrm")) == (
        NoTagReason.SHAPE,
        "no tag of docker.io/library/x fits `{version}-slim-bookwrm` (it has 22 tags)",
        (
            "3.13-rc-slim-bookworm fits `{version}-slim-bookworm`",
            "3.12.4-slim fits `{version}-slim`",
            "3.12.4-alpine fits `{version}-alpine`",
        ),
        'did you mean `variant = "slim-bookworm"`?',
    )


def test_a_pattern_with_a_build_is_suggested_as_a_pattern() -> None:
    assert _whole(_refusal(["17.0.2_8-jdk"], ">=17", variant="jdk")) == (
        NoTagReason.SHAPE,
        "no tag of docker.io/library/x fits `{version}-jdk` (it has 1 tag)",
        ("17.0.2_8-jdk fits `{version}_{build}-jdk`",),
        'did you mean `tag = "{version}_{build}-jdk"`?',
    )


def test_without_a_similar_pattern_any_tags_are_shown() -> None:
    assert _whole(_refusal(["sha-abc123", "main", "pr-12", "latest"], ">=1", variant="x")) == (
        NoTagReason.SHAPE,
        "no tag of docker.io/library/x fits `{version}-x` (it has 4 tags)",
        ("latest does not fit", "main does not fit", "pr-12 does not fit"),
        LIST,
    )


def test_a_repository_without_tags() -> None:
    assert _whole(_refusal([], ">=1")) == (NoTagReason.SHAPE, "docker.io/library/x has no tags", (), None)


def test_a_range_without_a_tag_is_an_image_that_was_not_found() -> None:
    assert issubclass(NoTagError, ImageNotFoundError)

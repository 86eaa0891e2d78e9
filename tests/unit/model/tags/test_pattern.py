from __future__ import annotations

import pytest

from imagelock.errors import InvalidSelectorError
from imagelock.model.tags.pattern import TagPattern


def _version(pattern: str, tag: str) -> str | None:
    match = TagPattern.parse(pattern).match(tag)
    return None if match is None else match["version"]


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("3", "3"),
        ("3.12.4", "3.12.4"),
        ("v3.12", "v3.12"),
        ("3.13.0b2", "3.13.0b2"),
        ("3.13-rc", "3.13-rc"),
        ("1.0.0-Alpha.2", "1.0.0-Alpha.2"),
        ("1.0.post1", "1.0.post1"),
        ("123098140293", "123098140293"),
        ("3.12-1", None),
        ("4.1.2-r", None),
        ("1.2.3-r1", None),
        ("1!2", None),
        ("1.0+local", None),
        ("1.0.0.Final", None),
        ("1.0-M1", None),
        ("1.2.3-nightly", None),
        ("1.0.", None),
        ("V1", None),
        ("vv1", None),
        ("\u0661", None),
        ("3.12\n", None),
        ("1" * 129, None),
    ],
)
def test_a_version_is_numbers_and_perhaps_a_word_of_pep_440(tag: str, version: str | None) -> None:
    assert _version("{version}", tag) == version


@pytest.mark.parametrize(
    ("pattern", "tag", "version"),
    [
        ("{version}-slim", "3.12.4-slim", "3.12.4"),
        ("{version}-slim", "3.12.4-slim-bookworm", None),
        ("{version}-slim", "3.12.4-Slim", None),
        ("{version}.sig", "1xsig", None),
        ("v{version}", "v1.2", "1.2"),
        ("v{version}", "vv1.2", None),
        ("v{version}", "1.2", None),
        ("release-{version}", "release-v1.2", "v1.2"),
    ],
)
def test_literal_text_is_compared_exactly(pattern: str, tag: str, version: str | None) -> None:
    assert _version(pattern, tag) == version


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("2024-06", True),
        ("202406", True),
        ("2024.06.13", True),
        ("20240613", True),
        ("2024-06-13T22-53-53Z", True),
        ("20240613-2253", True),
        ("20240613225353", True),
        ("2024", False),
        ("2024-13", False),
        ("2024-06-32", False),
        ("2024-6-1", False),
        ("20240613T25", False),
        ("20240613T2560", False),
        ("2024-06-13-cpuv1", False),
    ],
)
def test_a_date_has_a_real_month_and_perhaps_a_day_and_a_time(tag: str, fits: bool) -> None:  # noqa: FBT001  a table
    assert (TagPattern.parse("{date}").match(tag) is not None) == fits


def test_a_build_is_numbers_only() -> None:
    pattern = TagPattern.parse("{version}_{build}-jre")
    match = pattern.match("17.0.2_8.1-jre")

    assert match is not None
    assert (match["version"], match["build"]) == ("17.0.2", "8.1")
    assert pattern.match("17.0.2_8a-jre") is None


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("{version}-slim", "slim"),
        ("{version}", None),
        ("{version}-", None),
        ("{version}_8-jre", None),
        ("v{version}-slim", None),
        ("{version}-k3s{build}", None),
    ],
)
def test_a_pattern_knows_whether_a_variant_can_write_it(text: str, variant: str | None) -> None:
    assert TagPattern.parse(text).variant == variant


HOLES = "the holes are {version}, {date} and {build}"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{versoin}-slim", "`{versoin}` is not a hole; did you mean `{version}`?", HOLES),
        ("{ version }", "`{ version }` is not a hole; did you mean `{version}`?", HOLES),
        ("{}", "`{}` is not a hole", HOLES),
        ("{version", "`{version` has a `{`, which no tag can have", None),
        ("{version}}", "`{version}}` has a `}`, which no tag can have", None),
        ("{version} slim", "`{version} slim` has a ` `, which no tag can have", None),
        ("-{version}", "`-{version}` starts with `-`, which no tag does", None),
        ("slim", "`slim` has no hole for the version", "write `{version}` or `{date}` in its place"),
        ("k3s{build}", "`k3s{build}` has no hole for the version", "write `{version}` or `{date}` in its place"),
        (
            "{version}-{date}",
            "`{version}-{date}` has more than one hole for the version: {version} and {date}",
            None,
        ),
        ("{version}-{build}.{build}", "`{version}-{build}.{build}` has more than one `{build}`", None),
        ("{version}{build}", "`{version}{build}` has two holes with nothing between them", None),
        ("{version}" + "x" * 248, "is longer than 256 characters, and a tag has 128 at most", None),
    ],
)
def test_a_pattern_that_can_fit_no_tag_is_refused(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(InvalidSelectorError) as caught:
        TagPattern.parse(text)

    assert (caught.value.field, caught.value.message, caught.value.hint) == ("tag", message, hint)

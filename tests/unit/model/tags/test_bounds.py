from __future__ import annotations

import pytest

from imagelock.model.tags.version_range import bounded_range_for, parse_version_range, with_upper_bound


@pytest.mark.parametrize(
    ("tag", "version", "pattern"),
    [
        ("3.12.4-slim", "<4,>=3.12.4", "{version}-slim"),
        ("20-alpine", "<21,>=20", "{version}-alpine"),
        ("v1.30.2", "<2,>=1.30.2", "{version}"),
        ("0.4.2", "<0.5,>=0.4.2", "{version}"),
        ("0.0.3", "<0.1,>=0.0.3", "{version}"),
        ("0", "<1,>=0", "{version}"),
        ("24.04", "<25,>=24.04", "{version}"),
        ("3.13.0b2", "<4,>=3.13.0b2", "{version}"),
        ("python-3.12-slim", "<4,>=3.12", "python-{version}-slim"),
        ("20.15.0-alpine3.20", "<21,>=20.15.0", "{version}-alpine3.20"),
        ("17.0.2_8-jre", "<18,>=17.0.2", "{version}_{build}-jre"),
        ("5.0-20260727", "<6,>=5.0", "{version}-{build}"),
        ("20240606", "<2025,>=2024.6.6", "{date}"),
        ("2024-06-13", "<2025,>=2024.6.13", "{date}"),
        ("2024.06.01", "<2025,>=2024.06.01", "{version}"),
        ("bookworm-20240612-slim", "<2025,>=2024.6.12", "bookworm-{date}-slim"),
        ("RELEASE.2024-06-13T22-53-53Z-cpuv1", "<2025,>=2024.6.13", "RELEASE.{date}-cpuv1"),
    ],
)
def test_a_tag_becomes_a_range_up_to_the_next_breaking_release(tag: str, version: str, pattern: str) -> None:
    assert bounded_range_for(tag) == parse_version_range(version=version, tag=pattern)


@pytest.mark.parametrize(
    "tag",
    [
        "latest",
        "bookworm",
        "sha-abc123",
        "1a23456",
        "1234567",
        "pr-12",
        "12.5u",
        "8u502-b07-jdk",
        "v3.9.0-177-ged5bcde",
        "20231101-230548-g159857a0b",
    ],
)
def test_a_tag_without_an_orderable_version_becomes_no_range(tag: str) -> None:
    assert bounded_range_for(tag) is None


@pytest.mark.parametrize(
    ("wanted", "version", "bounded"),
    [
        (">=3.12", "3.12.4", "<4,>=3.12"),
        ("*", "v0.4", "<0.5"),
        (">=20240101", "20240606", ">=20240101"),
    ],
)
def test_a_range_is_ended_after_the_version_that_it_takes(wanted: str, version: str, bounded: str) -> None:
    unbounded = parse_version_range(version=wanted, variant="slim", precision=2)
    assert unbounded is not None

    assert with_upper_bound(unbounded, version=version) == parse_version_range(
        version=bounded, variant="slim", precision=2
    )

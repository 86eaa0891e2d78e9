"""How a range looks for a tag that is old enough, against a registry in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imagelock.errors import NoTagError, NoTagReason
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.select import select_reference
from tests.support.memory_source import MemorySource
from tests.support.oci_images import image_index, platform_image

_GO = "docker.io/library/go"
_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _source(**days_old: int | None) -> MemorySource:
    """Tags such as ``v1_2`` for 1.2, each with the age of its image; None for one that doesn't tell."""
    source = MemorySource()
    for name, days in days_old.items():
        created = "1970-01-01T00:00:00Z" if days is None else (_NOW - timedelta(days=days)).isoformat()
        image = image_index(platform_image("linux/amd64", created=created, files={"name": name.encode()}))
        source.push(f"{_GO}:{name.removeprefix('v').replace('_', '.')}", image)
    return source


def _choose(source: MemorySource, *, keys: str = "") -> tuple[str | None, list[str]]:
    text = f'[images.go]\nimage = "go"\nversion = ">=1,<2"\nminimum-age = "7 days"\n{keys}\n'
    (declaration,) = parse_images_file(text).images
    chosen = select_reference(declaration, source, now=_NOW)
    return chosen.reference.tag, [it.tag for it in chosen.too_young]


def test_the_newest_tag_that_is_old_enough_is_taken_and_no_older_one_asked() -> None:
    source = _source(v1_0=90, v1_1=30, v1_2=7, v1_3=3, v1_4=1)
    assert _choose(source) == ("1.2", ["1.4", "1.3"])
    assert [request for request in source.requests if request.startswith("GET") and "@" not in request] == [
        f"GET {_GO}:1.4",
        f"GET {_GO}:1.3",
        f"GET {_GO}:1.2",
    ]


def test_the_youngest_of_the_wanted_platforms_decides() -> None:
    source = _source(v1_0=90)
    old, young = (_NOW - timedelta(days=days) for days in (90, 1))
    amd64 = platform_image("linux/amd64", created=old.isoformat())
    source.push(f"{_GO}:1.1", image_index(amd64, platform_image("linux/arm64", created=young.isoformat())))
    assert _choose(source) == ("1.0", ["1.1"])
    assert _choose(source, keys='platforms = ["linux/amd64"]') == ("1.1", [])


def test_an_age_that_nobody_knows_is_refused_unless_it_is_accepted() -> None:
    assert _choose(_source(v1_0=90, v1_1=None)) == ("1.0", ["1.1"])
    assert _choose(_source(v1_0=90, v1_1=None), keys='unknown-age = "accept"') == ("1.1", [])


def test_the_search_ends_after_thirty_tags() -> None:
    source = _source(**{f"v1_{minor}": 1 for minor in range(40)})
    with pytest.raises(NoTagError) as raised:
        _choose(source)
    assert (raised.value.reason, raised.value.message, raised.value.details) == (
        NoTagReason.YOUNG,
        f"none of the newest 30 tags of {_GO} in the range is old enough",
        (
            "1.39 was created on 2026-11-22, less than 7 days ago",
            "1.38 was created on 2026-11-22, less than 7 days ago",
            "1.37 was created on 2026-11-22, less than 7 days ago",
        ),
    )
    assert sum(request.startswith("BLOB") for request in source.requests) == 30


def test_where_no_image_has_a_date_the_hint_says_how_to_take_it() -> None:
    with pytest.raises(NoTagError) as raised:
        _choose(_source(v1_0=None))
    assert (raised.value.message, raised.value.details, raised.value.hint) == (
        f"none of the tags of {_GO} in the range says when it was created",
        ("1.0 has no date, and must be 7 days old",),
        '`unknown-age = "accept"` takes such tags',
    )

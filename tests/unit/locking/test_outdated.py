"""What ``outdated`` asks, and what it makes of the answers, against a registry in memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from imagelock.cli.reports.outdated import standing_table
from imagelock.errors import BatchError, TemporaryError
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.locking.outdated import CurrentTag, ImageStatus, State, find_status
from imagelock.locking.plan import plan_lock, run_steps
from tests.support.memory_source import MemorySource
from tests.support.oci_images import OCI, Content, image_index, multi_platform_image, platform_image

_GO = "docker.io/library/go"
_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_TAG = '[images]\ngo = "go:1"'
_RANGE = '[images.go]\nimage = "go"\nversion = ">=1,<2"'
_OLD, _NEW = (multi_platform_image("linux/amd64", "linux/arm64", note=note) for note in ("old", "new"))


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


def _lock(images: str, source: MemorySource) -> LockedImage:
    (locked,) = run_steps(plan_lock(parse_images_file(images), Lockfile(), now=_NOW), source).lockfile.images
    source.requests.clear()
    return locked


def _ask(images: str, locked: LockedImage, source: MemorySource) -> ImageStatus:
    (declaration,) = parse_images_file(images).images
    return find_status(declaration, locked, source, now=_NOW)


def _asked(source: MemorySource) -> list[str]:
    return [request.partition("@")[0] if "sha256" in request else request for request in source.requests]


def test_an_image_that_did_not_move_costs_one_question_without_content(source: MemorySource) -> None:
    source.push(f"{_GO}:1", _OLD)
    locked = _lock(_TAG, source)
    status = _ask(_TAG, locked, source)
    assert status == ImageStatus(
        locked=locked, states=(State.UP_TO_DATE,), same_tag=CurrentTag(tag="1", digest=locked.digest)
    )
    assert source.requests == [f"HEAD {_GO}:1"]


def test_content_is_fetched_once_and_by_digest_where_a_tag_moved(source: MemorySource) -> None:
    source.push(f"{_GO}:1", _OLD)
    locked = _lock(_TAG, source)
    source.push(f"{_GO}:1", _NEW)
    status = _ask(_TAG, locked, source)
    assert (status.states, status.is_outdated) == ((State.TAG_MOVED,), True)
    # The new index; one platform's image and configuration for the version; and whether the locked index is there.
    assert _asked(source) == [f"HEAD {_GO}:1", f"GET {_GO}:1", f"GET {_GO}", f"BLOB {_GO}", f"HEAD {_GO}:1"]


def test_a_range_without_news_costs_its_list_and_one_question(source: MemorySource) -> None:
    source.push(f"{_GO}:1.1.0", _OLD)
    locked = _lock(_RANGE, source)
    assert _ask(_RANGE, locked, source).states == (State.UP_TO_DATE,)
    assert sorted(source.requests) == [f"HEAD {_GO}:1.1.0", f"TAGS {_GO}"]


@pytest.mark.parametrize(
    ("tags", "in_range", "newer_outside_range", "states"),
    [
        ("1.1.0", None, None, (State.UP_TO_DATE,)),
        ("1.1.0 1.0.0 latest 20240606", None, None, (State.UP_TO_DATE,)),
        ("1.1.0 2.0.0", None, "2.0.0", (State.UP_TO_DATE,)),
        ("1.1.0 2.0.0rc1", None, None, (State.UP_TO_DATE,)),
        ("1.1.0 1.2.0 2.0.0 3.0.0", "1.2.0", "3.0.0", (State.NEWER_TAG,)),
        ("1.0.0", "1.0.0", None, (State.TAG_DELETED, State.DOWNGRADE)),
        ("1.2.0", "1.2.0", None, (State.TAG_DELETED, State.NEWER_TAG)),
        ("2.0.0", None, "2.0.0", (State.TAG_DELETED,)),
    ],
)
def test_a_range_is_told_what_it_would_take_and_what_lies_beyond(
    source: MemorySource, tags: str, in_range: str | None, newer_outside_range: str | None, states: tuple[State, ...]
) -> None:
    source.push(f"{_GO}:1.1.0", _OLD)
    locked = _lock(_RANGE, source)
    source.tags.clear()
    for tag in tags.split():
        source.push(f"{_GO}:{tag}", _OLD)
    status = _ask(_RANGE, locked, source)
    assert (status.in_range and status.in_range.tag, status.newer_outside_range, status.states) == (
        in_range,
        newer_outside_range,
        states,
    )


@pytest.mark.parametrize(
    ("keys", "state", "is_outdated"),
    [
        ("", State.TAG_MOVED, True),
        ('freeze = "why"', State.TAG_MOVED, False),
        ('freeze = "why"', State.DIGEST_GONE, True),
    ],
)
def test_a_freeze_excuses_everything_but_a_dead_digest(
    source: MemorySource,
    keys: str,
    state: State,
    is_outdated: bool,  # noqa: FBT001  a table
) -> None:
    images = f'[images.go]\nimage = "go:1"\n{keys}\n'
    source.push(f"{_GO}:1", _OLD)
    locked = _lock(images, source)
    source.push(f"{_GO}:1", _NEW)
    if state is State.DIGEST_GONE:
        source.forget(_OLD)
    status = _ask(images, locked, source)
    assert (status.states[0], status.is_outdated) == (state, is_outdated)


def test_every_locked_platform_may_be_lost(source: MemorySource) -> None:
    source.push(f"{_GO}:1", _OLD)
    locked = _lock(_TAG, source)
    source.push(f"{_GO}:1", image_index(platform_image("linux/s390x")))
    status = _ask(_TAG, locked, source)
    assert status.states == (State.PLATFORM_LOST, State.TAG_MOVED)
    assert status.same_tag is not None
    assert [list(map(str, it)) for it in (status.same_tag.lost, status.same_tag.gained)] == [
        ["linux/amd64", "linux/arm64"],
        ["linux/s390x"],
    ]


def test_no_answer_is_not_taken_for_a_deleted_tag(source: MemorySource) -> None:
    source.push(f"{_GO}:1", _OLD)
    locked = _lock(_TAG, source)
    source.failures[f"{_GO}:1"] = TemporaryError("no answer")
    with pytest.raises(TemporaryError):
        _ask(_TAG, locked, source)


def test_a_variant_that_has_ended_is_told_and_is_nothing_to_update(source: MemorySource) -> None:
    images = '[images.go]\nimage = "go"\nversion = ">=1,<2"\nvariant = "buster"'
    source.push(f"{_GO}:1.1-buster", _OLD)
    locked = _lock(images, source)
    assert _ask(images, locked, source).remarks == ()
    for tag in ("1.2", "1.2-trixie"):
        source.push(f"{_GO}:{tag}", _NEW)
    status = _ask(images, locked, source)
    assert (status.states, status.is_outdated) == ((State.UP_TO_DATE,), False)
    assert status.remarks == (
        "1.1-buster is the newest of `{version}-buster`, and other variants go on to 1.2: 1.2, 1.2-trixie",
    )


def test_a_range_whose_newest_tag_is_no_image_fails_with_its_name_and_a_way_around(source: MemorySource) -> None:
    source.push(f"{_GO}:1.0", _OLD)
    locked = _lock(_RANGE, source)
    config = Content(media_type="application/vnd.cncf.helm.config.v1+json", body=b"{}")
    body = {"schemaVersion": 2, "config": config.descriptor(), "layers": []}
    source.push(f"{_GO}:1.1", Content(media_type=OCI.manifest, body=json.dumps(body).encode(), children=(config,)))
    status = _ask(_RANGE, locked, source)
    assert (status.is_outdated, status.failure) == (True, f"{_GO}:1.1 is no image: it is a Helm chart")
    assert "update fails" in "\n".join(standing_table([status], unknown=0))
    for images in (_RANGE, f'{_RANGE}\nminimum-age = "3 days"'):
        with pytest.raises(BatchError) as raised:
            run_steps(plan_lock(parse_images_file(images), Lockfile(), now=_NOW), source)
        [(_, error)] = raised.value.failures
        assert f"{_GO}:1.1 is no image: it is a Helm chart" in error.message
        assert "!=VERSION" in str(error.hint)

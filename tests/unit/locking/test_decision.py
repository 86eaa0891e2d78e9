"""The decision that `outdated` reports and `update` carries out, against a registry in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from imagelock.cli.reports.outdated import standing_table
from imagelock.errors import BatchError, ImagelockError, ImageNotFoundError
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.locking.outdated import Forecast, ImageStatus, State, find_status
from imagelock.locking.plan import LockResult, plan_lock, plan_update, run_steps
from imagelock.model.oci import FetchedManifest
from imagelock.model.reference import AnyRepository, ImageReference
from tests.support.lock_runs import GO, NOW
from tests.support.memory_source import MemorySource
from tests.support.oci_images import OCI, Content, image_index, platform_image

_RANGE = '[images.go]\nimage = "go"\nversion = ">=1,<2"\nplatforms = ["linux/amd64"]\n'
_COOLDOWN = f'{_RANGE}minimum-age = "7 days"\n'
_AT_ONCE = timedelta()
_LONG_AGO = timedelta(days=90)


@dataclass(slots=True)
class _StaleList(MemorySource):
    """A registry whose list of tags is older than its tags."""

    missing: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)

    def list_tags(self, repository: AnyRepository) -> tuple[str, ...]:
        found = (tag for tag in MemorySource.list_tags(self, repository) if tag not in self.missing)
        return (*found, *self.deleted)


def _image(note: str, *, age: timedelta = _LONG_AGO, platforms: Sequence[str] = ("linux/amd64",)) -> Content:
    created = (NOW - age).isoformat()
    images = [platform_image(platform, created=created, files={"note": note.encode()}) for platform in platforms]
    return image_index(*images)


@pytest.fixture
def source() -> _StaleList:
    return _StaleList()


def _lock(source: MemorySource, images: str) -> LockedImage:
    (locked,) = run_steps(plan_lock(parse_images_file(images), Lockfile(), now=NOW), source).lockfile.images
    source.requests.clear()
    return locked


def _update(source: MemorySource, images: str, locked: LockedImage, *, takes_every_index: bool = False) -> LockResult:
    steps = plan_update(
        parse_images_file(images), Lockfile((locked,)), aliases=["go"], now=NOW, takes_every_index=takes_every_index
    )
    return run_steps(steps, source)


def _status(source: MemorySource, images: str, locked: LockedImage) -> ImageStatus:
    (declaration,) = parse_images_file(images).images
    return find_status(declaration, locked, source, now=NOW)


def _stays(source: MemorySource, images: str, locked: LockedImage) -> tuple[tuple[State, ...], tuple[str, ...]]:
    """Hold both commands to leaving the lock alone; return what each of them says about it."""
    result, status = _update(source, images, locked), _status(source, images, locked)
    assert result.lockfile == Lockfile((locked,))
    assert (status.forecast, status.is_outdated) == (Forecast.NOTHING, False)
    return status.states, tuple(note for _, note in result.notes)


def _moves_to(source: MemorySource, images: str, locked: LockedImage, tag: str) -> tuple[State, ...]:
    """Hold both commands to the same tag; return what `outdated` says about it."""
    (moved,), status = _update(source, images, locked).lockfile.images, _status(source, images, locked)
    assert (moved.tag, str(moved.digest)) == (tag, source.tags[f"{GO}:{tag}"].digest)
    found = status.in_range or status.same_tag
    assert found is not None
    assert (found.digest, status.forecast, status.is_outdated) == (moved.digest, Forecast.MOVES, True)
    return status.states


@pytest.mark.parametrize("listed", [["1.0.0"], ["0.9"], ["latest"], ["2.0.0"], []])
def test_a_list_that_lacks_the_locked_tag_moves_nothing(source: _StaleList, listed: list[str]) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _RANGE)
    for tag in listed:
        source.push(f"{GO}:{tag}", _image(tag))
    source.missing = {"1.1.0"}
    states, notes = _stays(source, _RANGE, locked)
    assert states == (State.UNLISTED,)
    assert notes == ("the registry's list of tags lacks 1.1.0, which it still serves: kept",)


def test_a_list_that_lacks_the_locked_tag_hides_no_newer_one_and_no_new_content(source: _StaleList) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _RANGE)
    source.missing = {"1.1.0"}
    source.push(f"{GO}:1.1.0", _image("pushed again"))
    source.push(f"{GO}:1.0.0", _image("old"))
    assert _moves_to(source, _RANGE, locked, "1.1.0") == (State.TAG_MOVED, State.UNLISTED)
    source.push(f"{GO}:1.2.0", _image("new"))
    assert _moves_to(source, _RANGE, locked, "1.2.0") == (State.TAG_MOVED, State.NEWER_TAG)


def test_a_tag_that_is_gone_is_told_as_a_downgrade_with_its_way_back(source: _StaleList) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _RANGE)
    source.push(f"{GO}:1.0.0", _image("old"))
    del source.tags[f"{GO}:1.1.0"]
    assert _moves_to(source, _RANGE, locked, "1.0.0") == (State.TAG_DELETED, State.DOWNGRADE)
    ((_, warning),) = _update(source, _RANGE, locked).warnings
    assert warning == (
        "downgrade from 1.1.0 to 1.0.0: the registry no longer has 1.1.0"
        f" (`imagelock update go --to 1.1.0@{locked.digest}` goes back, `freeze` keeps it)"
    )


def test_without_the_tag_that_is_gone_another_may_no_longer_float(source: _StaleList) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _RANGE)
    for tag in ("1.1", "1.0.0"):
        source.push(f"{GO}:{tag}", _image(tag))
    del source.tags[f"{GO}:1.1.0"]
    assert _moves_to(source, _RANGE, locked, "1.1") == (State.TAG_DELETED, State.DOWNGRADE)


def test_a_list_may_have_a_tag_that_is_gone(source: _StaleList) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _RANGE)
    source.push(f"{GO}:1.0.0", _image("old"))
    del source.tags[f"{GO}:1.1.0"]
    source.deleted = {"1.1.0"}
    assert _moves_to(source, _RANGE, locked, "1.0.0") == (State.TAG_DELETED, State.DOWNGRADE)


def test_where_nothing_is_left_update_fails_and_outdated_says_so(source: _StaleList) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _RANGE)
    source.tags = {f"{GO}:2.0.0": _image("out of range")}
    with pytest.raises(BatchError) as raised:
        _update(source, _RANGE, locked)
    status = _status(source, _RANGE, locked)
    assert (status.forecast, status.states, status.is_outdated) == (Forecast.FAILS, (State.TAG_DELETED,), True)
    assert raised.value.message == f"cannot lock `go`: {status.failure}"


# minimum-age


def test_a_locked_tag_that_floats_now_is_not_left_for_an_older_one(source: _StaleList) -> None:
    source.push(f"{GO}:1.2.0", _image("old"))
    source.push(f"{GO}:1.3", _image("locked"))
    locked = _lock(source, _COOLDOWN)
    assert locked.tag == "1.3"
    source.push(f"{GO}:1.3.1", _image("young", age=_AT_ONCE))
    states, notes = _stays(source, _COOLDOWN, locked)
    assert states == (State.TOO_YOUNG,)
    assert notes == ("1.3.1 was created on 2026-11-23, less than 7 days ago: passed over",)
    assert _moves_to(source, _RANGE, locked, "1.3.1") == (State.NEWER_TAG,)


def test_content_that_was_pushed_under_the_locked_tag_must_be_old_enough_too(source: _StaleList) -> None:
    source.push(f"{GO}:1.0.0", _image("older"))
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _COOLDOWN)
    source.push(f"{GO}:1.1.0", _image("young", age=_AT_ONCE))
    states, notes = _stays(source, _COOLDOWN, locked)
    assert states == (State.TAG_MOVED, State.TOO_YOUNG)
    assert notes == ("1.1.0 was created on 2026-11-23, less than 7 days ago: passed over",)
    source.push(f"{GO}:1.1.0", _image("old enough"))
    assert _moves_to(source, _COOLDOWN, locked, "1.1.0") == (State.TAG_MOVED,)


def test_every_platform_that_is_new_must_be_old_enough(source: _StaleList) -> None:
    images = _COOLDOWN.replace('["linux/amd64"]', '["linux/amd64", "linux/arm64"]')
    old = _image("locked", platforms=("linux/amd64", "linux/arm64"))
    source.push(f"{GO}:1.1.0", old)
    locked = _lock(source, images)
    amd64 = platform_image("linux/amd64", created=(NOW - _LONG_AGO).isoformat(), files={"note": b"locked"})
    arm64 = platform_image("linux/arm64", created=NOW.isoformat(), files={"note": b"young"})
    source.push(f"{GO}:1.1.0", image_index(amd64, arm64))
    assert _stays(source, images, locked)[0] == (State.TAG_MOVED, State.TOO_YOUNG)


def test_an_index_that_moved_without_new_content_has_no_age_of_its_own(source: _StaleList) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _COOLDOWN)
    source.push(f"{GO}:1.1.0", _image("locked", platforms=("linux/amd64", "linux/s390x")))
    source.requests.clear()
    (moved,) = _update(source, _COOLDOWN, locked, takes_every_index=True).lockfile.images
    assert str(moved.digest) == source.tags[f"{GO}:1.1.0"].digest


def test_a_tag_that_is_young_and_lacks_a_platform_is_too_young_first(source: _StaleList) -> None:
    images = _COOLDOWN.replace('["linux/amd64"]', '["linux/amd64", "linux/arm64"]')
    source.push(f"{GO}:1.1.0", _image("locked", platforms=("linux/amd64", "linux/arm64")))
    locked = _lock(source, images)
    source.push(f"{GO}:1.2.0", _image("half pushed", age=_AT_ONCE))
    assert _stays(source, images, locked)[0] == (State.TOO_YOUNG,)


# platforms


def test_the_newest_tag_that_lacks_a_platform_is_an_error_that_names_both(source: _StaleList) -> None:
    images = _RANGE.replace('["linux/amd64"]', '["linux/amd64", "linux/arm64"]')
    source.push(f"{GO}:1.1.0", _image("locked", platforms=("linux/amd64", "linux/arm64")))
    locked = _lock(source, images)
    source.push(f"{GO}:1.2.0", _image("without arm64"))
    with pytest.raises(BatchError) as raised:
        _update(source, images, locked)
    assert raised.value.message == f"cannot lock `go`: {GO}:1.2.0 has no linux/arm64 (it has: linux/amd64)"
    assert raised.value.hint == "add `!=1.2.0` to `version` in images.toml to leave 1.2.0 out"
    status = _status(source, images, locked)
    assert (status.forecast, status.states) == (Forecast.FAILS, (State.NEWER_TAG,))
    assert status.failure == f"{GO}:1.2.0 has no linux/arm64 (it has: linux/amd64)"
    left_out = images.replace("<2", "<2,!=1.2.0")
    assert _stays(source, left_out, _lock(source, left_out))[0] == (State.UP_TO_DATE,)


# tags that are no image


def _failure(source: MemorySource, images: str, locked: LockedImage) -> ImagelockError:
    with pytest.raises(BatchError) as raised:
        _update(source, images, locked)
    [(_, failure)] = raised.value.failures
    return failure


def _chart() -> Content:
    config = Content(media_type="application/vnd.cncf.helm.config.v1+json", body=b"{}")
    document = {"schemaVersion": 2, "mediaType": OCI.manifest, "config": config.descriptor(), "layers": []}
    return Content(media_type=OCI.manifest, body=json.dumps(document).encode(), children=(config,))


@pytest.mark.parametrize("images", [_RANGE, _COOLDOWN], ids=["any age", "minimum age"])
def test_the_newest_tag_that_is_a_chart_is_told_with_a_way_around_it(source: _StaleList, images: str) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, images)
    source.push(f"{GO}:1.2.0", _chart())
    status = _status(source, images, locked)
    assert (status.states, status.forecast) == ((State.NOT_AN_IMAGE, State.NEWER_TAG), Forecast.FAILS)
    [cells] = [line for line in standing_table([status], unknown=0) if line.startswith("| go")]
    assert f"newer tag; update fails: {GO}:1.2.0 is no image: it is a Helm chart" in cells
    error = _failure(source, images, locked)
    assert error.message == status.failure
    assert error.hint == "add `!=1.2.0` to `version` in images.toml to leave 1.2.0 out"


class _ComesBack(_StaleList):
    """A registry that serves a listed tag from the second question on, with a young image."""

    def fetch_manifest(self, reference: ImageReference) -> FetchedManifest:
        try:
            return MemorySource.fetch_manifest(self, reference)
        except ImageNotFoundError:
            self.push(f"{GO}:1.2.0", _image("young", age=_AT_ONCE))
            raise


def test_a_tag_that_comes_back_between_two_questions_is_not_taken_without_its_age() -> None:
    source = _ComesBack()
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _COOLDOWN)
    source.deleted.add("1.2.0")
    assert _failure(source, _COOLDOWN, locked).hint == "add `!=1.2.0` to `version` in images.toml to leave 1.2.0 out"


def test_an_exact_tag_that_became_a_chart_fails_as_told(source: _StaleList) -> None:
    images = '[images]\ngo = "go:1"\n'
    source.push(f"{GO}:1", _image("locked"))
    locked = _lock(source, images)
    source.push(f"{GO}:1", _chart())
    status = _status(source, images, locked)
    assert (status.states, status.forecast) == ((State.NOT_AN_IMAGE, State.TAG_MOVED), Forecast.FAILS)
    assert _failure(source, images, locked).message == status.failure


def test_a_locked_tag_that_became_a_chart_does_not_hide_a_newer_one(source: _StaleList) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _RANGE)
    source.push(f"{GO}:1.1.0", _chart())
    newer = source.push(f"{GO}:1.2.0", _image("newer"))
    status = _status(source, _RANGE, locked)
    assert (status.states, status.forecast) == ((State.PLATFORM_LOST, State.NEWER_TAG), Forecast.MOVES)
    assert str(_update(source, _RANGE, locked).lockfile.images[0].digest) == newer.digest


def test_a_listed_tag_that_is_gone_is_a_newer_tag_that_cannot_be_taken(source: _StaleList) -> None:
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, _RANGE)
    source.deleted.add("1.2.0")
    status = _status(source, _RANGE, locked)
    assert (status.states, status.forecast) == ((State.NEWER_TAG,), Forecast.FAILS)
    assert _failure(source, _RANGE, locked).message == status.failure


# what is declared by digest, frozen, or has no checksum


def test_what_is_declared_by_digest_is_never_called_up_to_date(source: _StaleList) -> None:
    image = source.push(f"{GO}:1.1.0", _image("locked"))
    images = f'[images]\ngo = "go:1.1.0@{image.digest}"'
    locked = _lock(source, images)
    source.push(f"{GO}:1.1.0", _image("moved"))
    assert _stays(source, images, locked)[0] == (State.BY_DIGEST,)
    source.forget(image)
    assert _status(source, images, locked).states == (State.DIGEST_GONE, State.BY_DIGEST)


def test_what_is_frozen_is_left_alone_whatever_happens(source: _StaleList) -> None:
    images = f'{_RANGE}freeze = "why"\n'
    source.push(f"{GO}:1.1.0", _image("locked"))
    locked = _lock(source, images)
    source.push(f"{GO}:1.2.0", _image("without amd64", platforms=("linux/arm64",)))
    assert _stays(source, images, locked)[0] == (State.NEWER_TAG,)


def test_an_entry_without_checksum_is_held_against_its_index(source: _StaleList) -> None:
    images = _RANGE.replace('platforms = ["linux/amd64"]\n', "")
    source.push(f"{GO}:1.1.0", _image("locked", platforms=("linux/amd64", "linux/arm64")))
    locked = _lock(source, images)
    bare = LockedImage(
        alias=locked.alias,
        repository=locked.repository,
        selector=locked.selector,
        all_platforms=True,
        tag=locked.tag,
        digest=locked.digest,
        platform_digests=locked.platform_digests[:1],
        lacks_checksum=True,
    )
    result = _update(source, images, bare)
    assert result.lockfile == Lockfile((locked,))
    assert result.notes == (
        (locked.alias, "the entry was damaged: its platforms were read anew from the locked index"),
    )
    status = _status(source, images, bare)
    assert (status.states, status.forecast) == ((State.OTHER_PLATFORMS,), Forecast.MOVES)


def test_an_entry_without_checksum_that_mixes_the_locked_index_with_todays_platforms_is_told_and_moves(
    source: _StaleList,
) -> None:
    both = ("linux/amd64", "linux/arm64")
    source.push(f"{GO}:1.1.0", _image("locked", platforms=both))
    locked = _lock(source, _RANGE)
    source.push(f"{GO}:1.1.0", _image("today", platforms=both))
    today = _lock(source, _RANGE)
    mixed = replace(locked, platform_digests=today.platform_digests, lacks_checksum=True)
    assert today.platform_digests != locked.platform_digests
    status = _status(source, _RANGE, mixed)
    assert (status.states, status.forecast) == ((State.OTHER_PLATFORMS, State.INDEX_MOVED), Forecast.MOVES)
    assert _update(source, _RANGE, mixed).lockfile == Lockfile((today,))
    # The locked index has them: it stays, though the tag has moved for a platform that is not declared.
    bare = replace(locked, lacks_checksum=True)
    source.push(f"{GO}:1.1.0", _image("locked"))
    status = _status(source, _RANGE, bare)
    assert (status.states, status.forecast) == ((State.INDEX_MOVED,), Forecast.NOTHING)
    assert _update(source, _RANGE, bare).lockfile == Lockfile((replace(bare, lacks_checksum=False),))

"""The table of what ``lock`` and ``update`` do to each image, against a registry in memory."""

from __future__ import annotations

import pytest

from imagelock.declaration import Alias
from imagelock.errors import (
    AuthenticationError,
    BatchError,
    ExitCode,
    ImagelockError,
    ImageNotFoundError,
    TemporaryError,
)
from imagelock.freshness import find_mismatches
from imagelock.images_file import parse_images_file
from imagelock.lock_plan import plan_lock, plan_update
from imagelock.lock_run import LockResult, run_steps
from imagelock.lockfile import LockedImage, Lockfile
from tests.support.memory_source import MemorySource
from tests.support.oci_images import Content, IndexEntry, image_index, multi_platform_image, platform_image

_GO = "docker.io/library/go"
_BOTH = ("linux/amd64", "linux/arm64")
_DECLARED = 'platforms = ["linux/amd64", "linux/arm64"]\n[images]\ngo = "go:1"'


@pytest.fixture
def source() -> MemorySource:
    source = MemorySource()
    source.push(f"{_GO}:1", multi_platform_image(*_BOTH, "linux/s390x"))
    return source


def _lock(images: str, source: MemorySource, before: Lockfile | None = None) -> LockResult:
    """Lock, and hold to two rules of every lock: it answers, and locking again changes nothing and asks nobody."""
    images_file = parse_images_file(images)
    result = run_steps(plan_lock(images_file, before or Lockfile()), source)
    assert find_mismatches(images_file, result.lockfile) == ()
    asked = list(source.requests)
    assert run_steps(plan_lock(images_file, result.lockfile), source).lockfile == result.lockfile
    assert source.requests == asked
    return result


def _update(
    images: str, source: MemorySource, before: Lockfile, *names: str, takes_every_index: bool = False
) -> LockResult:
    images_file = parse_images_file(images)
    aliases = names or [image.alias for image in images_file.images]
    steps = plan_update(images_file, before, aliases=aliases, takes_every_index=takes_every_index)
    result = run_steps(steps, source)
    assert find_mismatches(images_file, result.lockfile) == ()
    return result


def _locked(source: MemorySource, images: str = _DECLARED) -> Lockfile:
    before = _lock(images, source).lockfile
    source.requests.clear()
    return before


def _go(result: LockResult | Lockfile) -> LockedImage:
    lockfile = result.lockfile if isinstance(result, LockResult) else result
    return lockfile.by_alias()["go"]


def _platforms(image: LockedImage) -> dict[str, str]:
    return {str(entry.platform): str(entry.digest) for entry in image.platform_digests}


def _platform_digest(index: Content, position: int) -> str:
    return index.children[position].digest


# lock


def test_an_image_that_is_not_locked_is_resolved(source: MemorySource) -> None:
    result = _lock(_DECLARED, source)
    index = source.tags[f"{_GO}:1"]
    assert (_go(result).tag, str(_go(result).digest)) == ("1", index.digest)
    assert _platforms(_go(result)) == {
        "linux/amd64": _platform_digest(index, 0),
        "linux/arm64": _platform_digest(index, 1),
    }
    assert source.requests == [f"GET {_GO}:1"]
    assert source.expected == [_GO]


def test_a_lock_that_answers_asks_nobody_though_its_tag_moved(source: MemorySource) -> None:
    before = _locked(source)
    source.push(f"{_GO}:1", multi_platform_image(*_BOTH, note="new"))
    assert _lock(_DECLARED, source, before) == LockResult(before)
    assert (source.requests, source.expected) == ([], [_GO])


@pytest.mark.parametrize("platforms", ["linux/amd64", "linux/arm64"])
def test_a_platform_that_is_no_longer_declared_is_dropped_without_asking(source: MemorySource, platforms: str) -> None:
    before = _locked(source)
    result = _lock(_DECLARED.replace('"linux/amd64", "linux/arm64"', f'"{platforms}"'), source, before)
    assert _platforms(_go(result)) == {platforms: _platforms(_go(before))[platforms]}
    assert source.requests == []


@pytest.mark.parametrize("platforms", ['["linux/s390x", "linux/amd64", "linux/arm64"]', '"all"'])
def test_a_platform_is_added_from_the_locked_index_not_from_the_tag(source: MemorySource, platforms: str) -> None:
    before = _locked(source)
    old = source.tags[f"{_GO}:1"]
    source.push(f"{_GO}:1", multi_platform_image(*_BOTH, "linux/s390x", note="new"))
    result = _lock(f'platforms = {platforms}\n[images]\ngo = "go:1"', source, before)
    assert str(_go(result).digest) == old.digest
    assert _platforms(_go(result)) == {
        **_platforms(_go(before)),
        "linux/s390x": _platform_digest(old, 2),
    }
    assert source.requests == [f"HEAD {_GO}:1@{old.digest}", f"GET {_GO}:1@{old.digest}"]


def test_from_every_platform_to_a_list_asks_nobody(source: MemorySource) -> None:
    before = _locked(source, '[images]\ngo = "go:1"')
    assert set(_platforms(_go(before))) == {*_BOTH, "linux/s390x"}
    assert set(_platforms(_go(_lock(_DECLARED, source, before)))) == set(_BOTH)
    assert source.requests == []


def test_a_platform_cannot_be_added_to_an_index_that_is_gone(source: MemorySource) -> None:
    before = _locked(source)
    index = source.tags[f"{_GO}:1"]
    source.forget(index)
    with pytest.raises(BatchError) as caught:
        _lock(_DECLARED.replace('"linux/amd64"', '"linux/s390x", "linux/amd64"'), source, before)
    reference = f"{_GO}:1@{index.digest}"
    assert caught.value.details == (
        f"go: {reference} is no longer served, so that no platform can be added to it",
        f"  {reference} is not there",
    )
    assert (caught.value.exit_code, caught.value.hint) == (ExitCode.CANNOT, "run `imagelock update go`")


def test_a_platform_that_the_locked_index_lacks_may_have_come_with_a_later_one(source: MemorySource) -> None:
    before = _locked(source)
    with pytest.raises(BatchError) as caught:
        _lock(_DECLARED.replace('"linux/amd64"', '"linux/386", "linux/amd64"'), source, before)
    reference = f"{_GO}:1@{source.tags[f'{_GO}:1'].digest}"
    assert caught.value.details == (
        f"go: {reference} has no linux/386 (it has: linux/amd64, linux/arm64, linux/s390x)",
    )
    assert caught.value.hint == "run `imagelock update go`"


@pytest.mark.parametrize("declared", ["go:2", "other/go:1"])
def test_another_tag_or_repository_is_resolved_anew(source: MemorySource, declared: str) -> None:
    before = _locked(source)
    repository = "docker.io/other/go" if "/" in declared else _GO
    new = source.push(f"{repository}:{declared[-1]}", multi_platform_image(*_BOTH, note="new"))
    result = _lock(_DECLARED.replace("go:1", declared), source, before)
    assert (str(_go(result).repository), _go(result).tag, str(_go(result).digest)) == (
        repository,
        declared[-1],
        new.digest,
    )


def test_other_words_for_the_locked_content_change_the_words_only(source: MemorySource) -> None:
    before = _locked(source)
    digest = source.tags[f"{_GO}:1"].digest
    result = _lock(_DECLARED.replace("go:1", f"go@{digest}"), source, before)
    assert (_go(result).tag, _go(result).platform_digests) == (None, _go(before).platform_digests)
    back_again = _lock(_DECLARED.replace("go:1", f"go:9@{digest}"), source, result.lockfile)
    assert (_go(back_again).tag, str(_go(back_again).digest)) == ("9", digest)
    assert source.requests == []


def test_a_digest_is_resolved_as_it_stands(source: MemorySource) -> None:
    digest = source.tags[f"{_GO}:1"].digest
    result = _lock(_DECLARED.replace("go:1", f"go@{digest}"), source)
    assert (_go(result).tag, str(_go(result).digest)) == (None, digest)
    assert source.requests == [f"GET {_GO}@{digest}"]


def test_a_range_takes_its_newest_tag_and_keeps_it_while_it_fits(source: MemorySource) -> None:
    images = _DECLARED.replace('go = "go:1"', 'go = { image = "go", version = ">=1.1,<2" }')
    for tag in ("1.1", "1.2", "2.0"):
        source.push(f"{_GO}:{tag}", multi_platform_image(*_BOTH, note=tag))
    before = _locked(source, images)
    assert _go(before).tag == "1.2"
    source.push(f"{_GO}:1.3", multi_platform_image(*_BOTH, note="1.3"))
    narrowed = _lock(images.replace(">=1.1", ">=1.2"), source, before)
    assert (_go(narrowed).tag, source.requests) == ("1.2", [])
    assert _go(_update(images, source, before)).tag == "1.3"


def test_a_range_without_upper_bound_is_warned_of_once(source: MemorySource) -> None:
    images = _DECLARED.replace('go = "go:1"', 'go = { image = "go", version = ">=1" }')
    result = _lock(images, source)
    assert result.warnings == (("go", "the range `>=1` has no upper bound: one day it takes the next major version"),)
    assert _lock(images, source, result.lockfile).warnings == ()


def test_what_is_no_longer_declared_is_dropped_and_what_is_new_is_added(source: MemorySource) -> None:
    source.push("docker.io/library/a:1", multi_platform_image(*_BOTH, note="a"))
    before = _locked(source, f'{_DECLARED}\nz = "go:1@{source.tags[f"{_GO}:1"].digest}"')
    result = _lock(f'{_DECLARED}\na = "a:1"', source, before)
    assert [image.alias for image in result.lockfile.images] == ["a", "go"]
    assert source.requests == ["GET docker.io/library/a:1"]


def test_an_edited_tag_is_resolved_as_declared(source: MemorySource) -> None:
    source.push(f"{_GO}:2", multi_platform_image(*_BOTH, note="new"))
    two = _go(_locked(source, _DECLARED.replace("go:1", "go:2")))
    edited = LockedImage(
        alias=two.alias,
        repository=two.repository,
        selector=_go(_locked(source)).selector,
        tag="2",
        digest=two.digest,
        platform_digests=two.platform_digests,
    )
    assert _go(_lock(_DECLARED, source, Lockfile((edited,)))).tag == "1"


# update


_READING_A_CONFIGURATION = ["GET by digest", "BLOB by digest"] * 2
"""What it costs to learn the versions of content that has moved, old and new, where no index tells them."""


def _asked(source: MemorySource) -> list[str]:
    return [f"{request.split()[0]} by digest" if "@" in request else request for request in source.requests]


def test_an_update_without_news_asks_for_the_digest_only(source: MemorySource) -> None:
    before = _locked(source)
    assert _update(_DECLARED, source, before) == LockResult(before)
    assert source.requests == [f"HEAD {_GO}:1"]


def test_an_update_moves_a_tag_to_what_it_has_today(source: MemorySource) -> None:
    before = _locked(source)
    new = source.push(f"{_GO}:1", multi_platform_image(*_BOTH, note="new"))
    result = _update(_DECLARED, source, before)
    assert (str(_go(result).digest), result.notes) == (new.digest, ())
    assert _asked(source) == [f"HEAD {_GO}:1", f"GET {_GO}:1", *_READING_A_CONFIGURATION]


def _rebuilt(old: Content, *replaced: IndexEntry) -> Content:
    """An index whose first images are others; the remaining ones are those of before."""
    staying = [
        IndexEntry(content=content, platform={"os": "linux", "architecture": architecture})
        for content, architecture in zip(old.children, ("amd64", "arm64", "s390x"), strict=False)
    ]
    return image_index(*replaced, *staying[len(replaced) :])


def test_one_platform_that_moved_is_reason_enough(source: MemorySource) -> None:
    before = _locked(source)
    amd64 = platform_image("linux/amd64", files={"new": b""})
    new = source.push(f"{_GO}:1", _rebuilt(source.tags[f"{_GO}:1"], amd64))
    result = _update(_DECLARED, source, before)
    assert str(_go(result).digest) == new.digest
    assert _platforms(_go(result)) == {**_platforms(_go(before)), "linux/amd64": amd64.digest}


def _push_with_same_platforms(source: MemorySource) -> Content:
    old = source.tags[f"{_GO}:1"]
    entries = [
        IndexEntry(content=content, platform={"os": "linux", "architecture": architecture})
        for content, architecture in zip(old.children, ("amd64", "arm64", "s390x"), strict=True)
    ]
    return source.push(f"{_GO}:1", image_index(*entries[:2], platform_image("linux/386")))


def test_an_index_that_moved_for_others_is_left_alone(source: MemorySource) -> None:
    before = _locked(source)
    _push_with_same_platforms(source)
    result = _update(_DECLARED, source, before)
    note = "index re-pushed, your platforms are unchanged (use --index to take it)"
    assert result == LockResult(before, notes=((Alias("go"), note),))


def test_such_an_index_is_taken_if_asked_for(source: MemorySource) -> None:
    before = _locked(source)
    new = _push_with_same_platforms(source)
    result = _update(_DECLARED, source, before, takes_every_index=True)
    assert (str(_go(result).digest), result.notes) == (new.digest, ())
    assert _platforms(_go(result)) == _platforms(_go(before))


def test_such_an_index_is_taken_if_the_old_one_is_gone(source: MemorySource) -> None:
    before = _locked(source)
    source.forget(source.tags[f"{_GO}:1"])
    new = _push_with_same_platforms(source)
    result = _update(_DECLARED, source, before)
    assert str(_go(result).digest) == new.digest
    assert result.notes == (("go", "index re-pushed, and the locked one is no longer served: taken"),)


def test_a_dropped_platform_is_no_reason_to_take_an_index(source: MemorySource) -> None:
    before = _locked(source)
    _push_with_same_platforms(source)
    result = _update(_DECLARED.replace('"linux/amd64", ', ""), source, before)
    assert _go(result).digest == _go(before).digest
    assert set(_platforms(_go(result))) == {"linux/arm64"}


def test_an_update_adds_a_declared_platform_where_nothing_moved(source: MemorySource) -> None:
    before = _locked(source)
    result = _update(_DECLARED.replace('"linux/amd64"', '"linux/s390x", "linux/amd64"'), source, before)
    assert set(_platforms(_go(result))) == {*_BOTH, "linux/s390x"}


def test_a_platform_that_the_new_index_lost_fails_the_update(source: MemorySource) -> None:
    before = _locked(source)
    source.push(f"{_GO}:1", multi_platform_image("linux/amd64", note="new"))
    with pytest.raises(BatchError) as caught:
        _update(_DECLARED, source, before)
    assert caught.value.details == (f"go: {_GO}:1 has no linux/arm64 (it has: linux/amd64)",)


def test_only_the_named_images_move(source: MemorySource) -> None:
    images = f'{_DECLARED}\nother = "other:1"'
    source.push("docker.io/library/other:1", multi_platform_image(*_BOTH, note="other"))
    before = _locked(source, images)
    source.push(f"{_GO}:1", multi_platform_image(*_BOTH, note="new"))
    source.push("docker.io/library/other:1", multi_platform_image(*_BOTH, note="new other"))
    result = _update(images, source, before, "other")
    assert _go(result) == _go(before)
    assert result.lockfile != before
    other = "docker.io/library/other:1"
    assert _asked(source) == [f"HEAD {other}", f"GET {other}", *_READING_A_CONFIGURATION]


def test_a_frozen_image_stays_and_says_why(source: MemorySource) -> None:
    images = _DECLARED.replace('go = "go:1"', 'go = { image = "go:1", freeze = "until then" }')
    before = _locked(source, images)
    source.push(f"{_GO}:1", multi_platform_image(*_BOTH, note="new"))
    assert _update(images, source, before) == LockResult(before, notes=((Alias("go"), "frozen: until then"),))
    assert source.requests == []


def test_a_frozen_image_still_gets_the_platforms_and_the_tag_that_are_declared(source: MemorySource) -> None:
    images = _DECLARED.replace('go = "go:1"', 'go = { image = "go:1", freeze = "until then" }')
    before = _locked(source, images)
    more = _update(images.replace('"linux/amd64"', '"linux/s390x", "linux/amd64"'), source, before)
    assert set(_platforms(_go(more))) == {*_BOTH, "linux/s390x"}
    new = source.push(f"{_GO}:2", multi_platform_image(*_BOTH, note="new"))
    assert str(_go(_update(images.replace("go:1", "go:2"), source, before)).digest) == new.digest


def test_an_update_locks_what_is_not_locked(source: MemorySource) -> None:
    assert _update(_DECLARED, source, Lockfile()) == _lock(_DECLARED, source)


# batches


def _batch(source: MemorySource, failures: dict[str, ImagelockError]) -> BatchError:
    images = ["[images]", *(f'{name} = "{name}:1"' for name in ("c", "b", "go", "a"))]
    source.failures = {f"docker.io/library/{name}:1": error for name, error in failures.items()}
    for name in "abc":
        source.push(f"docker.io/library/{name}:1", multi_platform_image("linux/amd64", note=name))
    with pytest.raises(BatchError) as caught:
        _lock("\n".join(images), source)
    return caught.value


def test_all_failures_of_a_run_are_told_sorted(source: MemorySource) -> None:
    error = _batch(
        source,
        {
            "c": ImageNotFoundError("c is not there", details=["it has: d"]),
            "a": AuthenticationError("a wants a login", hint="run `docker login`"),
            "b": TemporaryError("b gives no answer", hint="wait"),
        },
    )
    assert error.message == "cannot lock 3 of 4 images; images.lock is unchanged"
    assert error.details == (
        "a: a wants a login",
        "  hint: run `docker login`",
        "b: b gives no answer",
        "  hint: wait",
        "c: c is not there",
        "  it has: d",
    )
    assert (error.hint, error.exit_code) == (None, ExitCode.CANNOT)


def test_a_hint_that_all_failures_share_is_given_once(source: MemorySource) -> None:
    error = _batch(source, {name: TemporaryError(f"{name} gives no answer", hint="wait") for name in "ab"})
    assert (error.details, error.hint) == (("a: a gives no answer", "b: b gives no answer"), "wait")


@pytest.mark.parametrize(
    ("failures", "exit_code"),
    [
        ({"a": TemporaryError("x"), "b": TemporaryError("y")}, ExitCode.TRY_AGAIN),
        ({"a": TemporaryError("x"), "b": ImageNotFoundError("y")}, ExitCode.CANNOT),
        ({"a": ImageNotFoundError("x")}, ExitCode.CANNOT),
    ],
)
def test_trying_again_helps_only_if_every_failure_may_pass(
    source: MemorySource, failures: dict[str, ImagelockError], exit_code: ExitCode
) -> None:
    assert _batch(source, failures).exit_code is exit_code


def test_one_image_is_no_plural(source: MemorySource) -> None:
    source.tags.clear()
    with pytest.raises(BatchError) as caught:
        _lock('[images]\ngo = "go:1"', source)
    assert caught.value.message == "cannot lock 1 of 1 image; images.lock is unchanged"
    assert caught.value.hint is None


def test_an_outage_while_an_old_index_is_looked_for_is_no_reason_to_take_the_new_one(source: MemorySource) -> None:
    before = _locked(source)
    source.failures = {f"{_GO}:1@{_go(before).digest}": TemporaryError("no answer")}
    _push_with_same_platforms(source)
    with pytest.raises(BatchError) as caught:
        _update(_DECLARED, source, before)
    assert caught.value.exit_code is ExitCode.TRY_AGAIN


def test_progress_is_told_for_each_image_that_was_asked_for(source: MemorySource) -> None:
    done: list[str] = []
    before = _locked(source)
    source.push("docker.io/library/a:1", multi_platform_image(*_BOTH, note="a"))
    images_file = parse_images_file(f'{_DECLARED}\na = "a:1"\nb = "b:1"')
    with pytest.raises(BatchError):
        run_steps(plan_lock(images_file, before), source, on_done=done.append, max_workers=1)
    assert sorted(done) == ["a", "b"]

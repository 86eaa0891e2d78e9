"""What git has merged without a conflict: entries of no side, and those of more sides than two."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from imagelock.errors import LockfileError, TemporaryError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.clean_merge import mend_clean_merge, settle_mixture
from imagelock.locking.lockfile import Lockfile, dump_lockfile, parse_lockfile
from imagelock.locking.merge import Merged, merge_conflict
from imagelock.locking.plan import LockResult, Unsettled, plan_lock, plan_update, run_steps
from imagelock.locking.steps import Repair
from imagelock.locking.update_step import Update
from tests.support.lock_runs import GO, NOW, lock, locked
from tests.support.locked_images import HEADER, lock_text, lockfile
from tests.support.memory_source import MemorySource
from tests.support.oci_images import image_index, platform_image

_START = f"{HEADER}version = 1\n"
_ONE = '[images]\na = { image = "a:1", platforms = ["linux/amd64"] }\n'
_ALL = '[images]\na = "a:1"\n'
_A = Alias("a")


def _entry(index: str, *, labels: str = "", declared: str = 'tag = "1"', platforms: str = "linux/amd64") -> str:
    """The entry of `a`, with labels such as ``version=1 source=x``."""
    text = lock_text(
        alias="a",
        repository="docker.io/library/a",
        declared=declared,
        index=index,
        platforms=platforms,
        has_checksum=True,
    )
    lines = "".join(f'{name} = "{value}"\n' for name, _, value in (it.partition("=") for it in labels.split()))
    return text + (f"\n[images.a.labels]\n{lines}" if labels else "")


def _settle(merged: str, *sides: str, images: str = _ONE) -> Merged | None:
    texts = [f"{_START}{side}" for side in sides]
    return settle_mixture(lockfile(merged), parse_images_file(images), read_parents=lambda: texts)


def _asks_for_index(found: Merged | None, entry: str, *, is_mixed: bool = True) -> bool:
    uncompared = Unsettled(uncompared=frozenset({_A}))
    return (found and (found.lockfile, found.unsettled, found.is_mixed)) == (lockfile(entry), uncompared, is_mixed)


_VERSION_1, _VERSION_2 = _entry("x", labels="version=1 created=1"), _entry("y", labels="version=2 created=2")


@pytest.mark.parametrize("labels", ["version=2 created=2", "version=1 created=2", "version=1", "", "source=z"])
def test_labels_that_no_side_has_with_the_content_become_those_of_the_content(labels: str) -> None:
    assert _asks_for_index(_settle(_entry("x", labels=labels), _VERSION_1, _VERSION_2), _VERSION_1)
    assert _asks_for_index(_settle(_entry("x", labels=labels), _VERSION_2, _VERSION_1), _VERSION_1)


@pytest.mark.parametrize("entry", [_VERSION_1, _VERSION_2, _entry("new", labels="version=1 created=2")])
def test_what_a_side_has_or_what_was_locked_since_is_left_alone(entry: str) -> None:
    assert _settle(entry, _VERSION_1, _VERSION_2) is None


def test_labels_on_which_the_sides_disagree_are_forgotten() -> None:
    other = _entry("x", labels="version=3")
    assert _asks_for_index(_settle(_entry("x", labels="source=z"), _VERSION_1, other), _entry("x"))
    assert _settle(other, _VERSION_1, other) is None


def test_a_renamed_image_has_the_labels_of_its_content() -> None:
    mixed = _entry("x", labels="version=2").replace("[images.a", "[images.b")
    found = _settle(mixed, _VERSION_1, _VERSION_2, images=_ONE)
    assert found is not None
    assert [(it.alias, it.labels.version, it.labels.created) for it in found.lockfile.images] == [("b", "1", "1")]
    assert found.unsettled == Unsettled(uncompared=frozenset({_A}))


_EVERY = 'tag = "1", platforms = "all"'


def test_every_platform_of_one_side_with_fewer_platforms_of_another_is_completed() -> None:
    fewer, every = _entry("x"), _entry("x", declared=_EVERY, platforms="linux/amd64 linux/arm64")
    mixed = _entry("x", declared=_EVERY)
    for sides in ((fewer, _entry("y", declared=_EVERY)), (_entry("y", declared=_EVERY), fewer)):
        assert _asks_for_index(_settle(mixed, *sides, images=_ALL), mixed, is_mixed=False)
    unproven = re.sub("checksum = .*\n", "", every)
    assert _asks_for_index(_settle(mixed, fewer, unproven, images=_ALL), mixed, is_mixed=False)
    for sides in ((fewer, every), (every, fewer)):
        found = _settle(mixed, *sides, images=_ALL)
        assert found is not None
        assert (found.lockfile, found.unsettled, found.is_mixed) == (lockfile(every), Unsettled(), True)
    for entry in (fewer, every):
        assert _settle(entry, fewer, every, images=_ALL) is None
    other = _entry("x", declared=_EVERY, platforms="linux/s390x")
    assert _asks_for_index(_settle(other, fewer, every, images=_ALL), other, is_mixed=False)


def test_a_build_of_windows_that_the_other_side_did_not_name_asks_for_the_index() -> None:
    builds = "windows(10.0.1)/amd64"
    named = _entry("x", declared=f'tag = "1", platforms = ["{builds}"]', platforms=builds)
    mixed = _entry("x", platforms=builds)
    images = '[images]\na = { image = "a:1", platforms = ["windows/amd64"] }\n'
    assert _asks_for_index(_settle(mixed, named, _entry("y"), images=images), mixed, is_mixed=False)
    assert _settle(mixed, mixed, named, images=images) is None


def test_labels_beside_a_damaged_entry_are_settled_too() -> None:
    ours, theirs = (lock_text(alias="b", repository="docker.io/library/b", index=it, has_checksum=True) for it in "pq")
    digests = [str(lockfile(it).images[0].digest) for it in (ours, theirs)]
    mixed = _entry("x", labels="version=2") + ours.replace(digests[0], digests[1])
    images = f'{_ONE}b = {{ image = "b:1", platforms = ["linux/amd64", "linux/arm64"] }}'
    found = _settle(mixed, _VERSION_1 + ours, _VERSION_2 + theirs, images=images)
    assert found is not None
    assert found.lockfile == lockfile(_VERSION_1, ours)
    expected = Unsettled(other_index=frozenset({Alias("b")}), uncompared=frozenset({_A}))
    assert (found.unsettled, found.is_mixed) == (expected, True)


def test_a_conflict_with_labels_on_which_the_files_before_it_disagree_asks_for_the_index() -> None:
    other, third = (_entry("x", labels=labels) for labels in ("version=3", "source=z"))
    text = f"{_START}<<<<<<< HEAD\n{_VERSION_1}=======\n{third}>>>>>>> branch\n"
    originals = (f"{_START}{_VERSION_1}", f"{_START}{other}")
    found = merge_conflict(text, parse_images_file(_ONE), read_originals=lambda: originals)
    assert found.lockfile == lockfile(_VERSION_1)
    text = text.replace(_VERSION_1, third)
    found = merge_conflict(text, parse_images_file(_ONE), read_originals=lambda: originals)
    assert _asks_for_index(found, _entry("x"))


def test_a_side_that_cannot_be_read_tells_nothing() -> None:
    mixed = _entry("x", labels="version=2")
    assert _settle(mixed, _VERSION_1, "[") is None
    assert settle_mixture(lockfile(mixed), parse_images_file(_ONE)) is None


_RANGED = _entry("x", declared='version = "<2,>=1", tag = "{version}"').replace('\ntag = "1"', '\ntag = "1.0"')
_EXACT = lock_text(alias="a", repository="docker.io/library/a", index="z", platforms="linux/amd64", has_checksum=True)
_SWAPPED = '[images]\na = "a:1"\nweb = { image = "a", version = ">=1,<2" }\n'


def _in_web(entry: str) -> str:
    return entry.replace("[images.a", "[images.web")


@pytest.mark.parametrize("freeze", ["", ', freeze = "why"'])
def test_an_entry_that_git_has_lost_is_taken_from_the_sides(freeze: str) -> None:
    """One side has swapped two names, and git took one entry of each side: the same one twice."""
    images = 'platforms = ["linux/amd64"]\n' + _SWAPPED.replace(" }", f"{freeze} }}")
    sides = (_EXACT + _in_web(_RANGED), _RANGED + _in_web(_EXACT))
    left = _EXACT + _in_web(_EXACT)
    found = _settle(left, *sides, images=images)
    assert found is not None
    assert found.before == lockfile(left), "what is brought back was not in the file"
    assert (found.unsettled, found.is_mixed) == (Unsettled(), True)
    [web] = [image for image in found.lockfile.images if image.tag == "1.0"]
    assert str(web.digest) == str(lockfile(_RANGED).images[0].digest)
    assert len(found.lockfile.images) == len(lockfile(left).images)


def test_an_entry_that_one_side_has_alone_and_git_has_lost_is_taken_from_it() -> None:
    images = f'platforms = ["linux/amd64"]\n{_SWAPPED}'
    for sides in ((_EXACT, _EXACT + _in_web(_RANGED)), (_EXACT + _in_web(_RANGED), _EXACT)):
        found = _settle(_EXACT, *sides, images=images)
        assert found is not None
        assert (found.lockfile, found.unsettled) == (lockfile(_EXACT + _in_web(_RANGED)), Unsettled())
    assert _settle(_EXACT, _EXACT, _EXACT, images=images) is None, "no side has it: it is locked for the first time"
    texts = [f"{_START}{it}" for it in (_EXACT, _EXACT + _in_web(_RANGED))]
    found = settle_mixture(
        lockfile(_EXACT), parse_images_file(images), read_parents=lambda: texts, is_declared_since=lambda: True
    )
    assert found is None


def test_a_lost_entry_on_which_the_sides_disagree_is_chosen_again() -> None:
    other = _RANGED.replace('\ntag = "1.0"', '\ntag = "1.1"')
    newer = other.replace(str(lockfile(other).images[0].digest), str(lockfile(_entry("y")).images[0].digest))
    newer = re.sub('checksum = ".*"', f'checksum = "{lockfile(_entry("y")).images[0].checksum}"', newer)
    images = f'platforms = ["linux/amd64"]\n{_SWAPPED}'
    found = _settle(_EXACT, _EXACT + _in_web(_RANGED), _EXACT + _in_web(newer), images=images)
    assert found is not None
    assert found.unsettled == Unsettled(other_index=frozenset({Alias("web")}))
    assert [image.tag for image in found.lockfile.images] == ["1", "1.1"]
    frozen = images.replace(" }", ', freeze = "why" }')
    with pytest.raises(LockfileError, match="cannot merge the two sides"):
        _settle(_EXACT, _EXACT + _in_web(_RANGED), _EXACT + _in_web(newer), images=frozen)


# more than two sides


def test_a_damaged_entry_is_merged_from_every_side() -> None:
    sides = [_entry(index) for index in ("x", "x", "y")]
    digests = [str(lockfile(it).images[0].digest) for it in sides]
    mixed = sides[0].replace(digests[0], digests[2])
    again = Unsettled(other_index=frozenset({_A}))
    for order in (sides, sides[::-1], [sides[0], sides[2], sides[1]]):
        found = _settle(mixed, *order)
        assert found is not None
        assert (found.lockfile, found.unsettled) == (lockfile(order[0]), again)
    found = _settle(mixed, sides[0], sides[1], sides[0])
    assert found is not None
    assert (found.lockfile, found.unsettled) == (lockfile(sides[0]), Unsettled())


def test_of_sides_that_images_toml_allows_those_with_one_index_agree() -> None:
    """The third side has another tag, which images.toml does not declare any more."""
    other = _entry("y", declared='tag = "2"').replace('\ntag = "1"', '\ntag = "2"')
    sides = [_entry("x"), other, _entry("x", platforms="linux/arm64")]
    mixed = sides[0].replace(str(lockfile(sides[0]).images[0].digest), str(lockfile(other).images[0].digest))
    found = _settle(mixed, *sides)
    assert found is not None
    assert (found.lockfile, found.unsettled) == (lockfile(sides[0]), Unsettled())


@pytest.mark.parametrize("order", ["xyx", "yxx", "xxy", "xyz"])
def test_all_entries_of_one_image_are_compared(order: str) -> None:
    images = parse_images_file(_ONE)
    merged = mend_clean_merge(_START + "".join(map(_entry, order)), images)
    assert merged is not None
    assert (merged.unsettled, merged.lockfile) == (
        Unsettled(other_index=frozenset({_A})),
        lockfile(_entry(order[0])),
    )
    frozen = parse_images_file(_ONE.replace(" }", ', freeze = "why" }'))
    with pytest.raises(LockfileError) as raised:
        mend_clean_merge(_START + "".join(map(_entry, order)), frozen)
    digests = dict.fromkeys(lockfile(_entry(index)).images[0].digest.short for index in order)
    assert raised.value.details == (f"a: frozen (why), and the sides lock {' and '.join(digests)}",)


def test_three_equal_entries_of_one_image_are_one() -> None:
    merged = mend_clean_merge(_START + _entry("x") * 3, parse_images_file(_ONE))
    assert merged is not None
    assert (merged.unsettled, merged.lockfile) == (Unsettled(), lockfile(_entry("x")))


# what becomes of it

_IMAGES = '[images]\ngo = "go:1"\n'
_UNCOMPARED = Unsettled(uncompared=frozenset({Alias("go")}))


def _run(entries: Lockfile, source: MemorySource) -> LockResult:
    steps = plan_lock(parse_images_file(_IMAGES), entries, now=NOW, unsettled=_UNCOMPARED)
    return run_steps(steps, source)


def _push(source: MemorySource) -> None:
    annotations = {"org.opencontainers.image.version": "right"}
    platforms = ("linux/amd64", "linux/arm64")
    source.push(f"{GO}:1", image_index(*map(platform_image, platforms), annotations=annotations))


def test_labels_and_platforms_are_read_from_the_index(source: MemorySource) -> None:
    _push(source)
    right = locked(source, _IMAGES)
    other = parse_lockfile(dump_lockfile(right).replace('"right"', '"wrong"'))
    assert _run(other, source) == LockResult(right)
    [image] = right.images
    fewer = Lockfile((replace(image, platform_digests=image.platform_digests[:1]),))
    note = "its platforms were not those of its index: they were read anew from it"
    assert _run(fewer, source) == LockResult(right, notes=((Alias("go"), note),))
    assert lock(_IMAGES, source, right) == LockResult(right)


def test_an_index_that_cannot_be_read_is_told(source: MemorySource) -> None:
    _push(source)
    right = locked(source, _IMAGES)
    source.failures = {f"{GO}:1@{right.images[0].digest}": TemporaryError("not now")}
    warning = "its platforms were not compared with its index: not now"
    assert _run(right, source) == LockResult(right, warnings=((Alias("go"), warning),))


def test_an_update_that_keeps_the_index_reads_its_labels(source: MemorySource) -> None:
    """Another index has the same platforms: that is no reason to move."""
    _push(source)
    right = locked(source, _IMAGES)
    old = source.tags[f"{GO}:1"]
    source.push(f"{GO}:1", image_index(*map(platform_image, ("linux/amd64", "linux/arm64"))))
    assert source.tags[f"{GO}:1"].digest != old.digest
    wrong = parse_lockfile(dump_lockfile(right).replace('"right"', '"wrong"'))
    steps = plan_update(parse_images_file(_IMAGES), wrong, aliases=["go"], now=NOW, unsettled=_UNCOMPARED)
    note = "index re-pushed, your platforms are unchanged (use --index to take it)"
    assert run_steps(steps, source) == LockResult(right, notes=((Alias("go"), note),))


def test_an_update_reads_the_index_as_well(source: MemorySource) -> None:
    _push(source)
    images = parse_images_file(_IMAGES)
    [step] = plan_update(images, locked(source, _IMAGES), aliases=["go"], now=NOW, unsettled=_UNCOMPARED)
    assert isinstance(step, Update)
    assert isinstance(step.smallest_step, Repair)

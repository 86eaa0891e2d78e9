"""The checksum of an entry: what it covers, how it is read, and what a damaged entry becomes."""

from __future__ import annotations

import re

import pytest

from imagelock.errors import (
    AuthenticationError,
    BatchError,
    ImageNotFoundError,
    LockfileError,
    RegistryError,
    TemporaryError,
)
from imagelock.images_file.declaration import Alias
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.changes import Updated, find_changes
from imagelock.locking.freshness import Damaged, find_mismatches
from imagelock.locking.lockfile import Lockfile, dump_lockfile, entry_checksum, parse_lockfile
from imagelock.locking.plan import LockResult, plan_lock, run_steps
from tests.support.lock_runs import BOTH, DECLARED, GO, NOW, go, lock, locked, platforms_of, update
from tests.support.locked_images import HEADER, digest, lock_text
from tests.support.memory_source import MemorySource
from tests.support.oci_images import multi_platform_image

_ZEROS = f"sha256:{'0' * 64}"


def test_the_checksum_is_that_of_the_design() -> None:
    platforms = {"windows(10.0.20348.2582)/amd64": f"sha256:{'c' * 64}", "linux/amd64": f"sha256:{'b' * 64}"}
    found = entry_checksum("docker.io/library/golang", f"sha256:{'a' * 64}", platforms.items())
    assert found == "ae51400ffb920711"


def _with_checksum(entry: str, checksum: str) -> str:
    return HEADER + "version = 1\n" + entry.replace("\n\n[", f"\nchecksum = {checksum}\n\n[", 1)


def _right(*, platforms: str = "linux/amd64 linux/arm64") -> str:
    lines = ((name, str(digest(name))) for name in platforms.split())
    return f'"{entry_checksum("docker.io/library/go", str(digest("index")), lines)}"'


@pytest.mark.parametrize("platforms", ["linux/amd64 linux/arm64", "linux/arm64 amd64", "linux/arm64/v8 linux/amd64"])
def test_a_checksum_over_the_keys_as_they_are_written_is_right(platforms: str) -> None:
    text = _with_checksum(lock_text(platforms=platforms), _right(platforms=platforms))
    for line_end in ("\n", "\r\n"):
        image = go(parse_lockfile(text.replace("\n", line_end)))
        assert (image.is_damaged, image.lacks_checksum) == (False, False)


def test_an_entry_without_checksum_is_accepted_and_gets_none_that_nothing_proves() -> None:
    lockfile = parse_lockfile(HEADER + "version = 1\n" + lock_text())
    assert find_mismatches(parse_images_file(DECLARED), lockfile) == ()
    assert go(lockfile).lacks_checksum
    assert parse_lockfile(dump_lockfile(lockfile)) == lockfile


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (str(digest("index")), _ZEROS),
        (str(digest("linux/arm64")), _ZEROS),
        (f'"linux/arm64" = "{digest("linux/arm64")}"\n', ""),
        ('"linux/arm64"', '"linux/s390x"'),
        ("docker.io/library/go", "docker.io/library/og"),
        ('checksum = "', 'checksum = "0'),
        (f"checksum = {_right()}", 'checksum = ""'),
    ],
)
def test_whatever_the_checksum_covers_damages_the_entry(old: str, new: str) -> None:
    text = _with_checksum(lock_text(), _right())
    assert old in text
    lockfile = parse_lockfile(text.replace(old, new, 1))
    assert go(lockfile).is_damaged
    images_file = parse_images_file(DECLARED)
    assert Damaged(go(lockfile).alias) in find_mismatches(images_file, lockfile)
    assert parse_lockfile(dump_lockfile(lockfile)) == lockfile, "a rewrite of other entries must not hide the damage"


@pytest.mark.parametrize("line", ['tag = "1"\n', 'declared = { tag = "1" }\n'])
def test_what_selects_the_image_is_not_covered(line: str) -> None:
    text = _with_checksum(lock_text(), _right())
    assert not go(parse_lockfile(text.replace(line, line.replace("1", "2")))).is_damaged


def test_a_checksum_must_be_a_text() -> None:
    with pytest.raises(LockfileError, match="is damaged") as raised:
        parse_lockfile(_with_checksum(lock_text(), "5"))
    assert raised.value.details == ("images.lock:9: images.go.checksum: must be a string",)


def _damaged(lockfile: Lockfile, *, position: int = 1) -> Lockfile:
    """The lock with the digest of one platform edited by hand."""
    text = dump_lockfile(lockfile)
    platform = go(lockfile).platform_digests[position]
    return parse_lockfile(text.replace(str(platform.digest), _ZEROS))


_NOTE = "the entry was damaged: its platforms were read anew from the locked index"


def test_lock_reads_a_damaged_entry_anew_from_the_locked_index_though_the_tag_has_moved(source: MemorySource) -> None:
    before = locked(source)
    source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    result = lock(DECLARED, source, _damaged(before))
    assert result == LockResult(before, notes=((Alias("go"), _NOTE),))
    assert source.requests == [f"GET {GO}:1@{go(before).digest}"]
    (change,) = find_changes(_damaged(before), result.lockfile)
    assert isinstance(change, Updated)
    assert change.is_repair


def test_update_repairs_too_where_nothing_moved(source: MemorySource) -> None:
    before = locked(source)
    assert update(DECLARED, source, _damaged(before)) == LockResult(before, notes=((Alias("go"), _NOTE),))


def test_update_takes_a_moved_tag_instead_of_repairing(source: MemorySource) -> None:
    before = locked(source)
    new = source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    assert str(go(update(DECLARED, source, _damaged(before))).digest) == new.digest


def test_a_frozen_image_is_repaired_and_does_not_move(source: MemorySource) -> None:
    images = DECLARED.replace('go = "go:1"', 'go = { image = "go:1", freeze = "until then" }')
    before = locked(source, images)
    source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    assert update(images, source, _damaged(before)).lockfile == before


def test_a_platform_that_is_missing_from_all_is_found_again(source: MemorySource) -> None:
    images = '[images]\ngo = "go:1"'
    before = locked(source, images)
    text = dump_lockfile(before)
    line = next(line for line in text.splitlines(keepends=True) if line.startswith('"linux/s390x"'))
    result = lock(images, source, parse_lockfile(text.replace(line, "")))
    assert set(platforms_of(go(result))) == {*BOTH, "linux/s390x"}


def test_a_damaged_entry_whose_index_is_gone_needs_an_update(source: MemorySource) -> None:
    before = locked(source)
    source.forget(source.tags[f"{GO}:1"])
    images_file = parse_images_file(DECLARED)
    with pytest.raises(BatchError) as raised:
        run_steps(plan_lock(images_file, _damaged(before), now=NOW), source)
    reference = f"{GO}:1@{go(before).digest}"
    assert raised.value.message == (
        f"cannot lock `go`: the entry is damaged, and its index cannot be read: {reference} is not there"
    )
    assert raised.value.hint == "run `imagelock update go`"


def test_update_reads_an_entry_without_checksum_anew_from_its_index(source: MemorySource) -> None:
    before = locked(source)
    other = source.push(f"{GO}:2", multi_platform_image(*BOTH, note="other"))
    text = re.sub("checksum = .*\n", "", dump_lockfile(before))
    unsure = parse_lockfile(text)
    assert update(DECLARED, source, unsure) == LockResult(before)
    digest = str(go(before).platform_digests[1].digest)
    mixed = parse_lockfile(text.replace(digest, other.children[1].digest))
    assert update(DECLARED, source, mixed) == LockResult(before, notes=((Alias("go"), _NOTE),))


@pytest.mark.parametrize("how", ["freeze", "digest"])
def test_update_reads_it_anew_also_where_nothing_may_move(source: MemorySource, how: str) -> None:
    digest = source.tags[f"{GO}:1"].digest
    image = '{ image = "go:1", freeze = "why" }' if how == "freeze" else f'"go:1@{digest}"'
    images = f'platforms = ["linux/amd64", "linux/arm64"]\n[images]\ngo = {image}'
    before = locked(source, images)
    other = source.push(f"{GO}:2", multi_platform_image(*BOTH, note="other"))
    text = re.sub("checksum = .*\n", "", dump_lockfile(before))
    wrong = text.replace(str(go(before).platform_digests[1].digest), other.children[1].digest)
    assert update(images, source, parse_lockfile(wrong)).lockfile == before


def _without_checksum(lockfile: Lockfile) -> str:
    return re.sub("checksum = .*\n", "", dump_lockfile(lockfile))


def test_lock_compares_an_entry_without_checksum_with_its_index_before_it_writes_one(source: MemorySource) -> None:
    before = locked(source)
    source.push(f"{GO}:1", multi_platform_image(*BOTH, note="new"))
    assert lock(DECLARED, source, parse_lockfile(_without_checksum(before))) == LockResult(before)
    assert source.requests == [f"GET {GO}:1@{go(before).digest}"]
    edited = _without_checksum(before).replace(str(go(before).platform_digests[1].digest), _ZEROS)
    note = "its platforms were not those of its index: they were read anew from it"
    assert lock(DECLARED, source, parse_lockfile(edited)) == LockResult(before, notes=((Alias("go"), note),))


@pytest.mark.parametrize("error", [ImageNotFoundError, TemporaryError, AuthenticationError])
def test_lock_says_that_an_entry_without_checksum_was_not_compared(
    source: MemorySource, error: type[RegistryError]
) -> None:
    before = locked(source)
    source.failures = {f"{GO}:1@{go(before).digest}": error("it cannot be read")}
    steps = plan_lock(parse_images_file(DECLARED), parse_lockfile(_without_checksum(before)), now=NOW)
    result = run_steps(steps, source)
    warning = "its platforms were not compared with its index, so that it gets no checksum: it cannot be read"
    assert result.warnings == ((Alias("go"), warning),)
    assert dump_lockfile(result.lockfile) == _without_checksum(before)


def test_lock_refuses_an_entry_without_checksum_whose_index_lacks_a_platform(source: MemorySource) -> None:
    before = locked(source)
    text = _without_checksum(before).replace("linux/arm64", "linux/riscv64")
    images_file = parse_images_file(DECLARED.replace("linux/arm64", "linux/riscv64"))
    assert find_mismatches(images_file, parse_lockfile(text)) == ()
    with pytest.raises(BatchError, match=r"has no linux/riscv64 \(it has: "):
        run_steps(plan_lock(images_file, parse_lockfile(text), now=NOW), source)

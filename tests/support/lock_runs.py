"""Lock and update against a registry in memory, held to the rules of every lock."""

from __future__ import annotations

from datetime import UTC, datetime

from imagelock.images_file.parser import parse_images_file
from imagelock.locking.freshness import find_mismatches
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.locking.plan import LockResult, plan_lock, plan_update, run_steps
from tests.support.memory_source import MemorySource
from tests.support.oci_images import Content

GO = "docker.io/library/go"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOTH = ("linux/amd64", "linux/arm64")
DECLARED = 'platforms = ["linux/amd64", "linux/arm64"]\n[images]\ngo = "go:1"'


def lock(images: str, source: MemorySource, before: Lockfile | None = None) -> LockResult:
    """Lock, and hold to two rules of every lock: it answers, and locking again changes nothing and asks nobody."""
    images_file = parse_images_file(images)
    result = run_steps(plan_lock(images_file, before or Lockfile(), now=NOW), source)
    assert find_mismatches(images_file, result.lockfile) == ()
    asked = list(source.requests)
    assert run_steps(plan_lock(images_file, result.lockfile, now=NOW), source).lockfile == result.lockfile
    assert source.requests == asked
    return result


def update(
    images: str, source: MemorySource, before: Lockfile, *names: str, takes_every_index: bool = False
) -> LockResult:
    images_file = parse_images_file(images)
    aliases = names or [image.alias for image in images_file.images]
    steps = plan_update(images_file, before, aliases=aliases, takes_every_index=takes_every_index, now=NOW)
    result = run_steps(steps, source)
    assert find_mismatches(images_file, result.lockfile) == ()
    return result


def locked(source: MemorySource, images: str = DECLARED) -> Lockfile:
    before = lock(images, source).lockfile
    source.requests.clear()
    return before


def go(result: LockResult | Lockfile) -> LockedImage:
    lockfile = result.lockfile if isinstance(result, LockResult) else result
    return lockfile.by_alias()["go"]


def platforms_of(image: LockedImage) -> dict[str, str]:
    return {str(entry.platform): str(entry.digest) for entry in image.platform_digests}


def platform_digest(index: Content, position: int) -> str:
    return index.children[position].digest

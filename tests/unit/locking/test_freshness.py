from __future__ import annotations

import pytest

from imagelock.images_file.parser import parse_images_file
from imagelock.locking.freshness import find_mismatches
from imagelock.locking.lockfile import Lockfile
from tests.support.locked_images import digest, lock_text, lockfile

_INDEX = digest("index")
_SHORT = _INDEX.short


def _mismatches(images: str, *entries: str) -> list[str]:
    found = find_mismatches(parse_images_file(images), lockfile(*entries))
    return [f"{mismatch.alias}: {mismatch}" for mismatch in found]


@pytest.mark.parametrize(
    ("declared", "entry"),
    [
        ('image = "go:1"\nplatforms = ["linux/amd64", "linux/arm64"]', lock_text()),
        ('image = "docker.io/library/go"\ntag = "1"\nplatforms = ["arm64", "amd64"]', lock_text()),
        ('image = "go:1"', lock_text(declared='tag = "1", platforms = "all"')),
        ('image = "go:1"\nplatforms = ["linux/arm64/v8"]', lock_text(platforms="linux/arm64")),
        ('image = "go:1"\nplatforms = ["windows/amd64"]', lock_text(platforms="windows(10.0.1)/amd64")),
        (
            'image = "go:1"\nplatforms = ["windows(10.0)/amd64"]',
            lock_text(declared='tag = "1", platforms = ["windows(10.0)/amd64"]', platforms="windows(10.0.1)/amd64"),
        ),
        ('image = "go:1"\nplatforms = ["windows(10.0)/amd64"]', lock_text(platforms="windows(10.0.1)/amd64")),
        (
            'image = "go:1"\nplatforms = ["linux/386"]',
            lock_text(declared='tag = "1", platforms = ["linux/386"]', platforms="linux/386"),
        ),
        (
            f'image = "go@{_INDEX}"\nplatforms = ["linux/386"]',
            lock_text(declared=f'digest = "{_INDEX}"', tag=None, platforms="linux/386"),
        ),
        (
            f'image = "go:1@{_INDEX}"\nplatforms = ["linux/386"]',
            lock_text(declared=f'tag = "1", digest = "{_INDEX}"', platforms="linux/386"),
        ),
        (
            'image = "go"\nversion = ">=1,<2"\nplatforms = ["linux/386"]',
            lock_text(declared='version = "<2,>=1", tag = "{version}"', tag="1.5", platforms="linux/386"),
        ),
        ('image = "go:1"\nfreeze = "why"\nplatforms = ["linux/386"]', lock_text(platforms="linux/386")),
    ],
)
def test_a_lock_that_answers_has_no_mismatch(declared: str, entry: str) -> None:
    assert _mismatches(f"[images.go]\n{declared}", entry) == []


@pytest.mark.parametrize(
    ("declared", "entry", "reasons"),
    [
        (
            'image = "ghcr.io/a/go:1"\nplatforms = ["linux/386"]',
            lock_text(platforms="linux/386"),
            ["the image is now ghcr.io/a/go; docker.io/library/go is locked"],
        ),
        (
            'image = "go:1"\nplatforms = ["windows/amd64"]',
            lock_text(declared='tag = "1", platforms = ["windows(10.0)/amd64"]', platforms="windows(10.0.1)/amd64"),
            ["platform windows/amd64 declared, a build of it locked by its name"],
        ),
        (
            'image = "go:1"\nplatforms = ["windows(10.0.1)/amd64"]',
            lock_text(declared='tag = "1", platforms = ["windows(10.0)/amd64"]', platforms="windows(10.0.1)/amd64"),
            ["images.toml names other Windows builds"],
        ),
        (
            'image = "go:2"\nplatforms = ["linux/386"]',
            lock_text(platforms="linux/386"),
            ["images.toml now has tag `2`; tag `1` is locked"],
        ),
        (
            f'image = "go@{_INDEX}"\nplatforms = ["linux/386"]',
            lock_text(platforms="linux/386"),
            [f"images.toml now has digest `{_SHORT}`; tag `1` is locked and satisfies it"],
        ),
        (
            f'image = "go:2@{_INDEX}"\nplatforms = ["linux/386"]',
            lock_text(declared=f'tag = "1", digest = "{_INDEX}"', platforms="linux/386"),
            [f"images.toml now has digest `{_SHORT}` with tag `2`; tag `1` is locked and satisfies it"],
        ),
        (
            'image = "go:1"\nplatforms = ["linux/386"]',
            lock_text(declared=f'digest = "{_INDEX}"', tag=None, platforms="linux/386"),
            [f"images.toml now has tag `1`; digest `{_SHORT}` is locked"],
        ),
        (
            'image = "go"\nversion = ">=2,<3"\nplatforms = ["linux/386"]',
            lock_text(declared='version = "<2,>=1", tag = "{version}"', tag="1.5", platforms="linux/386"),
            ["images.toml now has version `>=2,<3`; tag `1.5` is locked"],
        ),
        (
            'image = "go"\nversion = ">=1.2,<3"\nplatforms = ["linux/386"]',
            lock_text(declared='version = "<2,>=1", tag = "{version}"', tag="1.5", platforms="linux/386"),
            ["images.toml now has version `>=1.2,<3`; tag `1.5` is locked and satisfies it"],
        ),
        (
            'image = "go:1"\nplatforms = ["linux/386", "linux/arm64"]',
            lock_text(),
            [
                "platform linux/386 declared, but not locked",
                "platform linux/amd64 locked, but no longer declared",
            ],
        ),
        ('image = "go:1"', lock_text(), ["every platform declared, a list of platforms locked"]),
        (
            'image = "go:1"\nplatforms = ["linux/amd64", "linux/arm64"]',
            lock_text(declared='tag = "1", platforms = "all"'),
            ["a list of platforms declared, every platform locked"],
        ),
    ],
)
def test_a_mismatch_says_what_is_declared_and_what_is_locked(declared: str, entry: str, reasons: list[str]) -> None:
    assert _mismatches(f"[images.go]\n{declared}", entry) == [f"go: {reason}" for reason in reasons]


@pytest.mark.parametrize(
    ("declared", "entry", "reason"),
    [
        ("go:1", lock_text(tag="2", platforms="linux/386"), "images.toml now has tag `1`; tag `2` is locked"),
        (
            "go:1",
            lock_text(tag=None, platforms="linux/386"),
            f"images.toml now has tag `1`; digest `{_SHORT}` is locked",
        ),
        (
            f"go@{_INDEX}",
            lock_text(declared=f'digest = "{_INDEX}"', tag=None, index="x", platforms="linux/386"),
            f"images.toml now has digest `{_SHORT}`; digest `{digest('x').short}` is locked",
        ),
        (
            f"go:1@{_INDEX}",
            lock_text(declared=f'tag = "1", digest = "{_INDEX}"', tag="2\\nRUN evil", platforms="linux/386"),
            f"images.toml now has digest `{_SHORT}` with tag `1`; tag `2\nRUN evil` is locked and satisfies it",
        ),
    ],
)
def test_an_entry_that_somebody_edited_is_noticed(declared: str, entry: str, reason: str) -> None:
    images = f'platforms = ["linux/386"]\n[images]\ngo = "{declared}"'
    assert _mismatches(images, entry) == [f"go: {reason}"]


def test_images_that_only_one_file_has_are_named_in_order() -> None:
    images = '[images]\nb = "b"\nd = "d"'
    assert _mismatches(images, lock_text(alias="c"), lock_text(alias="a")) == [
        "a: locked, but no longer declared",
        "b: declared, but not locked",
        "c: locked, but no longer declared",
        "d: declared, but not locked",
    ]


def test_two_empty_files_answer_each_other() -> None:
    assert find_mismatches(parse_images_file(""), Lockfile()) == ()

"""Which entry of images.lock belongs to which image."""

from __future__ import annotations

import pytest

from imagelock.images_file.parser import parse_images_file
from imagelock.locking.identity import match_entries
from tests.support.locked_images import lock_text, lockfile

_LOCKED = lockfile(
    lock_text(alias="a", repository="docker.io/library/a"),
    lock_text(alias="b", repository="docker.io/library/b"),
    lock_text(alias="c", repository="docker.io/library/c"),
)


@pytest.mark.parametrize(
    ("images", "matched"),
    [
        ('a = "a:1"\nb = "b:1"', {"a": "a", "b": "b"}),
        ('x = "a:1"', {"x": "a"}),
        ('A = "a:1"', {"A": "a"}),
        ('a = "b:1"\nb = "a:1"', {"a": "b", "b": "a"}),
        ('a = "b:1"\nb = "c:1"\nc = "a:1"', {"a": "b", "b": "c", "c": "a"}),
        # A new image takes the name of one that was renamed.
        ('x = "a:1"\na = "new:1"', {"x": "a"}),
        ('x = "a:1"\na = "a:2"', {"x": "a"}),
        # The name stays, and another tag is declared.
        ('a = "a:2"', {"a": "a"}),
        ('a = "new:1"', {"a": "a"}),
        # Renamed, and declared by other words that the locked content satisfies.
        ('x = { image = "a", version = ">=1,<2" }', {"x": "a"}),
        ('x = { image = "a", version = ">=2,<3" }', {}),
        ('x = "a:2"', {}),
        ('x = "new:1"', {}),
        ("", {}),
    ],
)
def test_an_entry_follows_its_image(images: str, matched: dict[str, str]) -> None:
    declarations = parse_images_file(f"[images]\n{images}").images
    found = match_entries(declarations, _LOCKED.images)
    assert {alias: entry.alias for alias, entry in found.items()} == matched

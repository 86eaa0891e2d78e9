"""What index.json lists after a mirror: names on their content, entries of others as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import LayoutRepository
from imagelock.registry.layout_writer import Entry, keep_locked, merge_entries, name_of
from imagelock.registry.oci_layout import LayoutSource
from tests.support.oci_images import OCI, Content, multi_platform_image, platform_image
from tests.support.oci_layout import write_layout

_GO = "docker.io/library/go:1"


def _digest(character: str) -> Digest:
    return Digest("sha256", character * 64)


def _descriptor(character: str) -> Descriptor:
    return Descriptor(media_type=OCI.index, digest=_digest(character), size_bytes=7)


def _entry(name: str | None, character: str, **other: object) -> Entry:
    annotations = {} if name is None else {"org.opencontainers.image.ref.name": name}
    return {
        "mediaType": OCI.index,
        "digest": str(_digest(character)),
        "size": 7,
        "annotations": {**annotations, **other},
    }


def test_new_names_come_sorted() -> None:
    names = {"b:1": _descriptor("b"), "a:1": _descriptor("a")}
    assert merge_entries([], names) == [_entry("a:1", "a"), _entry("b:1", "b")]


def test_entries_of_others_and_what_they_say_stay() -> None:
    others = [_entry("z:1", "f"), {**_entry(None, "e"), "x-key": [1]}]
    same = _entry("a:1", "a", **{"io.containerd.image.name": "a:1"})
    assert merge_entries([*others, same], {"a:1": _descriptor("a")}) == [same, *others]


def test_merging_again_changes_nothing() -> None:
    names = {"b:1": _descriptor("b"), "a:1": _descriptor("a")}
    once = merge_entries([_entry(None, "f"), _entry("c:1", "c")], names)
    assert merge_entries(once, names) == once


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (_GO, "docker.io/library/go@"),
        ("localhost:5000/go:1", "localhost:5000/go@"),
        ("go-1.22", "go-1.22@"),
    ],
)
def test_content_whose_name_moves_keeps_a_name_of_its_own(name: str, kept: str) -> None:
    merged = merge_entries([_entry(name, "0")], {name: _descriptor("1")})
    assert {name_of(entry): entry["digest"] for entry in merged} == {
        name: str(_digest("1")),
        f"{kept}{_digest('0')}": str(_digest("0")),
    }


def test_a_list_of_signatures_that_moves_is_replaced() -> None:
    tag = f"docker.io/library/go:sha256-{'a' * 64}.sig"
    assert merge_entries([_entry(tag, "0")], {tag: _descriptor("1")}) == [_entry(tag, "1")]


def test_only_the_locked_content_and_its_signatures_are_kept(tmp_path: Path) -> None:
    go, old = (multi_platform_image("linux/amd64", note=note) for note in ("go", "old"))
    signature, other = (platform_image("linux/amd64", files={"signature": note}).content for note in (b"go", b"old"))
    tags = {
        _GO: go,
        f"docker.io/library/go@{old.digest}": old,
        f"docker.io/library/go:{go.children[0].digest.replace(':', '-')}.sig": signature,
        f"docker.io/library/go:{old.digest.replace(':', '-')}.sig": other,
    }
    folder = write_layout(tmp_path / "layout", tags)
    entries: list[Entry] = [
        {**image.descriptor(), "annotations": {"org.opencontainers.image.ref.name": name}}
        for name, image in tags.items()
    ]
    kept, digests = keep_locked(
        entries, [Digest.parse(go.digest)], LayoutSource(tmp_path), LayoutRepository(str(folder))
    )
    assert kept == [entries[0], entries[2]]
    assert set(map(str, digests)) == _digests(go, signature)


def _digests(*images: Content) -> set[str]:
    return {content.digest for image in images for content in image.walk()}

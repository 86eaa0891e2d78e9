"""OCI layouts as mirrors: content by digest comes from them; what a registry serves is the registry's word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagelock.errors import ImagelockError, ImageNotFoundError, InvalidContentError, RegistryError
from imagelock.locking.source import BlobSource
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import DOCKER_HUB, AnyRepository, PinnedReference, TagReference, parse_repository
from imagelock.registry.sources import LayoutMirrors, Sources
from tests.support.memory_source import MemorySource
from tests.support.oci_images import Content, multi_platform_image
from tests.support.oci_layout import write_layout

_GO = parse_repository("go")
_TAG = TagReference(_GO, "1")
_IMAGE, _MOVED = (multi_platform_image("linux/amd64", note=note) for note in ("locked", "moved"))
_PINNED = PinnedReference(_GO, Digest.parse(_IMAGE.digest), "1")
_LAYER = _IMAGE.children[0].children[1]


def _descriptor(content: Content) -> Descriptor:
    return Descriptor(media_type="", digest=Digest.parse(content.digest), size_bytes=len(content.body))


@pytest.fixture
def registry() -> MemorySource:
    """The registry, where the tag has moved since the layout was made."""
    source = MemorySource()
    source.push("docker.io/library/go:0", _IMAGE)
    source.push("docker.io/library/go:1", _MOVED)
    return source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_layout(tmp_path / "vendor", {"docker.io/library/go:1": _IMAGE})
    return tmp_path


def _sources(folder: Path, registry: MemorySource | None, *, resolve_tags: bool = False) -> Sources:
    @contextmanager
    def open_registries(_: Sequence[AnyRepository]) -> Iterator[BlobSource]:
        assert registry is not None
        yield registry

    mirrors = {DOCKER_HUB: LayoutMirrors(("missing", "vendor"), resolve_tags)}
    return Sources(folder, open_registries if registry else None, mirrors)


def _read(sources: Sources, content: Content) -> bytes:
    with sources.open_blob(_GO, _descriptor(content)) as pieces:
        return b"".join(pieces)


def test_content_by_digest_comes_from_the_layout(folder: Path, registry: MemorySource) -> None:
    with _sources(folder, registry) as sources:
        assert sources.fetch_manifest(_PINNED).body == _IMAGE.body
        assert sources.fetch_blob(_GO, _descriptor(_LAYER)) == _LAYER.body
        assert _read(sources, _LAYER) == _LAYER.body
    assert registry.requests == []


def test_content_that_the_layout_lacks_or_has_damaged_comes_from_the_registry(
    folder: Path, registry: MemorySource
) -> None:
    blobs = folder / "vendor/blobs/sha256"
    (blobs / _IMAGE.digest.removeprefix("sha256:")).unlink()
    (blobs / _LAYER.digest.removeprefix("sha256:")).write_bytes(b"damaged")
    with _sources(folder, registry) as sources:
        assert sources.fetch_manifest(_PINNED).body == _IMAGE.body
        assert sources.fetch_blob(_GO, _descriptor(_LAYER)) == _LAYER.body
        assert _read(sources, _LAYER) == _LAYER.body
    assert len(registry.requests) == 3


def test_what_is_served_is_asked_of_the_registry(folder: Path, registry: MemorySource) -> None:
    registry.forget(_IMAGE)
    with _sources(folder, registry, resolve_tags=True) as sources:
        for ask in (sources.fetch_digest, sources.fetch_served):
            with pytest.raises(ImageNotFoundError):
                ask(_PINNED)
        assert sources.fetch_blob_size(_GO, Digest.parse(_LAYER.digest)) == len(_LAYER.body)
    assert len(registry.requests) == 3


def test_a_tag_is_the_registrys_word_unless_mirrors_may_resolve_it(folder: Path, registry: MemorySource) -> None:
    with _sources(folder, registry) as sources:
        assert str(sources.fetch_digest(_TAG)) == str(sources.fetch_manifest(_TAG).digest) == _MOVED.digest
    with _sources(folder, registry, resolve_tags=True) as sources:
        assert str(sources.fetch_digest(_TAG)) == str(sources.fetch_manifest(_TAG).digest) == _IMAGE.digest
        assert str(sources.fetch_digest(TagReference(_GO, "0"))) == _IMAGE.digest
        assert sources.list_tags(_GO) == ("0", "1")


def test_without_network_the_layout_answers_all_but_lists_of_tags(folder: Path) -> None:
    with _sources(folder, None, resolve_tags=True) as sources:
        sources.prepare([_GO])
        assert str(sources.fetch_digest(_TAG)) == str(sources.fetch_digest(_PINNED)) == _IMAGE.digest
        assert sources.fetch_served(_PINNED).body == _IMAGE.body
        assert sources.fetch_blob_size(_GO, Digest.parse(_LAYER.digest)) == len(_LAYER.body)
        assert _read(sources, _LAYER) == _LAYER.body
        with pytest.raises(RegistryError, match="offline mode is on"):
            sources.list_tags(_GO)
        with pytest.raises(RegistryError, match="offline mode is on"):
            sources.fetch_digest(TagReference(_GO, "2"))


def test_without_network_damage_is_told_and_not_that_the_network_is_off(folder: Path) -> None:
    for content in (_IMAGE, _LAYER):
        (folder / "vendor/blobs/sha256" / content.digest.removeprefix("sha256:")).write_bytes(b"damaged")
    with _sources(folder, None) as sources:
        questions = (
            lambda: sources.fetch_manifest(_PINNED),
            lambda: sources.fetch_digest(_PINNED),
            lambda: sources.fetch_blob_size(_GO, Digest.parse(_LAYER.digest)),
            lambda: sources.open_blob(_GO, _descriptor(_LAYER)),
        )
        for ask in questions:
            with pytest.raises(InvalidContentError, match="is damaged"):
                ask()


def test_layouts_of_another_registry_are_not_asked(folder: Path) -> None:
    with (
        _sources(folder, None, resolve_tags=True) as sources,
        pytest.raises(ImagelockError, match="offline mode is on"),
    ):
        sources.fetch_manifest(TagReference(parse_repository("ghcr.io/library/go"), "1"))


def test_registries_are_not_prepared_where_layouts_are_likely_to_answer(folder: Path, registry: MemorySource) -> None:
    with _sources(folder, registry, resolve_tags=True) as sources:
        sources.prepare([_GO, parse_repository("ghcr.io/a/b")])
    assert registry.expected == ["ghcr.io/a/b"]

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagelock.errors import RegistryError
from imagelock.locking.source import BlobSource
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import AnyRepository, LayoutRepository, TagReference, parse_reference, parse_repository
from imagelock.registry.sources import Sources
from tests.support.memory_source import MemorySource
from tests.support.oci_images import multi_platform_image
from tests.support.oci_layout import write_layout

_GO = parse_reference("go:1")
_LAYOUT = LayoutRepository("vendor")


class _Registries:
    """Counts how often the client of all registries was opened and closed."""

    def __init__(self) -> None:
        self.source = MemorySource()
        self.log: list[str] = []

    @contextmanager
    def open(self, expected: Sequence[AnyRepository]) -> Iterator[BlobSource]:
        assert expected == [_GO.repository]
        self.log.append("open")
        yield self.source
        self.log.append("close")


def test_the_registry_client_is_opened_once_when_it_is_needed_and_closed_at_the_end(tmp_path: Path) -> None:
    registries = _Registries()
    image = registries.source.push("docker.io/library/go:1", multi_platform_image("linux/amd64"))
    with Sources(tmp_path, registries.open) as sources:
        assert registries.log == []
        sources.prepare([_LAYOUT])
        assert registries.log == []
        sources.prepare([_LAYOUT, _GO.repository])
        assert str(sources.fetch_digest(_GO)) == str(sources.fetch_manifest(_GO).digest) == image.digest
        assert sources.list_tags(_GO.repository) == ("1",)
        blob = Descriptor(media_type="", digest=Digest.parse(image.children[0].digest), size_bytes=0)
        assert sources.fetch_blob(_GO.repository, blob) == image.children[0].body
        assert registries.log == ["open"]
    assert registries.log == ["open", "close"]
    assert registries.source.expected == ["docker.io/library/go"]


def test_a_layout_needs_no_registry(tmp_path: Path) -> None:
    image = multi_platform_image("linux/amd64")
    write_layout(tmp_path / "vendor", {"go": image})
    registries = _Registries()
    with Sources(tmp_path, registries.open) as sources:
        assert str(sources.fetch_digest(TagReference(_LAYOUT, "go"))) == image.digest
    assert registries.log == []


def test_without_network_a_registry_can_not_be_asked(tmp_path: Path) -> None:
    with Sources(tmp_path, None) as sources:
        sources.prepare([parse_repository("go")])
        with pytest.raises(RegistryError) as caught:
            sources.fetch_manifest(_GO)
    assert caught.value.message == "docker.io/library/go cannot be asked: offline mode is on"
    assert caught.value.hint == (
        "leave out `--offline`, or let an OCI layout answer: `mirrors` and `mirrors-resolve-tags` in [registries]"
    )
    with Sources(tmp_path, None) as sources, pytest.raises(RegistryError) as caught:
        sources.list_tags(parse_repository("go"))
    assert caught.value.hint == "leave out `--offline`"  # a layout has no list of tags

"""What images come from: a registry that pushes, deletes and forgets, an older copy of it as a mirror, and a layout."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.loopback_registry import LoopbackRegistry
from tests.support.oci_images import Content, image_index, platform_image
from tests.support.oci_layout import write_layout

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/s390x")
OLD, YOUNG = "2024-01-01T00:00:00Z", "2124-01-01T00:00:00Z"
LAYOUT = "oci:../layout"
_LABEL = "org.opencontainers.image."


@dataclass(slots=True)
class Upstream:
    """The content of all repositories: ``a`` and ``b`` of a registry, and ``c``, which is the layout."""

    registry: LoopbackRegistry
    mirror: LoopbackRegistry
    layout: Path
    images: dict[str, Content] = field(default_factory=dict)
    """Those of the layout, by tag."""
    indexes: dict[str, list[str]] = field(default_factory=dict)
    """The digests of all indexes that were ever pushed, by repository."""

    def __post_init__(self) -> None:
        for server in (self.registry, self.mirror):
            server.tags.clear()
            server.contents.clear()
            server.unlisted.clear()

    def name(self, repository: str) -> str:
        """Return a repository as images.toml names it, by its letter."""
        return LAYOUT if repository == "c" else f"{self.registry.host}/t/{repository}"

    def push(self, repository: str, tag: str, content: Mapping[str, int], *, created: str = OLD) -> None:
        """Push an image; each platform has a version of its content, so that some may stay the same."""
        image = _image(repository, tag, content, created)
        self.registry.every_content |= {each.digest: each for each in image.walk()}
        self.indexes.setdefault(repository, []).append(image.digest)
        if repository == "c":
            self.images[tag] = image
            write_layout(self.layout, self.images)
        else:
            self.registry.push(f"t/{repository}:{tag}", image)

    def delete(self, repository: str, tag: str) -> None:
        """Delete a tag; its content stays for whoever knows the digest."""
        if repository != "c":
            self.registry.tags.pop(f"t/{repository}:{tag}", None)
        elif len(self.images) > 1:
            self.images.pop(tag, None)
            write_layout(self.layout, self.images)

    def collect_garbage(self) -> None:
        """Drop the content to which no tag leads."""
        kept = {it.digest: it for image in self.registry.tags.values() for it in image.walk()}
        self.registry.contents = kept

    def copy_to_mirror(self) -> None:
        """Give the mirror what the registry has now; later pushes do not reach it."""
        self.mirror.tags, self.mirror.contents = dict(self.registry.tags), dict(self.registry.contents)

    def find(self, repository: str, tag: str) -> Content | None:
        """Return what a tag gives now, of a repository as images.lock writes it or by its letter."""
        letter = letter_of(repository)
        if letter == "c":
            return self.images.get(tag)
        return self.registry.tags.get(f"t/{letter}:{tag}")

    def tags(self, repository: str) -> list[str]:
        """List the tags that are served, listed or not."""
        letter = letter_of(repository)
        if letter == "c":
            return list(self.images)
        return [tag.partition(":")[2] for tag in self.registry.tags if tag.startswith(f"t/{letter}:")]

    def is_served(self, repository: str, digest: str) -> bool:
        """Whether content is there by its digest: in the layout's folder, which forgets nothing, or in a registry."""
        if repository == LAYOUT:
            return (self.layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).exists()
        return digest in self.registry.contents

    def labels_of(self, digest: str) -> dict[str, str]:
        """Read the labels of an index: its own, and missing ones of its images in the order of platforms."""
        index = json.loads(self.registry.every_content[digest].body)
        images = sorted(index["manifests"], key=lambda image: _platform_name(image["platform"]))
        found: dict[str, str] = {}
        for each in (index, *images):
            for name, text in each.get("annotations", {}).items():
                found.setdefault(name.removeprefix(_LABEL), text)
        return found

    def configurations(self, digests: Iterable[str]) -> Iterator[bytes]:
        """Read the configuration of each platform's image."""
        for digest in digests:
            yield self.registry.every_content[digest].children[0].body


def letter_of(repository: str) -> str:
    """Return the letter of a repository as images.lock writes it, or of a letter itself."""
    return "c" if repository == LAYOUT else repository.rpartition("/")[2]


def _platform_name(platform: Mapping[str, str]) -> str:
    return f"{platform['os']}/{platform['architecture']}"


def _image(repository: str, tag: str, content: Mapping[str, int], created: str) -> Content:
    images = [
        replace(
            platform_image(
                platform,
                created=created,
                files={repository: f"{tag} {number}".encode()},
                labels={f"{_LABEL}source": "a configuration"},
            ),
            annotations={f"{_LABEL}created": f"{platform} {number}"} if number > 1 else {},
        )
        for platform, number in content.items()
    ]
    # Git merges changes of the first and of the last label without a conflict, since the one between them stays.
    version = {f"{_LABEL}version": f"{tag}-{len(content)}"} if len(content) > 1 else {}
    return image_index(*images, annotations={f"{_LABEL}source": "the same", **version})

"""Why a lock or an update may fail: what is upstream, and what both files want of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.support.histories.project_files import (
    Declared,
    Entries,
    Entry,
    expected_entry,
    letter_in,
    selects_range,
    split_image,
)
from tests.support.histories.upstream import Upstream
from tests.support.oci_images import platform_digests


def has_reason_to_fail(upstream: Upstream, images: Mapping[str, Declared], old: Entries) -> bool:
    """Whether anything upstream is such that an image may not be locked or updated as it is declared."""
    return any(_is_hard_to_lock(upstream, declared) for declared in images.values()) or any(
        not upstream.is_served(entry["repository"], entry["digest"])
        or _lacks_platforms(upstream, entry["digest"], _wanted_of(images, entry))
        for entry in old.values()
    )


def _wanted_of(images: Mapping[str, Declared], entry: Entry) -> list[str]:
    return [
        platform
        for declared in images.values()
        if expected_entry(declared)["repository"] == entry["repository"]
        for platform in declared.get("platforms") or []
    ]


def _is_hard_to_lock(upstream: Upstream, declared: Declared) -> bool:
    wanted = declared.get("platforms") or []
    letter = letter_in(declared)
    if selects_range(declared):
        if upstream.registry.unlisted or "minimum-age" in declared:
            return True
        found = [upstream.find(letter, tag) for tag in upstream.tags(letter)]
        return len(found) < 2 or any(_lacks_platforms(upstream, it.digest, wanted) for it in found if it is not None)
    _, tag, digest = split_image(declared["image"])
    if digest is not None:
        is_served = upstream.is_served(expected_entry(declared)["repository"], digest)
        return not is_served or _lacks_platforms(upstream, digest, wanted)
    image = upstream.find(letter, str(tag))
    return image is None or _lacks_platforms(upstream, image.digest, wanted)


def _lacks_platforms(upstream: Upstream, digest: str, wanted: Iterable[str]) -> bool:
    return not set(wanted) <= set(platform_digests(upstream.registry.every_content[digest].body))

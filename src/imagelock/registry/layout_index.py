"""What index.json of a mirrored layout lists: which entries come, stay and go, and which content they need.

Entries of others, and keys that we do not know, stay as they are. Content whose name moves to another digest gets a
name of its own, so that nothing is lost before a prune.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imagelock.locking.contents import ImageContents, ManifestReader, collect_contents
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import LayoutRepository, PinnedReference
from imagelock.registry.oci_layout import NAME_ANNOTATION, find_signed_digest

Entry = Mapping[str, Any]
"""A descriptor of index.json, as parsed JSON."""


def merge_entries(entries: Iterable[Entry], names: Mapping[str, Descriptor]) -> list[Entry]:
    """Return the entries with each name on its content, sorted by name; unchanged ones stay as they are."""
    merged: dict[str, Entry] = {}
    nameless: list[Entry] = []
    for entry in entries:
        name = name_of(entry)
        if name is None:
            nameless.append(entry)
        elif name not in names or entry.get("digest") == str(names[name].digest):
            merged.setdefault(name, entry)
        elif find_signed_digest(name) is None:
            kept_name = f"{_repository_of(name)}@{entry.get('digest')}"
            merged.setdefault(kept_name, _renamed(entry, kept_name))
    for name, descriptor in names.items():
        merged.setdefault(name, _entry(name, descriptor))
    return [*(merged[name] for name in sorted(merged)), *nameless]


def keep_locked(
    entries: Sequence[Entry], locked: Iterable[Digest], reader: ManifestReader, layout: LayoutRepository
) -> tuple[list[Entry], frozenset[Digest]]:
    """Return the entries whose content the lock names, with the signatures of it, and all digests that they need."""
    wanted = {str(digest) for digest in locked}
    kept = [entry for entry in entries if entry.get("digest") in wanted]
    contents = [_collect(entry, reader, layout) for entry in kept]
    manifests = {manifest.digest for each in contents for manifest in each.manifests}
    signatures = [entry for entry in entries if find_signed_digest(name_of(entry) or "") in manifests]
    contents += [_collect(entry, reader, layout) for entry in signatures]
    digests = frozenset(descriptor.digest for each in contents for descriptor in (*each.manifests, *each.blobs))
    order = {id(entry) for entry in (*kept, *signatures)}
    return [entry for entry in entries if id(entry) in order], digests


def name_of(entry: Entry) -> str | None:
    """Return the name of an entry, if it has one."""
    annotations = entry.get("annotations")
    name = annotations.get(NAME_ANNOTATION) if isinstance(annotations, dict) else None
    return name if isinstance(name, str) else None


def _collect(entry: Entry, reader: ManifestReader, layout: LayoutRepository) -> ImageContents:
    return collect_contents(PinnedReference(layout, Digest.parse(str(entry["digest"]))), reader)


def _entry(name: str, descriptor: Descriptor) -> Entry:
    return {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size_bytes,
        "annotations": {NAME_ANNOTATION: name},
    }


def _renamed(entry: Entry, name: str) -> Entry:
    return {**entry, "annotations": {**entry["annotations"], NAME_ANNOTATION: name}}


def _repository_of(name: str) -> str:
    """Return what is before the tag; the colon of a port is none of a tag."""
    repository, colon, tag = name.rpartition(":")
    return repository if colon and "/" not in tag else name

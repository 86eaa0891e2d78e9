"""Small images as values: the bytes that a registry or an OCI layout keeps, the same ones on every machine.

https://github.com/opencontainers/image-spec and, for the older family of media types,
https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tests.support.layers import gzip_stored, tar_of

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_FILES: Mapping[str, bytes] = MappingProxyType({})
CREATED = "2024-05-01T12:00:00Z"
ATTESTATION_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaTypes:
    """The media types of one family; a family never refers to content of the other one."""

    index: str
    manifest: str
    config: str
    layer: str


OCI = MediaTypes(
    index="application/vnd.oci.image.index.v1+json",
    manifest="application/vnd.oci.image.manifest.v1+json",
    config="application/vnd.oci.image.config.v1+json",
    layer="application/vnd.oci.image.layer.v1.tar+gzip",
)
DOCKER = MediaTypes(
    index="application/vnd.docker.distribution.manifest.list.v2+json",
    manifest="application/vnd.docker.distribution.manifest.v2+json",
    config="application/vnd.docker.container.image.v1+json",
    layer="application/vnd.docker.image.rootfs.diff.tar.gzip",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes with a digest, and the content that they refer to."""

    media_type: str
    body: bytes
    children: tuple[Content, ...] = ()

    @property
    def digest(self) -> str:
        """Computed here and not by imagelock: the tests compare the two."""
        return sha256(self.body)

    @property
    def is_blob(self) -> bool:
        """Whether a registry keeps it under ``/blobs/``: a layer or a config."""
        return not self.children

    def walk(self) -> Iterator[Content]:
        """All content, children before parents: the order in which a registry accepts it."""
        for child in self.children:
            yield from child.walk()
        yield self

    def descriptor(self) -> dict[str, object]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One line of an image index: an OCI manifest, or an index, and what is said about it there."""

    content: Content
    platform: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return self.content.digest

    def descriptor(self) -> dict[str, object]:
        fields = self.content.descriptor()
        if self.platform:
            fields["platform"] = dict(self.platform)
        if self.annotations:
            fields["annotations"] = dict(self.annotations)
        return fields


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def platform_image(
    platform: str,
    *,
    files: Mapping[str, bytes] = _NO_FILES,
    labels: Mapping[str, str] = _NOTHING,
    os_version: str = "",
    created: str = CREATED,
    family: MediaTypes = OCI,
) -> IndexEntry:
    """An image for one platform with one layer; its ``content`` alone is an image without an index."""
    fields = _platform_fields(platform, os_version=os_version)
    archive = tar_of({"etc/platform": f"{platform}\n".encode(), **files})
    layer = Content(media_type=family.layer, body=gzip_stored(archive))
    config = Content(
        media_type=family.config,
        body=_json(
            {
                "created": created,
                **fields,
                "config": {"Env": ["PATH=/usr/bin:/bin"], "Labels": dict(labels)},
                "rootfs": {"type": "layers", "diff_ids": [sha256(archive)]},
                "history": [{"created": created, "created_by": "COPY . /"}],
            },
        ),
    )
    return IndexEntry(content=_oci_manifest(config, layer, family=family), platform=fields)


def with_configuration(image: IndexEntry, fields: Mapping[str, object]) -> IndexEntry:
    """The same image with more in the ``config`` of its configuration, such as ``Env``."""
    config, layer = image.content.children
    document = json.loads(config.body)
    document["config"] |= fields
    changed = Content(media_type=config.media_type, body=_json(document))
    family = next(each for each in (OCI, DOCKER) if each.config == config.media_type)
    return replace(image, content=_oci_manifest(changed, layer, family=family))


def attestation_of(image: IndexEntry) -> IndexEntry:
    """What BuildKit puts beside an image: provenance, listed for a platform that nobody has.

    https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
    """
    unknown = {"architecture": "unknown", "os": "unknown"}
    statement = Content(media_type=ATTESTATION_TYPE, body=_json({"subject": [{"digest": image.digest}]}))
    rootfs = {"type": "layers", "diff_ids": [statement.digest]}
    config = Content(media_type=OCI.config, body=_json({**unknown, "config": {}, "rootfs": rootfs}))
    return IndexEntry(
        content=_oci_manifest(config, statement, family=OCI),
        platform=unknown,
        annotations={
            "vnd.docker.reference.digest": image.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
    )


def image_index(
    *entries: IndexEntry,
    annotations: Mapping[str, str] = _NOTHING,
    family: MediaTypes = OCI,
) -> Content:
    fields: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": family.index,
        "manifests": [entry.descriptor() for entry in entries],
    }
    if annotations:
        fields["annotations"] = dict(annotations)
    children = tuple(entry.content for entry in entries)
    return Content(media_type=family.index, body=_json(fields), children=children)


def multi_platform_image(*platforms: str, note: str = "", family: MediaTypes = OCI) -> Content:
    """The usual image of a test; another ``note`` gives other bytes everywhere."""
    files = {"etc/note": f"{note}\n".encode()}
    images = [platform_image(platform, files=files, family=family) for platform in platforms]
    return image_index(*images, family=family)


def platform_digests(index: bytes) -> dict[str, str]:
    """The digest of each platform that an index lists; attestations are left out."""
    listed = {}
    for entry in json.loads(index)["manifests"]:
        fields = entry["platform"]
        if fields["os"] != "unknown":
            parts = (fields["os"], fields["architecture"], fields.get("variant"))
            listed["/".join(part for part in parts if part)] = entry["digest"]
    return listed


def _platform_fields(platform: str, *, os_version: str) -> dict[str, str]:
    os, architecture, *variant = platform.split("/")
    fields = {"architecture": architecture, "os": os}
    if os_version:
        fields["os.version"] = os_version
    if variant:
        fields["variant"] = variant[0]
    return fields


def _oci_manifest(config: Content, layer: Content, *, family: MediaTypes) -> Content:
    fields = {
        "schemaVersion": 2,
        "mediaType": family.manifest,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
    }
    return Content(media_type=family.manifest, body=_json(fields), children=(config, layer))


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()

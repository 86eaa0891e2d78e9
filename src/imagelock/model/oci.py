"""Parse image indexes and manifests of OCI and Docker.

https://github.com/opencontainers/image-spec (image-index.md, manifest.md, config.md, descriptor.md), and Docker's older
formats of the same documents. The bytes decide the type of a document; it is refused if its header disagrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from imagelock.errors import InvalidContentError, InvalidDigestError, InvalidPlatformError, printable
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.model.strict_json import parse_json_object, refuse_case_variants

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_MEDIA_TYPES = (OCI_INDEX, DOCKER_INDEX)
MANIFEST_MEDIA_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)
DOCKER_MEDIA_TYPES = (DOCKER_INDEX, DOCKER_MANIFEST)
ATTESTATION_ANNOTATION = "vnd.docker.reference.type"

_MAX_DESCRIPTORS = 10_000
_DOCUMENT_KEYS = (
    "schemaVersion",
    "mediaType",
    "manifests",
    "layers",
    "config",
    "artifactType",
    "subject",
    "annotations",
)
_DESCRIPTOR_KEYS = ("mediaType", "digest", "size", "platform", "artifactType", "annotations", "urls", "data")
_PLATFORM_KEYS = ("os", "architecture", "variant", "os.version", "os.features")


@frozen(kw_only=True)
class Descriptor:
    """A pointer to content: its media type, digest and size."""

    media_type: str
    digest: Digest
    size_bytes: int
    platform: Platform | None = None
    artifact_type: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def is_index(self) -> bool:
        """Whether it points to another image index."""
        return self.media_type in INDEX_MEDIA_TYPES

    @property
    def is_foreign(self) -> bool:
        """Whether it is a non-distributable layer, which registries need not have."""
        return ".nondistributable." in self.media_type or ".foreign." in self.media_type

    @property
    def is_image(self) -> bool:
        """Whether it points to an image, and not to an attestation, a signature or another artifact."""
        is_nowhere = self.platform is not None and self.platform.is_unknown
        return self.media_type in MANIFEST_MEDIA_TYPES and not (self.is_attestation or is_nowhere or self.artifact_type)

    @property
    def is_attestation(self) -> bool:
        """Whether it points to provenance and SBOMs of BuildKit, about an image in the same index."""
        return any(key == ATTESTATION_ANNOTATION for key, _ in self.annotations)


@frozen
class FetchedManifest:
    """A manifest or index as served, with the digest that was computed from its bytes."""

    digest: Digest
    body: bytes
    content_type: str = ""
    """The media type in the server's header, without parameters; empty if there is none."""


@frozen
class UnusableEntry:
    """An entry that cannot be locked, such as one with an unknown algorithm, in an index that clients can use.

    It may be an image only if its type says so; its platform is ``None`` if images.lock cannot represent it.
    """

    reason: str
    platform: Platform | None
    is_image: bool


class UnusableEntryError(InvalidContentError):
    """A value in a descriptor that is of the right type, and not usable."""


@frozen
class ImageIndex:
    """An OCI image index or Docker manifest list: one entry a platform, and others that are not images."""

    entries: tuple[Descriptor, ...]
    annotations: tuple[tuple[str, str], ...] = ()
    unusable: tuple[UnusableEntry, ...] = ()


@frozen
class ImageManifest:
    """One image for one platform, which its configuration names."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: tuple[tuple[str, str], ...] = ()
    subject: Descriptor | None = None
    """The manifest that an attestation or signature is about."""
    artifact_type: str = ""
    """The media type of an artifact; empty for an image."""


def parse_manifest(
    fetched: FetchedManifest, *, what: str | None = None, keeps_unusable: bool = False
) -> ImageIndex | ImageManifest:
    """Parse a fetched document; errors name it ``what``, or by its digest.

    ``InvalidContentError`` for anything else, such as a document that could be read as index and as manifest, and for
    an index with unusable entries unless they are to be kept.
    """
    what = what or f"the manifest {fetched.digest}"
    document = parse_json_object(fetched.body, what=what)
    refuse_case_variants(document, _DOCUMENT_KEYS, what=what)
    media_type = _text(document, "mediaType", what) or fetched.content_type
    _refuse_disagreement(document, fetched.content_type, what)
    annotations = _annotations(document, what)
    if "manifests" in document:
        _expect(media_type, INDEX_MEDIA_TYPES, what)
        entries, unusable = _entries(document["manifests"], what)
        if unusable and not keeps_unusable:
            raise InvalidContentError(unusable[0].reason)
        return ImageIndex(entries, annotations, unusable)
    _expect(media_type, MANIFEST_MEDIA_TYPES, what)
    if "config" not in document or "layers" not in document:
        kind = document.get("artifactType")
        details = [f"its artifact type is `{printable(kind)}`"] if isinstance(kind, str) else []
        raise InvalidContentError(f"{what} is neither an image index nor an image manifest", details=details)
    subject = document.get("subject") or None
    return ImageManifest(
        config=_descriptor(document["config"], what),
        layers=tuple(_descriptor(entry, what) for entry in _list(document["layers"], what)),
        annotations=annotations,
        subject=None if subject is None else _descriptor(subject, what),
        artifact_type=_text(document, "artifactType", what),
    )


def is_schema_1(content_type: str) -> bool:
    """Return whether a media type is that of Docker's schema 1, whose digests are not those of their bytes."""
    return "v1+" in content_type and "docker" in content_type


def refuse_schema_1(content_type: str, *, what: str) -> None:
    """Raise ``InvalidContentError`` for schema 1, before its wrong digest is reported as an attack."""
    if is_schema_1(content_type):
        raise _schema_1_refusal(what)


def parse_config_platform(body: bytes, *, what: str) -> Platform:
    """Return the platform in an image's configuration; an unknown one for that of an artifact."""
    config = parse_json_object(body, what=what)
    refuse_case_variants(config, _PLATFORM_KEYS, what=what)
    return _platform(config, what)


def _schema_1_refusal(what: str) -> InvalidContentError:
    return InvalidContentError(
        f"{what} has Docker's schema 1, which cannot be verified", hint="push the image again with a current tool"
    )


def _refuse_disagreement(document: Mapping[str, Any], content_type: str, what: str) -> None:
    if document.get("schemaVersion") == 1:
        raise _schema_1_refusal(what)
    refuse_schema_1(content_type, what=what)
    if "manifests" in document and ("layers" in document or "config" in document):
        raise InvalidContentError(f"{what} is ambiguous: it could be read as an index and as a manifest")
    declared = document.get("mediaType")
    known = (*INDEX_MEDIA_TYPES, *MANIFEST_MEDIA_TYPES)
    if declared and content_type in known and declared != content_type:
        raise InvalidContentError(f"{what} says that it is `{declared}`, the server says `{content_type}`")


def _expect(media_type: str, wanted: tuple[str, ...], what: str) -> None:
    known = (*INDEX_MEDIA_TYPES, *MANIFEST_MEDIA_TYPES)
    if media_type in known and media_type not in wanted:
        raise InvalidContentError(f"{what} says that it is `{media_type}`, but its content is of another type")


def _entries(value: object, what: str) -> tuple[tuple[Descriptor, ...], tuple[UnusableEntry, ...]]:
    """Return the usable and the unusable entries; an error for what clients in Go cannot read, either."""
    entries, unusable = list[Descriptor](), list[UnusableEntry]()
    for entry in _list(value, what):
        try:
            entries.append(_descriptor(entry, what))
        except UnusableEntryError as error:
            unusable.append(_unusable(entry, error.message, what))
    return tuple(entries), tuple(unusable)


def _unusable(entry: Mapping[str, Any], reason: str, what: str) -> UnusableEntry:
    platform = None
    with suppress(UnusableEntryError):
        platform = _platform(entry["platform"], what) if entry.get("platform") else None
    _text(entry, "digest", what)
    _annotations(entry, what)
    media_type = _text(entry, "mediaType", what) or OCI_MANIFEST
    is_listed = media_type in (*INDEX_MEDIA_TYPES, *MANIFEST_MEDIA_TYPES) and not _text(entry, "artifactType", what)
    return UnusableEntry(reason, platform, is_listed and not (platform and platform.is_unknown))


def _list(value: object, what: str) -> list[Any]:
    if value is not None and (not isinstance(value, list) or len(value) > _MAX_DESCRIPTORS):
        raise InvalidContentError(f"{what} has no usable list of entries")
    return value or []


def _descriptor(value: object, what: str) -> Descriptor:
    if not isinstance(value, dict):
        raise InvalidContentError(f"{what} has an entry that is not a descriptor")
    refuse_case_variants(value, _DESCRIPTOR_KEYS, what=what)
    size = value.get("size")
    if not isinstance(size, int | None) or isinstance(size, bool):
        raise InvalidContentError(f"{what} has an entry without a size")
    if size is None or size < 0:
        raise UnusableEntryError(f"{what} has an entry without a size")
    # An empty platform counts as none.
    platform = value.get("platform") or None
    return Descriptor(
        media_type=_text(value, "mediaType", what),
        digest=_digest(_text(value, "digest", what), what),
        size_bytes=size,
        platform=None if platform is None else _platform(platform, what),
        artifact_type=_text(value, "artifactType", what) or None,
        annotations=_annotations(value, what),
    )


def _platform(value: object, what: str) -> Platform:
    if not isinstance(value, dict):
        raise InvalidContentError(f"{what} has an entry with an unreadable platform")
    refuse_case_variants(value, _PLATFORM_KEYS, what=what)
    features = value.get("os.features") or []
    if not isinstance(features, list) or not all(isinstance(feature, str) for feature in features):
        raise InvalidContentError(f"{what} has an entry with an unreadable platform")
    platform = Platform.of(
        _text(value, "os", what),
        _text(value, "architecture", what),
        _text(value, "variant", what),
        os_version=_text(value, "os.version", what),
        os_features=tuple(sorted(features)),
    )
    _refuse_unwritable(platform, what)
    return platform


def _refuse_unwritable(platform: Platform, what: str) -> None:
    """Raise ``InvalidContentError`` for a platform that images.lock cannot represent, as with a line break."""
    with suppress(InvalidPlatformError):
        if platform.is_unknown or Platform.parse(str(platform)) == platform:
            return
    raise UnusableEntryError(f"{what} has an entry with an unusable platform: `{platform}`")


def _digest(text: str, what: str) -> Digest:
    try:
        return Digest.parse(text)
    except InvalidDigestError as error:
        raise UnusableEntryError(f"{what} has an entry with an unusable digest: {error.message}") from error


def _text(value: Mapping[str, Any], key: str, what: str) -> str:
    text = value.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise InvalidContentError(f"{what}: `{key}` is not a string")
    return text


def _annotations(value: Mapping[str, Any], what: str) -> tuple[tuple[str, str], ...]:
    annotations = value.get("annotations")
    if annotations is None:
        return ()
    if not isinstance(annotations, dict) or not all(isinstance(text, str | None) for text in annotations.values()):
        raise InvalidContentError(f"{what} has annotations that are not strings")
    # Go reads null as an empty string, which counts as missing.
    return tuple(sorted((key, text) for key, text in annotations.items() if text is not None))

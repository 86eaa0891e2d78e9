"""Name content that is not an image, such as Helm charts, signatures and policies, by its media types.

https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage; the types are those
that the tools write.
"""

from __future__ import annotations

import re

from imagelock.errors import printable
from imagelock.model.oci import MANIFEST_MEDIA_TYPES, Descriptor, ImageManifest

_IMAGE_CONFIGS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
_NAMES = (
    ("application/vnd.cncf.helm.", "a Helm chart"),
    ("application/vnd.cncf.flux.", "a Flux artifact"),
    ("application/vnd.dev.cosign.simplesigning.", "a signature of cosign"),
    ("application/vnd.dev.cosign.", "an artifact of cosign"),
    ("application/vnd.dev.sigstore.bundle", "a Sigstore bundle"),
    ("application/vnd.cncf.notary.", "a signature of Notation"),
    ("application/vnd.in-toto", "an attestation"),
    ("application/vnd.dsse.envelope", "an attestation"),
    ("application/vnd.docker.attestation.", "an attestation"),
    ("application/vnd.cyclonedx", "a bill of materials (SBOM)"),
    ("application/vnd.goharbor.harbor.sbom", "a bill of materials (SBOM)"),
    ("application/vnd.syft", "a bill of materials (SBOM)"),
    ("application/spdx", "a bill of materials (SBOM)"),
    ("text/spdx", "a bill of materials (SBOM)"),
    ("application/vnd.docker.plugin.", "a Docker plugin"),
    ("application/vnd.docker.compose.", "a Compose project"),
    ("application/vnd.docker.ai.", "a machine-learning model"),
    ("application/vnd.cncf.model.", "a machine-learning model"),
    ("application/vnd.ollama.", "a machine-learning model"),
    ("application/vnd.wasm.", "a WebAssembly module"),
    ("application/vnd.module.wasm.", "a WebAssembly module"),
    ("application/vnd.buildkit.cache", "a BuildKit cache"),
    ("application/vnd.cncf.openpolicyagent.", "a policy bundle of Open Policy Agent"),
    ("application/vnd.cncf.kyverno.", "a Kyverno policy"),
    ("application/vnd.cncf.falco.", "an artifact of Falco"),
    ("application/vnd.aquasec.trivy.", "a Trivy database"),
    ("application/vnd.devcontainers", "a dev container feature or template"),
    ("application/vnd.opentofu.", "an OpenTofu module or provider"),
    ("application/vnd.sylabs.sif.", "a Singularity image"),
    ("application/vnd.cnab.", "a CNAB bundle"),
    ("application/vnd.zarf.", "a Zarf package"),
)
_MAX_LENGTH = 128
"""RFC 6838 allows 127 characters in each half of a media type; real ones have half as many in both together."""
_REFERRER_TAG = r"(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{64,128})(?:[.-][A-Za-z0-9_.-]+)?"


def name_type(media_type: str) -> str | None:
    """Return the name of content with a media type, such as ``a Helm chart``; ``None`` if it is unknown."""
    return next((name for prefix, name in _NAMES if media_type.startswith(prefix)), None)


def name_artifact(manifest: ImageManifest) -> str | None:
    """Return an artifact's name by its artifact type, configuration or layers; ``None`` if none is known."""
    artifact_type, config_type = manifest.artifact_type, manifest.config.media_type
    if artifact_type and artifact_type not in _IMAGE_CONFIGS:
        return name_type(artifact_type) or name_type(config_type) or _of_type(artifact_type)
    known = name_type(config_type)
    if known is not None:
        return known
    names = [name_type(layer.media_type) for layer in manifest.layers]
    return names[0] if names and None not in names else None


def guess_artifact(manifest: ImageManifest) -> str | None:
    """Return the probable name of a manifest by the type of its configuration; ``None`` for that of an image."""
    config_type = manifest.config.media_type
    return None if config_type in _IMAGE_CONFIGS or not config_type else _of_type(config_type)


def name_entry(entry: Descriptor) -> str:
    """Return the name of an entry of an index that is not an image."""
    if entry.media_type in MANIFEST_MEDIA_TYPES and not entry.artifact_type:
        return "for no platform"
    of_artifact = entry.artifact_type and (name_type(entry.artifact_type) or _of_type(entry.artifact_type))
    return of_artifact or name_type(entry.media_type) or _of_type(entry.media_type)


def is_referrer_tag(tag: str) -> bool:
    """Return whether a tag is made of the digest of other content: ``sha256-….sig`` and the like.

    cosign writes such tags, and clients do so for registries without the referrers API:
    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
    """
    return re.fullmatch(_REFERRER_TAG, tag, re.ASCII) is not None


def _of_type(media_type: str) -> str:
    return f"an artifact of type `{printable(media_type, max_length=_MAX_LENGTH) or 'unknown'}`"

"""Name content that is not an image, such as Helm charts, signatures and policies, by its media types.

https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage; the types are those
that the tools write.
"""

from __future__ import annotations

import re

from imagelock.errors import printable
from imagelock.model.frozen import frozen
from imagelock.model.oci import MANIFEST_MEDIA_TYPES, Descriptor, ImageManifest


@frozen
class ArtifactKind:
    """What content is that is not an image."""

    code: str
    """For scripts, such as ``helm-chart``."""
    name: str
    """For people, such as ``a Helm chart``."""

    def __str__(self) -> str:
        return self.name


OTHER_ARTIFACT = "other-artifact"
"""The code of an artifact whose type is not in the table."""
NO_PLATFORM = "no-platform"
"""The code of an entry of an index that names neither a platform nor an artifact."""

_IMAGE_CONFIGS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
ARTIFACT_KINDS = (
    ("application/vnd.cncf.helm.", ArtifactKind("helm-chart", "a Helm chart")),
    ("application/vnd.cncf.flux.", ArtifactKind("flux-artifact", "a Flux artifact")),
    ("application/vnd.dev.cosign.simplesigning.", ArtifactKind("cosign-signature", "a signature of cosign")),
    ("application/vnd.dev.cosign.", ArtifactKind("cosign-artifact", "an artifact of cosign")),
    ("application/vnd.dev.sigstore.bundle", ArtifactKind("sigstore-bundle", "a Sigstore bundle")),
    ("application/vnd.cncf.notary.", ArtifactKind("notation-signature", "a signature of Notation")),
    ("application/vnd.in-toto", ArtifactKind("attestation", "an attestation")),
    ("application/vnd.dsse.envelope", ArtifactKind("attestation", "an attestation")),
    ("application/vnd.docker.attestation.", ArtifactKind("attestation", "an attestation")),
    ("application/vnd.cyclonedx", ArtifactKind("sbom", "a bill of materials (SBOM)")),
    ("application/vnd.goharbor.harbor.sbom", ArtifactKind("sbom", "a bill of materials (SBOM)")),
    ("application/vnd.syft", ArtifactKind("sbom", "a bill of materials (SBOM)")),
    ("application/spdx", ArtifactKind("sbom", "a bill of materials (SBOM)")),
    ("text/spdx", ArtifactKind("sbom", "a bill of materials (SBOM)")),
    ("application/vnd.docker.plugin.", ArtifactKind("docker-plugin", "a Docker plugin")),
    ("application/vnd.docker.compose.", ArtifactKind("compose-project", "a Compose project")),
    ("application/vnd.docker.ai.", ArtifactKind("model", "a machine-learning model")),
    ("application/vnd.cncf.model.", ArtifactKind("model", "a machine-learning model")),
    ("application/vnd.ollama.", ArtifactKind("model", "a machine-learning model")),
    ("application/vnd.wasm.", ArtifactKind("wasm-module", "a WebAssembly module")),
    ("application/vnd.module.wasm.", ArtifactKind("wasm-module", "a WebAssembly module")),
    ("application/vnd.buildkit.cache", ArtifactKind("buildkit-cache", "a BuildKit cache")),
    ("application/vnd.cncf.openpolicyagent.", ArtifactKind("opa-bundle", "a policy bundle of Open Policy Agent")),
    ("application/vnd.cncf.kyverno.", ArtifactKind("kyverno-policy", "a Kyverno policy")),
    ("application/vnd.cncf.falco.", ArtifactKind("falco-artifact", "an artifact of Falco")),
    ("application/vnd.aquasec.trivy.", ArtifactKind("trivy-database", "a Trivy database")),
    ("application/vnd.devcontainers", ArtifactKind("dev-container-feature", "a dev container feature or template")),
    ("application/vnd.opentofu.", ArtifactKind("opentofu-package", "an OpenTofu module or provider")),
    ("application/vnd.sylabs.sif.", ArtifactKind("singularity-image", "a Singularity image")),
    ("application/vnd.cnab.", ArtifactKind("cnab-bundle", "a CNAB bundle")),
    ("application/vnd.zarf.", ArtifactKind("zarf-package", "a Zarf package")),
)
_MAX_LENGTH = 128
"""RFC 6838 allows 127 characters in each half of a media type; real ones have half as many in both together."""
_REFERRER_TAG = r"(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{64,128})(?:[.-][A-Za-z0-9_.-]+)?"


def kind_of_type(media_type: str) -> ArtifactKind | None:
    """Return the kind of content with a media type, such as ``a Helm chart``; ``None`` if it is unknown."""
    return next((kind for prefix, kind in ARTIFACT_KINDS if media_type.startswith(prefix)), None)


def kind_of_artifact(manifest: ImageManifest) -> ArtifactKind | None:
    """Return an artifact's kind by its artifact type, configuration or layers; ``None`` if none is known."""
    artifact_type, config_type = manifest.artifact_type, manifest.config.media_type
    if artifact_type and artifact_type not in _IMAGE_CONFIGS:
        return kind_of_type(artifact_type) or kind_of_type(config_type) or _of_type(artifact_type)
    known = kind_of_type(config_type)
    if known is not None:
        return known
    kinds = [kind_of_type(layer.media_type) for layer in manifest.layers]
    return kinds[0] if kinds and None not in kinds else None


def guess_artifact(manifest: ImageManifest) -> ArtifactKind | None:
    """Return the probable kind of a manifest by the type of its configuration; ``None`` for that of an image."""
    config_type = manifest.config.media_type
    return None if config_type in _IMAGE_CONFIGS or not config_type else _of_type(config_type)


def kind_of_entry(entry: Descriptor) -> ArtifactKind:
    """Return the kind of an entry of an index that is not an image."""
    if entry.media_type in MANIFEST_MEDIA_TYPES and not entry.artifact_type:
        return ArtifactKind(NO_PLATFORM, "for no platform")
    if entry.artifact_type:
        return kind_of_type(entry.artifact_type) or _of_type(entry.artifact_type)
    return kind_of_type(entry.media_type) or _of_type(entry.media_type)


def is_referrer_tag(tag: str) -> bool:
    """Return whether a tag is made of the digest of other content: ``sha256-….sig`` and the like.

    cosign writes such tags, and clients do so for registries without the referrers API:
    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
    """
    return re.fullmatch(_REFERRER_TAG, tag, re.ASCII) is not None


def _of_type(media_type: str) -> ArtifactKind:
    shown = printable(media_type, max_length=_MAX_LENGTH) or "unknown"
    return ArtifactKind(OTHER_ARTIFACT, f"an artifact of type `{shown}`")

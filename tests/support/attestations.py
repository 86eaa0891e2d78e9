"""Attestations as BuildKit writes them: a manifest beside the image in its index, and an in-toto statement.

https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from tests.support.oci_images import ATTESTATION_TYPE, OCI, Content, IndexEntry

V1 = "https://slsa.dev/provenance/v1"
V02 = "https://slsa.dev/provenance/v0.2"
_UNKNOWN = {"architecture": "unknown", "os": "unknown"}
_EMPTY = Content(media_type="application/vnd.oci.empty.v1+json", body=b"{}")
_IMAGE_CONFIG = Content(media_type=OCI.config, body=json.dumps(_UNKNOWN).encode())
Shape = Literal["artifact", "image"]


def dependency(uri: str, digest: str | None = None) -> dict[str, object]:
    """One entry of what a build used; ``digest`` as ``sha256:…``."""
    return {"uri": uri} | ({} if digest is None else {"digest": {"sha256": digest.removeprefix("sha256:")}})


def statement(
    dependencies: Sequence[Mapping[str, object]], *, subjects: Sequence[str] = (), predicate_type: str = V1
) -> dict[str, object]:
    """An in-toto statement with SLSA provenance of version 1 or 0.2."""
    listed: dict[str, object] = (
        {"materials": list(dependencies)}
        if predicate_type == V02
        else {"buildDefinition": {"resolvedDependencies": list(dependencies)}}
    )
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": predicate_type,
        "subject": [{"name": "app", "digest": {"sha256": each.removeprefix("sha256:")}} for each in subjects],
        "predicate": listed,
    }


def attestation(
    image: IndexEntry,
    document: Mapping[str, object] | bytes,
    *,
    shape: Shape = "artifact",
    predicate_type: str = V1,
    about: str | None = None,
) -> IndexEntry:
    """An attestation of an image; ``about`` is the digest that it names instead of the image's."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    layer = Content(media_type=ATTESTATION_TYPE, body=body)
    config = _EMPTY if shape == "artifact" else _IMAGE_CONFIG
    fields: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI.manifest,
        "config": config.descriptor(),
        "layers": [layer.descriptor() | {"annotations": {"in-toto.io/predicate-type": predicate_type}}],
    }
    if shape == "artifact":
        fields["artifactType"] = "application/vnd.docker.attestation.manifest.v1+json"
        fields["subject"] = image.content.descriptor() | ({} if about is None else {"digest": about})
    return IndexEntry(
        content=Content(media_type=OCI.manifest, body=json.dumps(fields).encode(), children=(config, layer)),
        platform=_UNKNOWN,
        annotations={
            "vnd.docker.reference.digest": about or image.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
    )

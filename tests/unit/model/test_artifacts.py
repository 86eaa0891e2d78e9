"""What registries hold besides images, by the types that tools write."""

from __future__ import annotations

import json

import pytest

from imagelock.model.artifacts import guess_artifact, is_referrer_tag, kind_of_artifact, kind_of_entry
from imagelock.model.digest import Digest
from imagelock.model.oci import OCI_MANIFEST, Descriptor, FetchedManifest, ImageManifest, parse_manifest
from tests.support.oci_images import DOCKER, OCI

EMPTY = "application/vnd.oci.empty.v1+json"
HEX = "ab" * 32


def manifest(config: str, *layers: str, artifact_type: str = "") -> ImageManifest:
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        **({"artifactType": artifact_type} if artifact_type else {}),
        "config": {"mediaType": config, "digest": f"sha256:{HEX}", "size": 2},
        "layers": [{"mediaType": layer, "digest": f"sha256:{HEX}", "size": 2} for layer in layers],
    }
    parsed = parse_manifest(FetchedManifest(Digest.parse(f"sha256:{HEX}"), json.dumps(body).encode()))
    assert isinstance(parsed, ImageManifest)
    return parsed


@pytest.mark.parametrize("family", [OCI, DOCKER])
def test_an_image_is_an_image(family: object) -> None:
    assert isinstance(family, type(OCI))
    assert kind_of_artifact(manifest(family.config, family.layer)) is None
    assert kind_of_artifact(manifest(family.config)) is None
    assert kind_of_artifact(manifest(family.config, family.layer, artifact_type=family.config)) is None


@pytest.mark.parametrize(
    ("artifact", "name"),
    [
        (manifest("application/vnd.cncf.helm.config.v1+json", "application/x"), "a Helm chart"),
        (manifest("application/vnd.cncf.flux.config.v1+json"), "a Flux artifact"),
        (manifest(OCI.config, "application/vnd.dev.cosign.simplesigning.v1+json"), "a signature of cosign"),
        (manifest(OCI.config, "application/vnd.in-toto+json", "application/vnd.in-toto+json"), "an attestation"),
        (manifest(EMPTY, artifact_type="application/vnd.dev.sigstore.bundle.v0.3+json"), "a Sigstore bundle"),
        (manifest(EMPTY, artifact_type="application/vnd.cncf.notary.signature"), "a signature of Notation"),
        (manifest("application/vnd.docker.plugin.v1+json"), "a Docker plugin"),
        (manifest("application/vnd.buildkit.cacheconfig.v0"), "a BuildKit cache"),
        (manifest("application/vnd.aquasec.trivy.config.v1+json"), "a Trivy database"),
        (manifest("application/vnd.cncf.helm.config.v1+json", artifact_type="application/x.y"), "a Helm chart"),
        (manifest(EMPTY, artifact_type="application/vnd.example"), "an artifact of type `application/vnd.example`"),
    ],
)
def test_what_is_no_image_has_a_name(artifact: ImageManifest, name: str) -> None:
    assert str(kind_of_artifact(artifact)) == name


def test_an_image_with_one_layer_of_another_kind_is_an_image() -> None:
    assert kind_of_artifact(manifest(OCI.config, OCI.layer, "application/vnd.in-toto+json")) is None


def test_an_unknown_configuration_is_a_guess() -> None:
    unknown = manifest("image/gif")
    assert kind_of_artifact(unknown) is None
    assert str(guess_artifact(unknown)) == "an artifact of type `image/gif`"
    assert guess_artifact(manifest(OCI.config)) is None


def test_an_entry_of_an_index_has_a_name_without_being_fetched() -> None:
    digest = Digest.parse(f"sha256:{HEX}")
    cache = Descriptor(media_type="application/vnd.buildkit.cacheconfig.v0", digest=digest, size_bytes=1)
    chart = Descriptor(
        media_type=OCI_MANIFEST, digest=digest, size_bytes=1, artifact_type="application/vnd.cncf.helm.config.v1+json"
    )
    assert tuple(map(str, map(kind_of_entry, (cache, chart)))) == ("a BuildKit cache", "a Helm chart")


def test_what_a_registry_calls_a_type_is_text() -> None:
    assert str(kind_of_artifact(manifest(EMPTY, artifact_type="x\x1b[2J" + "y" * 1000))) == (
        "an artifact of type `x\\x1b[2J" + "y" * 119 + "…`"
    )


@pytest.mark.parametrize(
    ("tag", "is_referrer"),
    [
        (f"sha256-{HEX}.sig", True),
        (f"sha256-{HEX}.att", True),
        (f"sha256-{HEX}.sbom", True),
        (f"sha256-{HEX}", True),
        (f"sha256-{HEX}-cosign.pub", True),
        (f"sha512-{HEX}", True),
        (f"sha256-{HEX.upper()}.sig", False),
        (f"sha256-{HEX[:-1]}", False),
        ("sha256-1.0", False),
        ("1.0.sig", False),
        ("latest", False),
    ],
)
def test_tags_of_signatures_are_known_by_their_digest(tag: str, *, is_referrer: bool) -> None:
    assert is_referrer_tag(tag) is is_referrer

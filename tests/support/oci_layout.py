"""Writes an OCI image layout on disk.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.support.oci_images import OCI, Content

_REFERENCE_NAME = "org.opencontainers.image.ref.name"


def write_layout(directory: Path, images: Mapping[str, Content]) -> Path:
    """Write a layout with these images under their names, and return its folder."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for content in (each for image in images.values() for each in image.walk()):
        (blobs / content.digest.removeprefix("sha256:")).write_bytes(content.body)
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}\n')
    (directory / "index.json").write_text(_index_of(images))
    return directory


def _index_of(images: Mapping[str, Content]) -> str:
    entries = [{**image.descriptor(), "annotations": {_REFERENCE_NAME: name}} for name, image in images.items()]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI.index, "manifests": entries}, indent=2) + "\n"

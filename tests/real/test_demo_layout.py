"""The demo's layout is one to others, too."""

from __future__ import annotations

import json

import pytest

from demo.make_layout import LAYOUT
from tests.support.oci_images import sha256
from tests.support.processes import run
from tests.support.real_software import require_programs


@pytest.mark.parametrize("name", ["demo/golang:1.22-bookworm", "demo/static:nonroot"])
def test_skopeo_reads_the_demos_images(name: str) -> None:
    require_programs("skopeo")
    listed = json.loads((LAYOUT / "index.json").read_bytes())["manifests"]
    digests = {entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"] for entry in listed}
    assert sha256(run(["skopeo", "inspect", "--raw", f"oci:{LAYOUT}:{name}"])) == digests[name]

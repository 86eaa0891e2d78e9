"""Makes ``demo/layout``, the images that the demo locks without a network: ``python -m demo.make_layout``.

The result is committed and the same on every machine, so that the digests in ``images.lock`` stay true. The
images are real but nearly empty: they stand for the Go toolchain and for a small base image.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.oci_images import Content, attestation_of, image_index, platform_image
from tests.support.oci_layout import write_layout

LAYOUT = Path(__file__).parent / "layout"
_TITLE = "org.opencontainers.image.title"


def make_layout(directory: Path) -> None:
    """Write the layout anew; nothing of an older one stays."""
    shutil.rmtree(directory, ignore_errors=True)
    write_layout(directory, {"demo/golang:1.22-bookworm": _golang(), "demo/static:nonroot": _static()})


def _golang() -> Content:
    # The registries' Go images call it `arm64/v8`; images.toml says `arm64` and means the same.
    labels = {_TITLE: "golang"}
    images = [platform_image(platform, labels=labels) for platform in ("linux/amd64", "linux/arm64/v8")]
    return image_index(*images, *(attestation_of(image) for image in images))


def _static() -> Content:
    labels = {_TITLE: "static"}
    platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7")
    return image_index(*(platform_image(platform, labels=labels) for platform in platforms))


if __name__ == "__main__":
    make_layout(LAYOUT)

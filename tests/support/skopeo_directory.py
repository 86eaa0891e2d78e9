"""Writes an image as skopeo's ``dir:`` transport keeps it: the one of its sources that takes both families as they are.

https://github.com/containers/image/blob/main/directory/directory_transport.go
"""

from __future__ import annotations

from pathlib import Path

from tests.support.oci_images import Content


def write_skopeo_directory(directory: Path, image: Content) -> Path:
    """Write one image into an empty folder, and return the folder."""
    (directory / "version").write_text("Directory Transport Version: 1.1\n")
    (directory / "manifest.json").write_bytes(image.body)
    for content in image.walk():
        digits = content.digest.removeprefix("sha256:")
        name = digits if content.is_blob else f"{digits}.manifest.json"
        (directory / name).write_bytes(content.body)
    return directory

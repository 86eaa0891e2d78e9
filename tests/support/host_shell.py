"""This machine's ``/bin/sh`` as the files of an image, so that ``RUN`` works in a build without a network."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from tests.support.processes import run

_LIBRARY = re.compile(rb"(/\S+) \(0x")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7"}


def host_platform() -> str:
    """The platform whose programs run here, as an image says it."""
    return f"linux/{_ARCHITECTURES[platform.machine()]}"


def shell_files() -> dict[str, bytes]:
    """The shell and the libraries that the loader finds for it, under the paths where they belong."""
    libraries = _LIBRARY.findall(run(["ldd", "/bin/sh"]))
    paths = ["/bin/sh", *(library.decode() for library in libraries)]
    return {path.removeprefix("/"): Path(path).read_bytes() for path in paths}

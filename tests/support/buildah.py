"""Builds Dockerfiles with buildah, without a daemon and without privileges to spare."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import run
from tests.support.registry_server import RegistryServer


@dataclass(frozen=True, slots=True)
class Buildah:
    """A store for images of its own, in ``directory``."""

    directory: Path

    def build(self, context: Path, *, registry: RegistryServer) -> str:
        """Build ``context``'s Dockerfile, pulling from ``registry``, and return the image's id."""
        options = ["--isolation", "chroot", "--quiet"]
        if registry.is_plain_http:
            options.append("--tls-verify=false")
        command = [*self._command, "build", *options, str(context)]
        return run(command, environment=registry.environment).decode().strip()

    def read_file(self, image: str, path: str) -> bytes:
        """What a container of this image would find under ``path``."""
        container = run([*self._command, "from", "--pull-never", image]).decode().strip()
        root = run([*self._command, "mount", container]).decode().strip()
        content = (Path(root) / path.removeprefix("/")).read_bytes()
        run([*self._command, "rm", container])
        return content

    @property
    def _command(self) -> list[str]:
        store = ["--root", str(self.directory / "root"), "--runroot", str(self.directory / "run")]
        return ["buildah", *store, "--storage-driver", "vfs"]

"""One repository in a test registry, seen through other people's clients: skopeo and docker."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.oci_images import Content, platform_digests, sha256
from tests.support.processes import run
from tests.support.registry_server import RegistryServer
from tests.support.skopeo_directory import write_skopeo_directory
from tests.support.upload import tag_many, upload


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRepository:
    """A repository that one test has for itself."""

    registry: RegistryServer
    path: str

    def __str__(self) -> str:
        return f"{self.registry.address}/{self.path}"

    def push(self, image: Content, *, tag: str = "1") -> str:
        """Push with skopeo and return the reference; a tag that is there moves."""
        with tempfile.TemporaryDirectory() as directory:
            source = write_skopeo_directory(Path(directory), image)
            options = ["--all", "--preserve-digests", "--quiet", *self._tls_option(prefix="dest-")]
            self._run("skopeo", "copy", *options, f"dir:{source}", f"docker://{self}:{tag}")
        return f"{self}:{tag}"

    def upload(self, image: Content, *, tag: str = "1") -> str:
        """Push what skopeo doesn't, an index in an index, to a registry that takes it without a login."""
        upload(image, registry=self.registry.address, repository=self.path, tag=tag)
        return f"{self}:{tag}"

    def upload_many(self, image: Content, *, tags: Iterable[str]) -> None:
        """Put one image under many tags; thousands take seconds. The registry takes it without a login."""
        tags = tuple(tags)
        self.upload(image, tag=tags[0])
        tag_many(image, registry=self.registry.address, repository=self.path, tags=tags[1:])

    def delete(self, digest: str) -> None:
        """Delete the index or OCI manifest with this digest, and the tags on it."""
        self._run("skopeo", "delete", *self._tls_option(), f"docker://{self}@{digest}")

    def skopeo_digest(self, tag: str = "1") -> str:
        """The digest of the bytes that skopeo reads."""
        return sha256(self._run("skopeo", "inspect", "--raw", *self._tls_option(), f"docker://{self}:{tag}"))

    def docker_platform_digests(self, tag: str = "1") -> dict[str, str]:
        """The platforms and digests that docker lists. Before version 23 it saw Docker's media types only."""
        return platform_digests(self._run("docker", "manifest", "inspect", *self._insecure, f"{self}:{tag}"))

    def _run(self, *command: str) -> bytes:
        return run(command, environment=self.registry.environment)

    def _tls_option(self, *, prefix: str = "") -> list[str]:
        return [f"--{prefix}tls-verify=false"] if self.registry.is_plain_http else []

    @property
    def _insecure(self) -> list[str]:
        return ["--insecure"] if self.registry.is_plain_http else []

"""A folder with two locked images, ``golang:1.22`` and ``nginx:1.25``, and plain files that are pinned to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from imagelock.cli.main import run
from tests.support.locked_images import HEADER, digest, lock_text

GO = f"golang:1.22@{digest('go')}"
NGINX = f"nginx:1.25@{digest('nginx')}"
IMAGES = '[images]\ngo = "golang:1.22"\nnginx = "nginx:1.25"\n'
_TAGS: Mapping[str, str] = MappingProxyType({"go": "1.22", "nginx": "1.25"})
_REPOSITORIES: Mapping[str, str] = MappingProxyType({"go": "golang", "nginx": "nginx"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The exit code, and the lines on both streams."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class PinnedProject:
    """Commands run in this process, in this folder."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def declare(self, tables: str = "", *, images: str = IMAGES) -> None:
        """Write images.toml, and the images.lock that answers it."""
        (self.folder / "images.toml").write_text(f"{images}{tables}")
        entries = [
            lock_text(
                alias=alias,
                repository=f"docker.io/library/{_REPOSITORIES[alias]}",
                declared=f'tag = "{tag}", platforms = "all"',
                tag=tag,
                index=alias,
            )
            for alias, tag in _TAGS.items()
        ]
        (self.folder / "images.lock").write_text(f"{HEADER}version = 1\n{''.join(entries)}")

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def read(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()

    def files(self) -> dict[str, bytes]:
        """Everything that is there."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def run(self, *arguments: str) -> Outcome:
        self.capture.readouterr()
        exit_code = run(list(arguments))
        return Outcome(exit_code, *self.capture.readouterr())
